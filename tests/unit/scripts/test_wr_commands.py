"""`wr` from its arguments to what it sends, prints and ends with; the service is a stand-in behind the transport."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from scripts.operator_api import connection
from scripts.operator_api.api import ADMIN
from scripts.operator_api.errors import BadInput, Refused, Unreachable
from scripts.operator_cli import key_commands
from scripts.operator_cli.cli import _parser, main
from scripts.operator_cli.draws import verify_draw
from scripts.operator_cli.watch import render
from tests.support.api_world import SNAPSHOT_KEY, ApiWorld, Browser
from waiting_room.domain.line.draws import Draw, commitment_to

API = "https://abc123.execute-api.eu-west-1.amazonaws.com"
ZONE = {
    "zone_id": "midnight-sun",
    "mode": "queueing",
    "max_active": 5,
    "rules": [{"paths": ["/events/midnight-sun"]}],
}


class Service:
    """The operator's API itself, on an in-memory database. Keeps the requests; `answers` replaces some of its own."""

    def __init__(self) -> None:
        self.world = ApiWorld()
        self.requests: list[httpx.Request] = []
        self.answers: dict[tuple[str, str], httpx.Response] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix(ADMIN)
        if (request.method, path) in self.answers:
            return self.answers[request.method, path]
        query = request.url.query.decode()
        answer = self.world.operate(request.method, path, json.loads(request.content or b"null"), query=query)
        return httpx.Response(answer.status, content=answer.body.encode(), headers=answer.headers)

    def zone(self) -> dict:
        return self.world.operate("GET", "/zones/midnight-sun").json

    def sent(self, method):
        return [request for request in self.requests if request.method == method]


def problem(status, name, detail, **more):
    document = {"type": f"urn:foyer:problem:{name}", "title": "No", "status": status, "detail": detail, **more}
    return httpx.Response(status, json=document, headers={"content-type": "application/problem+json"})


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def wr(service, monkeypatch):
    for name in ("FOYER_API_URL", "FOYER_SITE_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")

    def run(*arguments):
        return main(["--api-url", API, *arguments], httpx.MockTransport(service))

    return run


def zone_file(tmp_path, **changes):
    path = tmp_path / "zones.json"
    path.write_text(json.dumps({**ZONE, **changes}))
    return str(path)


def test_requests_are_signed_for_execute_api_with_the_operators_credentials(wr, service):
    assert wr("zones", "list") == 0
    (request,) = service.requests
    assert str(request.url) == f"{API}/.waiting-room/v1/admin/zones"
    signature = request.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/execute-api/aws4_request" in signature
    assert request.headers["x-amz-security-token"] == "session"
    assert "x-amz-date" in request.headers


def test_apply_creates_then_leaves_alone_then_changes(wr, service, tmp_path, capsys):
    assert wr("zones", "apply", zone_file(tmp_path)) == 0
    assert "midnight-sun: created\n  site key, shown only now" in capsys.readouterr().out
    assert wr("zones", "apply", zone_file(tmp_path)) == 0
    assert capsys.readouterr().out == "midnight-sun: unchanged\n"
    assert wr("zones", "apply", zone_file(tmp_path, max_active=8, session={"idle_sec": 60}), "--dry-run") == 0
    would = "midnight-sun: would change\n  max_active: 5 -> 8\n  session.idle_sec: 300 -> 60\n"
    assert capsys.readouterr().out == would
    assert len(service.sent("PUT")) == 1
    assert wr("zones", "apply", zone_file(tmp_path, max_active=8)) == 0
    assert service.zone()["max_active"] == 8
    assert json.loads(service.sent("PUT")[1].content)["version"] == 1


def test_apply_does_not_open_a_zone_that_somebody_paused(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    wr("control", "midnight-sun", "pause")
    wr("zones", "apply", zone_file(tmp_path, max_active=8))
    assert service.zone()["control"] == "pause"
    wr("zones", "apply", zone_file(tmp_path, max_active=8, control="auto"))
    assert service.zone()["control"] == "auto"


def test_a_file_with_a_mistake_sends_nothing(wr, service, tmp_path, capsys):
    assert wr("zones", "apply", zone_file(tmp_path, max_active=-1)) == 2
    assert service.requests == []
    said = capsys.readouterr().err
    assert "nothing was changed" in said
    assert "zone 1 (midnight-sun): /max_active: " in said


def test_a_zone_changed_meanwhile_is_refused_and_says_what_to_do(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    service.answers["PUT", "/zones/midnight-sun"] = problem(409, "stale-version", "The zone has changed")
    assert wr("zones", "apply", zone_file(tmp_path, max_active=8)) == 1
    said = capsys.readouterr().err
    assert "zones.json: midnight-sun: The zone has changed (409 stale-version). Somebody changed the zone" in said
    assert said.count("\n") == 1


def test_a_problem_is_one_line_with_its_pointer(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    refusal = problem(400, "invalid-zone", "Too many.", pointer="/max_active")
    service.answers["POST", "/zones/midnight-sun/control"] = refusal
    assert wr("set", "midnight-sun", "max_active=7") == 1
    assert capsys.readouterr().err == "wr: /max_active: Too many (400 invalid-zone).\n"


def test_several_faults_that_the_service_finds_are_told_one_a_line_with_file_and_pointer(wr, service, tmp_path, capsys):
    found = [{"pointer": "/max_active", "detail": "Too many."}, {"pointer": "/beacon", "detail": "Leave it out."}]
    refusal = problem(400, "invalid-zone", "Too many.", pointer="/max_active", errors=found)
    service.answers["PUT", "/zones/midnight-sun"] = refusal
    path = zone_file(tmp_path)
    assert wr("zones", "apply", path) == 1
    assert capsys.readouterr().err == (
        f"wr: {path}: midnight-sun: 2 faults (400 invalid-zone):\n  /max_active: Too many.\n  /beacon: Leave it out.\n"
    )


def test_set_sends_changes_over_the_version_it_read(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    assert wr("set", "midnight-sun", "max_active=7", "session.idle_sec=60") == 0
    body = json.loads(service.sent("POST")[0].content)
    assert body == {"changes": {"max_active": 7, "session": {"idle_sec": 60}}, "version": 1}
    assert "midnight-sun: max_active is 7" in capsys.readouterr().out


def test_set_refuses_a_contradiction_before_sending_it(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    assert wr("set", "midnight-sun", "max_active=none") == 2
    assert service.sent("POST") == []
    assert "/max_active: Mode queueing" in capsys.readouterr().err
    assert wr("set", "midnight-sun", "max_active=none", "session.max_sec=60") == 2
    said = capsys.readouterr().err
    assert "/max_active: Mode queueing" in said
    assert "\n/session/max_sec: A session" in said


def test_control_says_what_it_means(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    capsys.readouterr()
    assert wr("control", "midnight-sun", "lock") == 0
    assert "control is lock (everybody waits" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ending:
        wr("control", "midnight-sun", "stop")
    assert ending.value.code == 2


def test_a_bypass_link_is_whole_when_the_site_is_known(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    capsys.readouterr()
    assert wr("--site-url", "https://tickets.example/", "bypass", "midnight-sun", "--for", "Ann", "--minutes", "5") == 0
    link, told, take_back = capsys.readouterr().out.splitlines()
    assert link.startswith("https://tickets.example/.waiting-room/v1/zones/midnight-sun/bypasses#")
    assert ", for Ann, until " in told
    assert json.loads(service.sent("POST")[0].content) == {"name": "Ann", "expires_in_sec": 300}
    arguments = take_back.partition("wr ")[2].split()
    assert wr(*arguments) == 0
    assert "is revoked" in capsys.readouterr().out


def test_an_invitation_leads_into_its_lane(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path, lanes={"general": {"weight": 3}, "vip": {"weight": 1}}))
    capsys.readouterr()
    asked = ("invite", "midnight-sun", "--lane", "vip", "--for", "Ann", "--hours", "2")
    assert wr("--site-url", "https://tickets.example", *asked) == 0
    link, told = capsys.readouterr().out.splitlines()
    assert link.startswith("https://tickets.example/.waiting-room/v1/zones/midnight-sun/invitations#")
    assert "into vip for Ann, until " in told
    assert json.loads(service.sent("POST")[0].content) == {"lane": "vip", "name": "Ann", "expires_in_sec": 7200}
    assert wr("invite", "midnight-sun", "--lane", "none", "--for", "Ann") == 1
    assert "/lane: The zone has no such lane" in capsys.readouterr().err


def drawn(count=7):
    secret = "5e" * 32
    draw = Draw("winter-gala", 2, secret, commitment_to(secret), early={"general": count}, opened_at_ms=1)
    return draw, draw.document


def verify(tmp_path, document, *arguments, status=200):
    """The command itself, with a site that answers with a document."""
    asked = []

    def site(request):
        asked.append(request.url.path)
        return httpx.Response(status, json=document)

    target = connection.Target(api_url=API, site_url="https://tickets.example", region="eu-west-1", credentials=None)
    parsed = _parser().parse_args(["verify-draw", "winter-gala", "--run", "2", *arguments])
    verify_draw(None, target, parsed, httpx.MockTransport(site)).show(as_json=False)
    return asked


def test_a_draw_is_checked_for_one_visitor_and_for_all(tmp_path, capsys):
    draw, document = drawn()
    assert verify(tmp_path, document, "--arrival", "3") == ["/.waiting-room/draws/winter-gala/2.json"]
    assert f"general: number 3 has place {draw.place('general', 2) + 1}\n" in capsys.readouterr().out
    verify(tmp_path, document, "--arrival", "8")
    assert "number 8 has place 8 (after the start" in capsys.readouterr().out
    verify(tmp_path, document)
    assert "every place from 1 to 7 was given once" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"secret": "00" * 32}, 200, "not the one that was committed to"),
        ({"secret": None, "early": None}, 200, "not been held yet"),
        ({"method": "other"}, 200, "not a draw"),
        ({}, 404, "No draw is published"),
        ({}, 500, "answered 500"),
    ],
)
def test_a_draw_that_proves_nothing_is_refused(tmp_path, change, status, says):
    with pytest.raises(Refused, match=says):
        verify(tmp_path, {**drawn()[1], **change}, status=status)


def test_a_lane_without_a_draw_is_named(tmp_path):
    with pytest.raises(BadInput, match="use one of general"):
        verify(tmp_path, drawn()[1], "--arrival", "1", "--lane", "vip")


def test_a_visitor_is_looked_up_and_revoked(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    visitor_id = Browser(service.world).ask("POST", "/visitors").json["visitor_id"]
    capsys.readouterr()
    assert wr("look-up", "midnight-sun", visitor_id) == 0
    stored, _, told = capsys.readouterr().out.partition("\n\n")
    shown = dict(line.split(maxsplit=1) for line in stored.splitlines())
    assert "Joined the lane general of run 1" in told
    assert shown["position"] == "0"
    assert shown["revoked"] == "false"
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]", shown["joined_at_ms"])
    assert wr("revoke", "midnight-sun", "--visitor", visitor_id, "--reason", "resold") == 0
    assert json.loads(service.sent("POST")[0].content) == {"visitor_id": visitor_id, "reason": "resold"}
    assert wr("look-up", "midnight-sun", "x" * 22) == 1
    assert "Nobody with this id has joined" in capsys.readouterr().err


def test_revoke_takes_exactly_one_kind(wr, service):
    for wrong in ((), ("--session", "a", "--visitor", "b")):
        with pytest.raises(SystemExit):
            wr("revoke", "midnight-sun", *wrong)
    assert service.requests == []


def test_zones_are_listed_and_shown_as_a_file_that_applies_again(wr, service, tmp_path, capsys):
    assert wr("zones", "list") == 0
    assert "There is no zone yet" in capsys.readouterr().out
    wr("zones", "apply", zone_file(tmp_path))
    capsys.readouterr()
    assert wr("zones", "list") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:5] == ["midnight-sun", "queueing", "auto", "1", "5"]
    assert wr("zones", "show", "midnight-sun") == 0
    again = tmp_path / "again.json"
    again.write_text(capsys.readouterr().out)
    assert wr("zones", "apply", str(again)) == 0
    assert capsys.readouterr().out == "midnight-sun: unchanged\n"
    assert wr("zones", "show", "nowhere") == 1
    assert "`wr zones list` shows" in capsys.readouterr().err


def test_keys_are_listed_without_their_private_parts(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    capsys.readouterr()
    for arguments in (("keys",), ("keys", "list")):
        assert wr(*arguments) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[1] for line in lines] == ["STATE", "active", "next"]


def test_a_visitor_is_erased(wr, service, tmp_path, capsys):
    wr("zones", "apply", zone_file(tmp_path))
    visitor = Browser(service.world).ask("POST", "/visitors").json["visitor_id"]
    capsys.readouterr()
    assert wr("erase", "midnight-sun", visitor) == 0
    assert capsys.readouterr().out == f"midnight-sun: nothing is stored of {visitor} any more\n"
    assert wr("look-up", "midnight-sun", visitor) == 1


def test_a_rotation_says_how_long_it_takes_or_waits(wr, service, tmp_path, capsys, monkeypatch):
    wr("zones", "apply", zone_file(tmp_path))
    capsys.readouterr()
    published = {"keys": service.world.operate("GET", "/keys").json["keys"]}
    service.world.objects.put(SNAPSHOT_KEY, json.dumps(published).encode(), "", "")
    old, upcoming = (key["kid"] for key in published["keys"])
    assert wr("keys", "rotate") == 0
    assert "Run it again in 360 s." in capsys.readouterr().out
    pauses = []
    monkeypatch.setattr(key_commands.time, "sleep", lambda sec: (pauses.append(sec), service.world.clock.advance(sec)))
    assert wr("keys", "rotate", "--wait") == 0
    assert pauses == [60] * 6
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert [old, "retired"] in rows
    assert [upcoming, "active"] in rows
    assert wr("keys", "retire", old) == 1
    assert "retire it in" in capsys.readouterr().err
    service.world.clock.advance(300)
    assert wr("keys", "retire", old, "--force") == 0
    assert f"{old} is retired" in capsys.readouterr().out
    assert wr("keys", "retire", old) == 1
    assert "`wr keys list` shows" in capsys.readouterr().err


def test_the_minutes_that_watch_shows_are_those_the_service_tells(wr, service, tmp_path):
    wr("zones", "apply", zone_file(tmp_path))
    Browser(service.world).ask("POST", "/visitors")
    service.world.tick(3)
    status = json.loads(service.world.objects.get(".waiting-room/status/midnight-sun.json").body)
    metrics = service.world.operate("GET", "/zones/midnight-sun/metrics").json
    lines = render(service.zone(), status, metrics, service.world.clock.now_ms())
    assert lines[-2].split()[:2] == ["MINUTE", "JOINED"]
    assert lines[-1].split()[1:] == ["1", "1", "0", "0", "0", "0", "100%"]


def test_refused_credentials_and_strange_answers_are_explained(wr, service, capsys):
    service.answers["GET", "/zones"] = httpx.Response(403, json={"message": "Forbidden"})
    assert wr("zones", "list") == 1
    assert "execute-api:Invoke" in capsys.readouterr().err
    service.answers["GET", "/zones"] = httpx.Response(200, text="<html>")
    assert wr("zones", "list") == 1
    assert "is --api-url the API of a waiting room?" in capsys.readouterr().err


def test_no_answer_ends_with_3(wr, service, capsys):
    def nobody(request):
        raise httpx.ConnectError("Connection refused")

    assert main(["--api-url", API, "zones", "list"], httpx.MockTransport(nobody)) == 3
    assert "does not answer" in capsys.readouterr().err


def test_the_demo_is_found_without_setup_and_its_absence_said(tmp_path):
    file = tmp_path / "local-stack.json"
    with pytest.raises(Unreachable, match="make demo"):
        connection.find_target(None, None, None, None, file)
    file.write_text(json.dumps({"endpoint": "e", "api_url": "http://127.0.0.1:1/x/$default", "edge_url": "http://s"}))
    target = connection.find_target(None, None, None, None, file)
    assert (target.api_url, target.site_url) == ("http://127.0.0.1:1/x/$default", "http://s")


def test_a_wrong_api_url_or_profile_is_said(monkeypatch):
    with pytest.raises(BadInput, match="must look like"):
        connection.find_target("abc123", None, None, None)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(BadInput, match="no profile 'absent'"):
        connection.find_target(API, None, "absent", None)


def test_a_rate_far_beyond_the_one_before_is_asked_for_twice_and_one_beyond_the_bound_is_refused(
    wr, service, tmp_path, capsys
):
    wr("zones", "apply", zone_file(tmp_path, rate_per_min=60))
    capsys.readouterr()
    assert wr("set", "midnight-sun", "rate_per_min=1000000") == 2
    assert "1,000,000 a minute is 16,667 a second. The bound is 600,000." in capsys.readouterr().err
    assert wr("set", "midnight-sun", "rate_per_min=6000", "--yes") == 0
    assert wr("set", "midnight-sun", "rate_per_min=600000") == 2
    said = capsys.readouterr()
    assert "this is as good as no limit" in said.out
    assert "with --yes if this is what you mean" in said.err
    assert service.zone()["rate_per_min"] == 6000
    assert wr("set", "midnight-sun", "rate_per_min=6500") == 0


def test_applying_many_says_what_came_of_them_and_is_done_once(wr, service, tmp_path, capsys):
    zones = [{"zone_id": f"event-{n}", "rules": [{"paths": [f"/events/{n}"]}]} for n in range(30)]
    content = {"defaults": {"mode": "queueing", "max_active": 5}, "zones": zones}
    path = tmp_path / "many.json"
    path.write_text(json.dumps(content))
    assert wr("zones", "apply", str(path), "--dry-run") == 0
    assert capsys.readouterr().out.endswith("\n30 would be created\n")
    assert service.sent("PUT") == []
    assert wr("zones", "apply", str(path)) == 0
    assert capsys.readouterr().out.endswith("\n30 created\n")
    zones[4]["max_active"] = 9
    path.write_text(json.dumps(content))
    assert wr("zones", "apply", str(path), "--dry-run") == 0
    said = capsys.readouterr().out
    assert "event-4: would change\n  max_active: 5 -> 9\n" in said
    assert said.endswith("\n29 unchanged, 1 would change\n")
    assert wr("zones", "apply", str(path)) == 0
    assert wr("zones", "apply", str(path)) == 0
    assert capsys.readouterr().out.endswith("\n30 unchanged\n")
    assert len(service.sent("PUT")) == 31


def test_what_a_schedule_has_done_is_no_difference(wr, service, tmp_path, capsys):
    world = service.world
    windows = [{"starts_at_ms": world.clock.ms + 600_000}]
    path = zone_file(tmp_path, mode="combined", schedule={"windows": windows})
    assert wr("zones", "apply", path) == 0
    stored = world.stores.zones.get("midnight-sun")
    opened = stored.with_changes(control="auto", starts_at_ms=windows[0]["starts_at_ms"], stage="open:1", version=2)
    assert world.stores.zones.save(opened, 1)
    capsys.readouterr()
    assert wr("zones", "apply", path) == 0
    assert capsys.readouterr().out == "midnight-sun: unchanged\n"
