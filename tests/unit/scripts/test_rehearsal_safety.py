"""The safety catch of a rehearsal: hosts nobody named, live zones, and numbers no machine can play."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from scripts.operator_api.errors import BadInput
from scripts.operator_cli import rehearse
from scripts.operator_cli.cli import main
from scripts.rehearsal import director, takeover
from scripts.rehearsal.browser import Browser, EndlessRedirects, SentElsewhere
from scripts.rehearsal.safety import NotSafe, address_of, refuse_excess, refuse_live, refuse_unnamed_api, why_live
from scripts.rehearsal.script import ARRIVALS, Script
from scripts.visitors.browser import Cookies
from scripts.visitors.steps import Answer

SITE = "https://tickets.example.com"
API = "https://abc123.execute-api.eu-west-1.amazonaws.com"
OPEN = {"zone_id": "sale", "control": "auto", "run": 1}
NOW_MS = 1_000_000


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("tickets.example.com", SITE),
        ("https://tickets.example.com/", SITE),
        ("tickets.example.com:8443", "https://tickets.example.com:8443"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("https://localhost:8443", "https://localhost:8443"),
    ],
)
def test_hosts_become_addresses(host: str, address: str) -> None:
    assert address_of(host) == address


@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://",
        "tickets.example.com/events",
        "https://tickets.example.com/?a=b",
        "ftp://tickets.example.com",
        "http://tickets.example.com",
        "https://me:secret@tickets.example.com",
        "http://localhost:80@evil.example",
        "http://localhost.evil.example",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(NotSafe):
        address_of(host)


def test_the_api_must_be_named_too_unless_it_is_here() -> None:
    refuse_unnamed_api("http://127.0.0.1:4566/_aws/execute-api/x", None, (SITE,))
    refuse_unnamed_api(API, f"{API}/", (SITE,))
    refuse_unnamed_api(API, None, (SITE, API))
    with pytest.raises(NotSafe, match="found in the environment"):
        refuse_unnamed_api(API, None, (SITE,))


@pytest.mark.parametrize(
    "excess", [(0, 10, 1), (20_001, 10, 1), (10, 0, 1), (10, 1_001, 1), (10, 10, 0), (10, 10, 121)]
)
def test_there_is_a_bound_on_everything(excess: tuple[int, float, int]) -> None:
    refuse_excess(20_000, 1_000, 120)
    with pytest.raises(NotSafe):
        refuse_excess(*excess)


@pytest.mark.parametrize(
    ("changes", "joined", "live"),
    [
        ({}, 0, True),
        ({}, 7, True),
        ({"control": "pass", "starts_at_ms": NOW_MS + 1}, 0, True),
        ({"control": "pause"}, 0, False),
        ({"control": "pause"}, 7, True),
        ({"starts_at_ms": NOW_MS - 1}, 0, True),
        ({"starts_at_ms": NOW_MS + 1}, 0, False),
        ({"starts_at_ms": NOW_MS + 1}, 1, True),
        ({"rehearsal": True}, 7, False),
    ],
)
def test_a_zone_is_live_when_it_is_open_or_somebody_waits(changes: dict[str, Any], joined: int, live: bool) -> None:
    assert (why_live({**OPEN, **changes}, joined, NOW_MS) is not None) == live


@pytest.mark.parametrize("told", [(False, False), (True, False), (False, True)])
def test_a_live_zone_is_only_filled_when_told_twice(told: tuple[bool, bool]) -> None:
    with pytest.raises(NotSafe, match="sale is live: it is open"):
        refuse_live(OPEN, 0, NOW_MS, told=told, own_run=False)
    refuse_live(OPEN, 0, NOW_MS, told=(True, True), own_run=False)


def test_a_live_zone_never_gets_a_new_run() -> None:
    with pytest.raises(NotSafe, match="everybody would lose their place"):
        refuse_live(OPEN, 5, NOW_MS, told=(True, True), own_run=True)
    assert not takeover.wants_own_run(OPEN, own_run=False)


def test_a_zone_that_is_yet_to_start_is_opened_only_when_asked() -> None:
    ahead = {**OPEN, "starts_at_ms": NOW_MS + 1}
    with pytest.raises(NotSafe, match="is not open yet"):
        refuse_live(ahead, 0, NOW_MS, told=(False, False), own_run=False)
    with pytest.raises(NotSafe, match="leave --on-a-live-zone"):
        refuse_live(ahead, 0, NOW_MS, told=(True, True), own_run=True)
    refuse_live(ahead, 0, NOW_MS, told=(False, False), own_run=True)
    refuse_live({**OPEN, "rehearsal": True}, 9, NOW_MS, told=(False, False), own_run=False)


def test_a_rehearsal_is_over_well_before_the_start() -> None:
    ahead = {**OPEN, "starts_at_ms": NOW_MS + 20 * 60_000}
    takeover.refuse_close_start(ahead, 15 * 60, NOW_MS)
    with pytest.raises(BadInput, match="starts in 20 minutes"):
        takeover.refuse_close_start(ahead, 16 * 60, NOW_MS)
    takeover.refuse_close_start(OPEN, 16 * 60, NOW_MS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name the site with --host"),
        (["--host", "http://tickets.example.com"], "over https only"),
        (["--host", SITE], "was found in the environment"),
        (["--host", SITE, "--host", API, "--visitors", "30000"], "30,000 visitors: give 1 to 20,000"),
        (["--host", SITE, "--host", API, "--requests-per-sec", "5000"], "give up to 1,000"),
        (["--host", SITE, "--host", API, "--target", "fun=1"], "there is no target 'fun'"),
        (["--put-back"], "there is nothing to put back"),
    ],
)
def test_nothing_is_sent_before_the_arguments_are_safe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any, arguments: list[str], said: str
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"asked {request.url}")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("FOYER_API_URL", API)
    monkeypatch.setattr(rehearse, "BUILD", tmp_path)
    assert main(["rehearse", "sale", *arguments], httpx.MockTransport(refuse)) == 2
    assert said in capsys.readouterr().err


class Site:
    """Answers by path; notes what was really sent."""

    def __init__(self, **locations: str) -> None:
        self.locations = {f"/{name}": target for name, target in locations.items()}
        self.sent: list[str] = []

    def __call__(self, method: str, url: str, headers: Any, body: str | None, name: str) -> Answer:
        self.sent.append(url)
        path = "/" + url.split("/", 3)[3]
        if path in self.locations:
            return Answer(303, url, {"location": self.locations[path]}, (), "", 1, 2)
        return Answer(200, url, {}, (), "", 1, 2)


def browser(site: Site, *hosts: str) -> Browser:
    return Browser((SITE, *hosts), site, lambda costly: nullcontext(), Cookies(lambda cookie: None))


@pytest.mark.parametrize(
    "target", ["https://evil.example/a", "//evil.example/a", "http://tickets.example.com/a", f"{SITE}:444/a"]
)
def test_no_redirect_leads_to_a_host_nobody_named(target: str) -> None:
    site = Site(page=target)
    with pytest.raises(SentElsewhere, match="was not named with --host"):
        browser(site).open("/page", "page")
    assert site.sent == [f"{SITE}/page"]


def test_a_host_that_was_named_is_followed_and_a_circle_ends() -> None:
    site = Site(page="https://shop.example.com/in", circle="/circle")
    assert browser(site, "https://shop.example.com").open("/page", "page").url == "https://shop.example.com/in"
    with pytest.raises(EndlessRedirects):
        browser(site).open("/circle", "page")


@pytest.mark.parametrize("name", ARRIVALS)
def test_everybody_comes_in_time_and_in_order(name: str) -> None:
    script = Script(hosts=(SITE,), zone_id="z", path="/", visitors=101, arrival=name, over_sec=60)
    moments = script.moments()
    assert len(moments) == 101
    assert moments == sorted(moments) == script.moments()
    assert 0 <= moments[0] <= moments[-1] <= 60
    assert Script.from_json(script.to_json()) == script


def test_two_waves_are_two() -> None:
    moments = ARRIVALS["two-waves"].moments(100, 100.0, random.Random(1))
    assert len([at for at in moments if at <= 40]) == len([at for at in moments if at >= 60]) == 50


def test_without_locust_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(director, "NEEDED", ("surely_not_installed",))
    with pytest.raises(BadInput, match="needs locust, which is not installed"):
        director.require_engine()


def test_the_command_line_never_becomes_locusts() -> None:
    code = "import sys; import scripts.operator_cli.cli; print(sorted({'locust', 'gevent'} & sys.modules.keys()))"
    paths = {"PYTHONPATH": f"{director.ROOT}:{director.ROOT / 'layer' / 'python'}"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths)
    assert told.stdout.strip() == "[]"


def test_progress_says_where_everybody_is() -> None:
    counts = {"arrived": 9, "inside": 4, "ended": 1, "silent": 1, "absent": 1, "gave_up": 1, "busy": 2}
    line = director.progress_line({"sec": 65.2, "counts": counts, "requests": 130}, 20)
    assert line == ("01:05  come 9 of 20, in line 3, inside 2, served 4, did not stay 2, 2 requests/s, busy or lost 2")


def test_targets_are_numbers() -> None:
    assert rehearse._pair("occupancy=0.8") == ("occupancy", 0.8)
    with pytest.raises(BadInput, match="write NAME=NUMBER"):
        rehearse._pair("occupancy")


class Api:
    """An operator's API with one zone."""

    def __init__(self, **zone: Any) -> None:
        self.stored: dict[str, Any] = {"zone_id": "sale", "control": "pause", "run": 3, **zone}
        self.asked: list[dict[str, Any]] = []

    def zone(self, zone_id: str) -> dict[str, Any]:
        return dict(self.stored)

    def control(self, zone_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(json.loads(json.dumps(body)))
        self.stored |= {"control": body["control"], "run": self.stored["run"] + body["reset"], **body["changes"]}
        self.stored = {name: value for name, value in self.stored.items() if value is not None}
        return dict(self.stored)


def test_a_run_of_its_own_is_opened_and_everything_put_back(tmp_path: Any) -> None:
    start_ms = takeover.now_ms() + 3_600_000
    api: Any = Api(starts_at_ms=start_ms)
    note = tmp_path / "sale.before.json"

    def broken_off() -> None:
        with takeover.own_run(api, api.zone("sale"), note) as opened:
            assert (opened["control"], opened["rehearsal"], opened["run"]) == ("auto", True, 4)
            assert 0 < opened["starts_at_ms"] - takeover.now_ms() <= takeover.OPENS_AFTER_SEC * 1000
            assert note.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert api.stored == {"zone_id": "sale", "control": "pause", "run": 5, "rehearsal": False, "starts_at_ms": start_ms}
    assert not note.exists()
    with pytest.raises(BadInput, match="nothing to put back"):
        takeover.put_back(api, note)


def test_a_start_that_passed_meanwhile_is_not_set_into_the_past(tmp_path: Any) -> None:
    note = tmp_path / "sale.before.json"
    passed = {"control": "auto", "rehearsal": None, "starts_at_ms": takeover.now_ms() - 1}
    note.write_text(json.dumps({"zone_id": "sale", "before": passed}))
    api: Any = Api(starts_at_ms=takeover.now_ms() - 60_000)
    takeover.put_back(api, note)
    assert "starts_at_ms" not in api.asked[0]["changes"]
