"""What the pages load and how they word numbers: all of it there, of the right kind, and light."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from waiting_room.domain.line.places import Estimate
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.assets import CACHE_CONTROL, assets, embedded, files
from waiting_room.http.page.bundle import bare
from waiting_room.http.page.pages import waiting_page
from waiting_room.http.page.wording import words as words_of

ASSETS = Path(__file__).parents[3] / "lambdas/publisher/site/assets"
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
    page = embedded(waiting_page, ASSETS)(ZONE)
    loaded = {asset.key_suffix: asset for asset in assets(ASSETS)}
    wanted = set(re.findall(r"/\.waiting-room/assets/([\w./-]+)", page))
    # Pages without scripts load the pictures by themselves.
    apart = {name for name in loaded if name.startswith(("verify/", "proof/", "link/")) or name.endswith(".svg")} | {
        "foyer.js"
    }
    assert wanted == set(loaded) - apart
    bodies = [page.encode(), *(loaded[name].body for name in wanted)]
    assert sum(len(gzip.compress(body)) for body in bodies) < WEIGHT_LIMIT_BYTES


def test_the_page_is_few_requests_however_many_files_it_is_written_in() -> None:
    loaded = [asset.key_suffix for asset in assets(ASSETS) if "/" not in asset.key_suffix]
    assert set(loaded) - {"foyer.js"} == {"favicon.svg", "picture.svg", "waiting.css", "waiting.js"}
    assert len(list(files(ASSETS))) > 10


def test_every_script_and_style_is_in_the_one_file() -> None:
    loaded = {asset.key_suffix: asset.body.decode() for asset in assets(ASSETS)}
    for file in (file for file in files(ASSETS) if "/" not in file.key_suffix and file.key_suffix != "foyer.js"):
        text = file.body.decode()
        if file.key_suffix.endswith(".css"):
            assert bare(text) in loaded["waiting.css"]
        if file.key_suffix.endswith(".js"):
            declares = r"^(?:export )?((?:class|(?:async )?function) \w+.*|const \w+ = .*)$"
            declared = re.search(declares, text, re.MULTILINE)
            assert declared is not None
            assert declared[1] in loaded["waiting.js"], file.key_suffix


def test_comments_and_indentation_stay_at_home() -> None:
    source = """/** What it does,
 * over two lines. */
export const a = 1; /* beside code */

  // a line
  const there = "http://x"; // beside code
"""
    assert bare(source) == 'export const a = 1; /* beside code */\nconst there = "http://x"; // beside code\n'
    assert bare("a { b: c; }\n/* One. */\n.d { }\n") == "a { b: c; }\n.d { }\n"
    with pytest.raises(ValueError, match="a text over several lines"):
        bare("const text = `\n  // kept\n`;\n")


def test_the_pages_own_pictures_are_in_it_and_still_pictures() -> None:
    page = embedded(waiting_page, ASSETS)(ZONE)
    (icon,) = re.findall(r'rel="icon" href="([^"]+)"', page)
    (picture,) = re.findall(r'id="picture" src="([^"]+)"', page)
    facts = json.loads(re.findall(r'id="zone">(.*?)</script>', page)[0])
    assert facts["default_picture"] == facts["picture_url"] == picture
    for name, url in (("favicon.svg", icon), ("picture.svg", picture)):
        kind, _, body = url.partition(",")
        assert kind == "data:image/svg+xml"
        assert unquote(body) == (ASSETS / name).read_text(encoding="utf-8").strip()
    own = embedded(waiting_page, ASSETS)(replace(ZONE, picture_url="https://cdn.example/hall.jpg"))
    assert 'id="picture" src="https://cdn.example/hall.jpg"' in own


def test_everything_the_page_that_checks_draws_loads_is_there() -> None:
    loaded = {asset.key_suffix: asset for asset in assets(ASSETS)}
    page = loaded["verify/index.html"].body.decode()
    wanted = set(re.findall(r"/\.waiting-room/assets/([\w./-]+)", page)) | {"verify/index.html", "verify/draw.js"}
    assert wanted == {name for name in loaded if name.startswith("verify/")}
    assert set(re.findall(r'getElementById|element\("(\w+)"\)', loaded["verify/verify.js"].body.decode())) - {
        ""
    } <= set(re.findall(r'id="(\w+)"', page))


def test_the_script_for_sites_is_small_and_needs_nothing() -> None:
    loaded = {asset.key_suffix: asset.body for asset in assets(ASSETS)}
    assert len(loaded["foyer.js"]) < 5 * 1024
    assert not re.search(rb"^import ", loaded["foyer.js"], re.MULTILINE)


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
