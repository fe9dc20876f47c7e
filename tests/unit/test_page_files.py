"""What the pages load and how they word numbers: all of it there, of the right kind, and light."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from waiting_room.domain.places import Estimate
from waiting_room.domain.zones import Zone
from waiting_room.http.assets import CACHE_CONTROL, assets
from waiting_room.http.pages import waiting_page
from waiting_room.http.wording import words as words_of

ASSETS = Path(__file__).parents[2] / "lambdas/publisher/site/assets"
ZONE = Zone("midnight-sun", "queueing", ({"paths": ["/events"]},), title="Midnight Sun", max_active=5)
WEIGHT_LIMIT_BYTES = 60 * 1024
"""Over the wire, where CloudFront compresses all of it."""


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 40, "Less than a minute"),
        (10, 100, "Up to 2 minutes"),
        (250, 310, "4 to 6 minutes"),
        (1_000, 2_000, "15 to 35 minutes"),
        (3_700, 7_100, "1 to 2 hours"),
        (7_200, 9_000, "2 to 2.5 hours"),
    ],
)
def test_estimates_are_ranges_and_never_too_exact(low: int, high: int, words: str) -> None:
    assert words_of().expected_wait(Estimate(low, high)) == words


def test_durations() -> None:
    times = [words_of().time_left(seconds) for seconds in (-5, 7, 3_661, 176_461)]
    assert times == [
        "0:00",
        "0:07",
        "1:01:01",
        "2 d 1:01:01",
    ]
    assert [words_of().held_for(seconds) for seconds in (22, 60, 120)] == ["22 seconds", "a minute", "2 minutes"]


def test_everything_the_page_loads_is_there_and_light() -> None:
    page = waiting_page(ZONE)
    files = {asset.key_suffix: asset for asset in assets(ASSETS)}
    wanted = set(re.findall(r"/\.waiting-room/assets/([\w./-]+)", page))
    wanted |= set(
        re.findall(r'from "\./([\w.]+)"', "".join(files[name].body.decode() for name in files if ".js" in name))
    )
    del files["foyer.js"]
    assert wanted == set(files)
    bodies = [page.encode(), *(asset.body for asset in files.values())]
    assert sum(len(gzip.compress(body)) for body in bodies) < WEIGHT_LIMIT_BYTES


def test_the_script_for_sites_is_small_and_needs_nothing() -> None:
    script = (ASSETS / "foyer.js").read_text(encoding="utf-8")
    assert len(script.encode()) < 5 * 1024
    assert not re.search(r"^import ", script, re.MULTILINE)


def test_assets_have_their_content_types() -> None:
    types = {asset.key_suffix: asset.content_type for asset in assets(ASSETS)}
    assert types["waiting.js"] == "text/javascript; charset=utf-8"
    assert types["waiting.css"] == "text/css; charset=utf-8"
    assert types["picture.svg"] == "image/svg+xml"
    assert {asset.cache_control for asset in assets(ASSETS)} == {CACHE_CONTROL}


def test_an_asset_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        list(assets(tmp_path))
