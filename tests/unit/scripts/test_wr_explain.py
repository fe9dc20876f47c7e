"""`wr explain`: what the gate would do, by the gate's own code, and why; `wr secret`."""

from __future__ import annotations

import time

import pytest

from tests.unit.scripts.test_wr_commands import service, wr, zone_file  # noqa: F401 - fixtures
from waiting_room.domain.gate.exempt import secret_hash

URL = "https://tickets.example.com"


@pytest.fixture
def explain(wr, service, tmp_path, capsys):  # noqa: F811
    service.world.clock.ms = time.time_ns() // 1_000_000
    rules = [
        {"paths": ["/events/midnight-sun"], "hosts": ["*.example.com"], "excludes": ["/events/midnight-sun/static"]},
        {"paths": ["=/checkout"], "methods": ["POST"]},
    ]
    exempt = [{"name": "monitor", "header": {"name": "x-monitor", "sha256": secret_hash("ping")}}]
    assert wr("zones", "apply", zone_file(tmp_path, rules=rules, exempt=exempt)) == 0
    capsys.readouterr()

    def run(*arguments: str) -> list[str]:
        assert wr("explain", *arguments) == 0
        return capsys.readouterr().out.splitlines()

    return run


def test_a_visitor_without_a_token_waits(explain):
    lines = explain(f"{URL}/events/Midnight-Sun")
    assert lines[0] == "request  GET /events/Midnight-Sun on tickets.example.com"
    assert "rule     midnight-sun /rules/0: fits /events/Midnight-Sun" in lines
    assert "rule     midnight-sun /rules/1: does not fit by method" in lines
    assert lines[-1].startswith("decision wait: 303 to /.waiting-room/v1/zones/midnight-sun/enter?to=")
    assert explain(f"{URL}/events/midnight-sun", "--program")[-1].startswith("decision wait: 429 waiting, enter at /.")


@pytest.mark.parametrize(
    ("path", "arguments", "reason"),
    [
        ("/events/midnight-sun/static/x.css", (), "excluded"),
        ("/", (), "path"),
        ("/checkout", (), "path"),
        ("/events/midnight-sun", ("--header", "Host: elsewhere.test"), "host"),
    ],
)
def test_what_no_rule_fits_passes(explain, path, arguments, reason):
    lines = explain(URL + path, *arguments)
    assert f"rule     midnight-sun /rules/0: does not fit by {reason}" in lines
    assert lines[-1] == "decision pass: no zone guards it"


def test_other_spellings_are_printed_with_what_becomes_of_them(explain):
    lines = explain(f"{URL}/events/midnight-sun", "--aliases")
    aliases = dict(line.removeprefix("alias    ").split(": ", 1) for line in lines if line.startswith("alias"))
    assert all(said.startswith("wait") for path, said in aliases.items() if not path.startswith(("/amp", "/en")))
    assert aliases["/en/events/midnight-sun"] == "pass: no zone guards it"
    assert {"/events/midnight-sun.json", "/_next/data/x/events/midnight-sun", "/events/midnight-sun%C2%AD"} <= set(
        aliases
    )


def test_every_reading_of_a_path_is_told(explain):
    lines = explain(f"{URL}/events/midnight-sun/static/..%2fseats")
    assert "         may also be read as /events/midnight-sun/seats" in lines
    assert "rule     midnight-sun /rules/0: fits /events/midnight-sun/seats" in lines
    assert "wait" in lines[-1]


def test_exempt_admitted_observing_and_open(explain, wr, service, capsys):  # noqa: F811
    url = f"{URL}/events/midnight-sun"
    assert explain(url, "--header", "X-Monitor: ping")[-1] == "decision pass: zone midnight-sun, exempt as monitor"
    token = service.world.operate("POST", "/zones/midnight-sun/bypass-tokens", {"name": "Ada"}).json["token"]
    lines = explain(url, "--header", f"Cookie: __Host-wr-bypass-midnight-sun={token}")
    assert lines[-2].startswith("token    bypass: of zone midnight-sun, run 1, until ")
    assert lines[-1].startswith("decision pass: zone midnight-sun, exempt as ")
    lines = explain(url, "--header", f"Authorization: Bearer {token}")
    assert lines[-2] == "token    access: made for bypass, not for this"
    assert "wait" in lines[-1]
    assert explain(url, "--header", "Authorization: Bearer x")[-2] == "token    access: no token of ours"
    wr("set", "midnight-sun", "observe=true")
    capsys.readouterr()
    assert explain(url)[-1].endswith("the zone only observes; in earnest it would wait")
    wr("control", "midnight-sun", "pass")
    capsys.readouterr()
    assert explain(url)[-1] == "decision pass: zone midnight-sun, the gate is open"


def test_a_token_that_has_expired_says_when(explain, service):  # noqa: F811
    token = service.world.operate(
        "POST", "/zones/midnight-sun/bypass-tokens", {"name": "Ada", "expires_in_sec": 60}
    ).json["token"]
    service.world.clock.advance(-3600)
    old = service.world.operate(
        "POST", "/zones/midnight-sun/bypass-tokens", {"name": "Ada", "expires_in_sec": 60}
    ).json["token"]
    cookie = f"Cookie: __Host-wr-bypass-midnight-sun={old}; __Host-wr-bypass-midnight-sun={token}"
    lines = explain(f"{URL}/events/midnight-sun", "--header", cookie)
    assert lines[-3].startswith("token    bypass: expired at ")
    assert "exempt as" in lines[-1]


def test_paths_that_lead_nowhere(explain):
    assert explain(f"{URL}/%ff")[-1].startswith("decision 400: ")
    assert explain(f"{URL}/.waiting-room/x")[-1].startswith("decision 404: ")


@pytest.mark.parametrize("arguments", [("tickets.example.com",), ("https://[",), (f"{URL}/", "--header", "Host")])
def test_what_is_no_request_is_refused(explain, wr, capsys, arguments):  # noqa: F811
    assert wr("explain", *arguments) == 2
    assert "write" in capsys.readouterr().err


def test_a_secret_comes_with_its_hash(wr, capsys):  # noqa: F811
    assert wr("secret") == 0
    (_, made), (_, digest) = (line.split() for line in capsys.readouterr().out.splitlines())
    assert digest == secret_hash(made)
    assert len(made) == 32
