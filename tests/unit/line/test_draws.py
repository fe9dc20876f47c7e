"""Draws: every place once, no number better off, the same steps in Python and in the browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import require_tool
from waiting_room.domain.line.draws import METHOD, Draw, commitment_to, draw_of, half_bits, published_draw

SECRET = "6f" * 32
SCRIPT = Path(__file__).parents[3] / "lambdas/publisher/site/assets/verify/draw.js"
VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).with_name("draw_vectors.json")).read_text())


def held(count: int, secret: str = SECRET, **changes: Any) -> Draw:
    """A draw that was held, of one lane unless `changes` say otherwise."""
    draw = Draw("winter-gala", 3, secret, commitment_to(secret), early={"general": count}, opened_at_ms=1)
    return replace(draw, **changes)


@pytest.mark.parametrize("early", [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 100, 256, 257, 1_000, 4_097])
def test_every_place_is_given_once(early: int) -> None:
    draw = held(early)
    assert sorted(draw.place("general", arrival) for arrival in range(early)) == list(range(early))


def test_late_comers_stand_behind_in_the_order_they_came() -> None:
    draw = held(10)
    assert [draw.place("general", arrival) for arrival in range(10, 15)] == [10, 11, 12, 13, 14]
    assert draw.place("vip", 0) == 0, "a lane that was added after the draw"


@pytest.mark.parametrize("early", [2, 3, 5, 16])
def test_every_number_has_the_same_chance_of_every_place(early: int) -> None:
    runs = 6_000 // early
    counts = Counter(
        (arrival, held(early, f"{run:064x}").place("general", arrival))
        for run in range(runs)
        for arrival in range(early)
    )
    expected = runs / early
    chi_square = sum((counts[a, b] - expected) ** 2 / expected for a in range(early) for b in range(early))
    freedom = (early - 1) ** 2
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5, "five deviations"


@pytest.mark.parametrize(
    "changes",
    [
        {"zone_id": "summer-gala"},
        {"run": 4},
        {"secret": "70" * 32},
        {"beacon_value": "ab" * 32},
        {"early": {"general": 101}},
    ],
)
def test_everything_published_counts(changes: dict[str, Any]) -> None:
    one, other = held(100), held(100, **changes)
    assert [one.place("general", number) for number in range(100)] != [
        other.place("general", number) for number in range(100)
    ]


def test_lanes_are_drawn_apart() -> None:
    draw = held(100, early={"general": 100, "vip": 100})
    assert [draw.place("general", arrival) for arrival in range(100)] != [
        draw.place("vip", arrival) for arrival in range(100)
    ]


@pytest.mark.parametrize(("early", "bits"), [(1, 2), (16, 2), (17, 3), (64, 3), (65, 4), (1_000_000, 10), (2**32, 16)])
def test_the_network_is_as_small_as_it_can_be(early: int, bits: int) -> None:
    assert half_bits(early) == bits


def test_nothing_but_the_commitment_is_published_before_the_draw() -> None:
    draw = draw_of("winter-gala", 3, {"secret": SECRET, "commitment": commitment_to(SECRET)})
    assert SECRET not in json.dumps(draw.document)
    assert draw.document["commitment"] == commitment_to(SECRET)
    with pytest.raises(ValueError, match="not been held"):
        published_draw(draw.document)
    with pytest.raises(ValueError, match="not been opened"):
        draw.place("general", 0)


def test_what_was_published_gives_the_same_places() -> None:
    draw = held(1_000, beacon_round=77, beacon_value="ab" * 32)
    told = published_draw(json.loads(json.dumps(draw.document)))
    assert [told.place("general", number) for number in range(0, 1_100, 50)] == [
        draw.place("general", number) for number in range(0, 1_100, 50)
    ]


@pytest.mark.parametrize("change", [{"secret": "70" * 32}, {"method": "another"}, {"early": None}])
def test_a_record_that_contradicts_itself_proves_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        published_draw({**held(10).document, **change})


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['lane']}-{vector['arrival']}")
def test_known_places(vector: dict[str, Any]) -> None:
    assert vector["record"]["method"] == METHOD
    assert published_draw(vector["record"]).place(vector["lane"], vector["arrival"]) == vector["place"]


def test_the_browser_has_the_same_places(tmp_path: Path) -> None:
    require_tool("Node.js", shutil.which("node"), "install Node.js 20 or later")
    script = tmp_path / "check.mjs"
    script.write_text(
        f"import {{ faultOf, placeOf }} from {json.dumps(SCRIPT.as_uri())};\n"
        f"const vectors = {json.dumps(VECTORS)};\n"
        "const found = [];\n"
        "for (const { record, lane, arrival } of vectors) {\n"
        "  found.push([await faultOf(record), await placeOf(record, lane, arrival)]);\n"
        "}\n"
        'found.push(await faultOf({ ...vectors[0].record, secret: "00" }));\n'
        "found.push(await faultOf({ ...vectors[0].record, secret: null }));\n"
        "console.log(JSON.stringify(found));\n"
    )
    # Its own type is taken for CommonJS where no package says otherwise.
    copy = tmp_path / "draw.mjs"
    copy.write_text(SCRIPT.read_text())
    script.write_text(script.read_text().replace(SCRIPT.as_uri(), copy.as_uri()))
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [*(["", vector["place"]] for vector in VECTORS), "secret", "closed"]
