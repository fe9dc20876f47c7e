"""The gatekeeper as CloudFront calls it: recorded events in, a request or a response in CloudFront's form out."""

from __future__ import annotations

import importlib
import json
import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.edge.messages import EdgeRequest
from scripts.edge.viewer import outcome
from tests.support.gate_support import (
    CLOCK,
    EVENTS,
    ISSUER,
    SID,
    access_token,
    bypass_claims,
    bypass_token,
    event,
    snapshot_document,
    zone,
)
from waiting_room.domain.gate.published import encode_snapshot
from waiting_room.edge.gatekeeper import Gatekeeper
from waiting_room.edge.settings import EdgeSettings, InvalidSettings, find_settings, read_settings, settings_of
from waiting_room.edge.snapshots import FetchFailed, Snapshots

SETTINGS = EdgeSettings(snapshot_path="/.waiting-room/gate-0.json", issuer=ISSUER)
NAMES = sorted(path.stem.removeprefix("viewer_request_") for path in EVENTS.glob("viewer_request_*.json"))


def gatekeeper(*zones: Any, settings: EdgeSettings = SETTINGS, missing: bool = False, **parts: Any) -> Gatekeeper:
    body = encode_snapshot(snapshot_document(*zones, **parts))

    def fetch(host: str) -> bytes:
        assert host == "d111111abcdef8.cloudfront.net"
        if missing:
            raise FetchFailed("nothing there")
        return body

    return Gatekeeper(settings, Snapshots(ISSUER, fetch), CLOCK.now_ms)


def headers_of(result: dict[str, Any]) -> dict[str, list[str]]:
    """Headers by name; fails unless they have CloudFront's form."""
    for name, entries in result["headers"].items():
        assert name == name.lower()
        assert all(entry["key"].lower() == name for entry in entries)
    return {name: [entry["value"] for entry in entries] for name, entries in result["headers"].items()}


def with_cookie(value: str) -> Any:
    def change(request: dict[str, Any]) -> None:
        request["headers"]["cookie"] = [{"key": "Cookie", "value": value}]

    return change


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [False, True])
def test_every_answer_of_our_own_is_hardened(name, missing):
    result = gatekeeper(zone(control="lock"), missing=missing)(event(name))
    if "status" not in result:
        return
    headers = headers_of(result)
    assert headers["x-content-type-options"] == ["nosniff"]
    assert headers["strict-transport-security"] == ["max-age=31536000"]
    assert headers["cache-control"] == ["no-store"]
    (policy,) = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fields", [{}, {"control": "lock"}, {"control": "pass"}, {"observe": True}])
@pytest.mark.parametrize("missing", [False, True])
def test_cloudfront_takes_every_answer(name, fields, missing):
    recorded = event(name)
    asked = recorded["Records"][0]["cf"]["request"]
    listed = [(key, entry["value"]) for key, entries in asked["headers"].items() for entry in entries]
    sent = EdgeRequest(asked["method"], asked["uri"], asked["querystring"], tuple(listed), asked["clientIp"])
    outcome(sent, gatekeeper(zone(**fields), missing=missing)(recorded))


@pytest.mark.parametrize("name", NAMES)
def test_the_event_itself_is_left_as_it_was(name):
    recorded = event(name)
    gatekeeper(zone(control="pass"))(recorded)
    assert recorded == event(name)


def test_an_admitted_visitor_goes_on_with_the_sites_own_cookies_only():
    cookies = (
        f"theme=dark; __Host-wr-access-midnight-sun={access_token()}; consent=a=b; __host-WR-old=1;"
        "__Host-wr-visitor-midnight-sun=x.y.z; __Host-wr-try=1;__Host-session=9"
    )
    result = gatekeeper()(event("navigation", with_cookie(cookies)))
    headers = headers_of(result)
    assert headers["cookie"] == ["theme=dark; consent=a=b;__Host-session=9"]
    assert headers["x-waiting-room-session"] == [SID]
    assert (result["uri"], result["querystring"]) == ("/events/midnight-sun", "utm_source=fan-club")
    assert (result["method"], result["clientIp"]) == ("GET", "203.0.113.178")


def test_a_cookie_header_that_held_only_ours_goes_altogether():
    result = gatekeeper()(event("navigation", with_cookie(f"__Host-wr-access-midnight-sun={access_token()}")))
    assert "cookie" not in result["headers"]


def test_cookies_may_come_in_several_headers():
    def change(request: dict[str, Any]) -> None:
        values = ("theme=dark", f"__Host-wr-access-midnight-sun={access_token()}", "a=1")
        request["headers"]["cookie"] = [{"key": "Cookie", "value": value} for value in values]

    assert headers_of(gatekeeper()(event("navigation", change)))["cookie"] == ["theme=dark", "a=1"]


def test_an_app_with_a_bearer_token_goes_on_without_it():
    def change(request: dict[str, Any]) -> None:
        request["headers"]["authorization"] = [{"key": "Authorization", "value": f"Bearer {access_token()}"}]

    headers = headers_of(gatekeeper()(event("app", change)))
    assert "authorization" not in headers
    assert headers["x-waiting-room-session"] == [SID]


def test_forged_headers_do_not_reach_the_site():
    headers = headers_of(gatekeeper(zone(control="pass"))(event("forged_headers")))
    assert {name: value for name, value in headers.items() if "waiting" in name} == {
        "x-waiting-room-zone": ["midnight-sun"],
        "x-waiting-room-open": ["pass"],
    }
    assert headers["x-forwarded-for"] == ["198.51.100.2"]


def test_an_open_page_goes_on_without_our_cookies():
    assert headers_of(gatekeeper()(event("open_page")))["cookie"] == ["theme=dark"]


def test_a_visitor_without_a_token_is_sent_to_enter():
    result = gatekeeper()(event("navigation"))
    headers = headers_of(result)
    assert (result["status"], result["statusDescription"]) == ("303", "See Other")
    assert headers["location"] == [
        "/.waiting-room/v1/zones/midnight-sun/enter?to=/events/midnight-sun%3Futm_source%3Dfan-club"
    ]
    assert headers["cache-control"] == ["no-store"]
    assert "set-cookie" not in headers


def test_a_program_is_told_when_and_where():
    result = gatekeeper()(event("fetch"))
    headers, problem = headers_of(result), json.loads(result["body"])
    assert (result["status"], headers["content-type"]) == ("429", ["application/problem+json"])
    assert headers["cache-control"] == ["no-store"]
    assert 5 <= int(headers["retry-after"][0]) <= 10
    assert (problem["type"], problem["status"]) == ("urn:foyer:problem:waiting", 429)
    assert problem["enter_url"].startswith("/.waiting-room/v1/zones/midnight-sun/enter?to=")


def test_retry_after_differs_from_request_to_request():
    seen = set()
    for number in range(40):
        recorded = event("fetch")
        recorded["Records"][0]["cf"]["config"]["requestId"] = f"request-{number}"
        seen.add(headers_of(gatekeeper()(recorded))["retry-after"][0])
    assert len(seen) >= 4


def test_a_bypass_link_sets_a_host_cookie():
    def change(request: dict[str, Any]) -> None:
        request["querystring"] = f"wr_bypass={bypass_token()}&seat=3"

    headers = headers_of(gatekeeper()(event("navigation", change)))
    assert headers["location"] == ["/events/midnight-sun?seat=3"]
    (cookie,) = headers["set-cookie"]
    assert cookie.startswith("__Host-wr-bypass-midnight-sun=ey")
    assert set(cookie.split("; ")[1:]) == {"Max-Age=3600", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"}


def test_a_renewal_remembers_that_it_was_tried_and_is_not_tried_again():
    token = access_token(exp=CLOCK.now_sec + 60)
    cookie = f"__Host-wr-access-midnight-sun={token}"
    headers = headers_of(gatekeeper()(event("navigation", with_cookie(cookie))))
    assert headers["location"][0].startswith("/.waiting-room/v1/zones/midnight-sun/sessions/me/renew?to=")
    assert headers["set-cookie"][0].startswith("__Host-wr-try=1; Max-Age=10;")
    again = gatekeeper()(event("navigation", with_cookie(f"{cookie}; __Host-wr-try=1")))
    assert again["method"] == "GET"


@pytest.mark.parametrize(("uri", "status"), [("/%ff", "400"), ("/.waiting-room/x", "404")])
def test_pages_for_people_and_problems_for_programs(uri, status):
    def change(request: dict[str, Any]) -> None:
        request["uri"] = uri

    page, data = gatekeeper()(event("navigation", change)), gatekeeper()(event("fetch", change))
    assert page["status"] == data["status"] == status
    assert headers_of(page)["content-type"] == ["text/html; charset=utf-8"]
    assert headers_of(page)["x-content-type-options"] == ["nosniff"]
    assert "default-src 'none'" in headers_of(page)["content-security-policy"][0]
    assert '<html lang="en">' in page["body"]
    assert re.search(r"<main><h1>.+</h1><p>.+</p>", page["body"])
    assert json.loads(data["body"])["status"] == int(status)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_snapshot_nobody_gets_anywhere(name):
    result = gatekeeper(missing=True)(event(name))
    headers = headers_of(result)
    assert result["status"] == "503"
    assert headers["cache-control"] == ["no-store"]
    assert int(headers["retry-after"][0]) >= 5


def test_without_a_snapshot_everybody_passes_where_the_settings_say_so():
    settings = EdgeSettings(snapshot_path="/x.json", issuer=ISSUER, on_missing_snapshot="pass")
    result = gatekeeper(settings=settings, missing=True)(event("forged_headers", with_cookie("__Host-wr-try=1; a=1")))
    headers = headers_of(result)
    assert headers["cookie"] == ["a=1"]
    told = {name: values for name, values in headers.items() if "waiting" in name}
    assert told == {"x-waiting-room-open": ["no-snapshot"]}


@pytest.mark.parametrize("damage", ["Records", "cf", "config", "request", "headers", "uri", "method"])
def test_a_damaged_event_closes_the_gate(damage):
    recorded = event("navigation")
    cf = recorded["Records"][0]["cf"]
    for holder in (recorded, recorded["Records"][0], cf, cf["request"]):
        holder.pop(damage, None)
    settings = EdgeSettings(snapshot_path="/x.json", issuer=ISSUER, on_missing_snapshot="pass")
    assert gatekeeper(zone(control="pass"), settings=settings)(recorded)["status"] == "503"


def test_no_token_is_ever_logged(caplog):
    caplog.set_level(logging.DEBUG)
    token = access_token()
    cookie = with_cookie(f"__Host-wr-access-midnight-sun={token}")
    for missing in (False, True):
        for observe in (False, True):
            gatekeeper(zone(observe=observe), missing=missing)(event("navigation", cookie))
    broken = event("navigation", cookie)
    del broken["Records"][0]["cf"]["request"]["method"]
    gatekeeper()(broken)
    assert caplog.records
    assert not any(part in caplog.text for part in token.split("."))


def test_an_observing_zone_counts_those_who_would_have_waited(caplog):
    gatekeeper(zone(observe=True))(event("navigation"))
    gatekeeper(zone(observe=True))(event("navigation", with_cookie(f"__Host-wr-access-midnight-sun={access_token()}")))
    lines = [json.loads(record.message) for record in caplog.records]
    assert lines == [{"observed": "would wait", "zone_id": "midnight-sun"}]


def test_each_pass_of_somebody_exempt_is_counted_and_says_by_what(capsys):
    token = bypass_token()
    gate = gatekeeper(zone(exempt=[{"name": "monitor", "ip_ranges": ["0.0.0.0/0"]}]))
    gate(event("navigation", with_cookie(f"__Host-wr-bypass-midnight-sun={token}")))
    gate(event("navigation"))
    staff, monitor = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    (counted,) = staff["_aws"]["CloudWatchMetrics"]
    assert (counted["Namespace"], counted["Dimensions"]) == (ISSUER, [["zone_id"]])
    assert counted["Metrics"] == [{"Name": "exempt_passes", "Unit": "Count"}]
    for line, who in ((staff, bypass_claims()["jti"]), (monitor, "monitor")):
        assert (line["zone_id"], line["exempt_passes"], line["exempt"]) == ("midnight-sun", 1, who)
    assert token not in json.dumps(staff)
    # Nobody else costs a line.
    gatekeeper()(event("navigation", with_cookie(f"__Host-wr-access-midnight-sun={access_token()}")))
    gatekeeper()(event("navigation"))
    assert capsys.readouterr().out == ""


def test_settings_are_read_from_the_bundle(tmp_path):
    document = {"snapshot_path": "/.waiting-room/gate-ab.json", "snapshot_scheme": "http", "issuer": "foyer"}
    (tmp_path / "settings.json").write_text(json.dumps(document))
    assert read_settings(tmp_path) == EdgeSettings("/.waiting-room/gate-ab.json", "foyer", "http", "refuse")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "missing"),
        ([], "cannot be read|unknown"),
        ({"snapshot_path": "x", "issuer": ""}, "snapshot_path must .*; issuer must"),
        ({"snapshot_path": "/x y", "issuer": "foyer"}, "snapshot_path must"),
        ({"snapshot_path": "/x", "issuer": 7}, "issuer must"),
        ({"snapshot_path": "/x", "issuer": "foyer", "on_missing_snapshot": "open"}, "one of refuse, pass"),
        ({"snapshot_path": "/x", "issuer": "foyer", "snapshot_scheme": "ftp"}, "one of https, http"),
        ({"snapshot_path": "/x", "issuer": "foyer", "colour": 1}, "unknown fields: colour"),
    ],
)
def test_settings_that_cannot_be_used_say_why(tmp_path, document, message):
    (tmp_path / "settings.json").write_text(json.dumps(document))
    with pytest.raises(InvalidSettings, match=message):
        read_settings(tmp_path)


def test_missing_or_torn_settings_say_so(tmp_path):
    with pytest.raises(InvalidSettings, match="cannot be read"):
        read_settings(tmp_path)
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(InvalidSettings, match="cannot be read"):
        read_settings(tmp_path)


SNAPSHOT_ID = "0123456789abcdef" * 2


@pytest.mark.parametrize("prefix", ["", "us-east-1."])
@pytest.mark.parametrize("choice", ["refuse", "pass"])
def test_a_deployed_function_reads_its_settings_from_its_name(tmp_path, prefix, choice):
    settings = find_settings(tmp_path, f"{prefix}my-shop-gatekeeper-{SNAPSHOT_ID}", choice)
    assert settings == EdgeSettings(f"/.waiting-room/gate-{SNAPSHOT_ID}.json", "my-shop", "https", choice)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "foyer-gatekeeper",
        f"gatekeeper-{SNAPSHOT_ID}",
        f"foyer-gatekeeper-{SNAPSHOT_ID[:-1]}",
        f"foyer-gatekeeper-{SNAPSHOT_ID}\n",
        f"foyer-gatekeeper-{SNAPSHOT_ID.upper()}",
        f"eu-west-1.foyer-gatekeeper-{SNAPSHOT_ID}",
    ],
)
def test_a_name_without_settings_is_refused(name):
    with pytest.raises(InvalidSettings, match="must be called"):
        settings_of(name, "refuse")


def test_a_settings_file_decides_alone(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({"snapshot_path": "/x.json", "issuer": "foyer"}))
    settings = find_settings(tmp_path, f"shop-gatekeeper-{SNAPSHOT_ID}", "pass")
    assert settings == EdgeSettings("/x.json", "foyer", "https", "refuse")


@pytest.mark.parametrize(("entry", "status"), [("handler", "503"), ("open_handler", None)])
def test_the_handlers_differ_in_what_a_missing_snapshot_means(monkeypatch, entry, status):
    handler = importlib.import_module("lambdas.gatekeeper.handler")
    handler._gatekeeper.cache_clear()
    monkeypatch.setattr("waiting_room.edge.gatekeeper.Transport", lambda settings: Unreachable())
    context = SimpleNamespace(function_name=f"us-east-1.foyer-gatekeeper-{SNAPSHOT_ID}")
    answer = getattr(handler, entry)(event("navigation"), context)
    handler._gatekeeper.cache_clear()
    assert answer.get("status") == status


@pytest.mark.parametrize("name", ["navigation", "fetch"])
def test_a_session_of_which_nothing_is_known_waits_a_moment(name):
    body = encode_snapshot(snapshot_document())
    token = f"__Host-wr-access-midnight-sun={access_token()}"
    for said, status in ((None, "503"), (True, {"navigation": "303", "fetch": "429"}[name]), (False, None)):
        snapshots = Snapshots(ISSUER, lambda _: body, lambda _, said=said: lambda *_: said)
        result = Gatekeeper(SETTINGS, snapshots, CLOCK.now_ms)(event(name, with_cookie(token)))
        assert result.get("status") == status
        assert said is not None or "retry-after" in result["headers"]


class Unreachable:
    def __call__(self, host):
        raise FetchFailed(host)

    def get(self, host, *_):
        raise FetchFailed(host)
