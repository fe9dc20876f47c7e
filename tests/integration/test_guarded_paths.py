"""No spelling of a guarded path reaches the site without a token, over real sockets and through the real gate."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scripts.edge import Edge
from tests.integration.running import Foyer
from tests.support.serving import EchoOrigin, send_raw, served

ZONE: dict[str, Any] = {
    "zone_id": "guarded",
    "title": "Guarded",
    "mode": "queueing",
    "max_active": 5,
    "rules": [{"paths": ["/events/guarded"]}],
}
DOCUMENT = ("Accept: text/html", "Sec-Fetch-Dest: document")


@pytest.fixture(scope="module")
def zone(foyer: Foyer) -> dict[str, Any]:
    return foyer.apply_zone(ZONE)


@pytest.mark.parametrize(
    "target",
    [
        "/events/guarded",
        "/events/guarded/seats?x=1",
        "/EVENTS/Guarded",
        "/events//guarded",
        "//events/guarded",
        "/events/./guarded",
        "/events/x/../guarded",
        "/events/%67uarded",
        "/events/%2567uarded",
        "/events%2fguarded",
        "/events%5cguarded",
        "/events\\guarded",
        "/events;a=b/guarded;c",
        "/events/guarded%00",
        "/events/guarded%c0%af",
        "/.waiting-room/../events/guarded",
        "/.waiting-room/%2e%2e/events/guarded",
        "/.waiting-room/%252e%252e/events/guarded",
        "/.waiting-room/..%2fevents/guarded",
        "/.waiting-room/..\\events\\guarded",
        "/.waiting-room/v1/..;/../events/guarded",
        "/.waiting-room/v1/admin/../../../events/guarded",
        "/x/%2e%2e%2fevents%2fguarded",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.usefixtures("zone")
def test_nobody_gets_past_the_gate_without_a_token(foyer: Foyer, target: str, method: str) -> None:
    before = len(foyer.site.received)
    status, _ = send_raw(foyer.url, target, *DOCUMENT, "Content-Length: 0", method=method)
    assert status in (303, 400, 404, 405, 429)
    assert len(foyer.site.received) == before


@pytest.mark.usefixtures("zone")
def test_the_rest_of_the_site_is_open_and_sees_no_header_it_could_be_fooled_by(foyer: Foyer) -> None:
    forged = ("X-Waiting-Room-Visitor: me", "X_Waiting_Room_Session: me", "X-Foyer-Origin-Secret: guess")
    status, _ = send_raw(foyer.url, "/events/open?a=%2F", *DOCUMENT, *forged)
    seen = foyer.site.received[-1]
    assert (status, seen["path"], seen["query"]) == (200, "/events/open", "a=%2F")
    names = {name.replace("_", "-") for name, _ in seen["headers"]}
    assert not {"x-waiting-room-visitor", "x-waiting-room-session"} & names


@pytest.mark.usefixtures("zone")
def test_operators_are_not_served_at_the_edge(foyer: Foyer) -> None:
    for target in (
        "/.waiting-room/v1/admin/zones",
        "/.waiting-room/v1//admin/zones",
        "/.waiting-room/v1/./admin/zones",
        "/.waiting-room/v1/x/..%2fadmin/zones",
        "/.waiting-room/v1/%2561dmin/zones",
        "/.waiting-room/V1/admin/zones",
        "/%2ewaiting-room/v1/%61dmin/zones",
    ):
        status, _ = send_raw(foyer.url, target, "Authorization: AWS4-HMAC-SHA256 Credential=test")
        assert status in (403, 404), target


def test_without_a_snapshot_nobody_is_let_in(foyer: Foyer) -> None:
    class Lost:
        """The stack, with a bucket that has lost its snapshot."""

        api_url = foyer.api_url
        bucket_url = f"{foyer.stack.endpoint}/no-such-bucket"
        sign_bucket_read = foyer.stack.sign_bucket_read
        websocket_url = foyer.stack.websocket_url
        origin_secret = foyer.stack.origin_secret
        gatekeeper_settings = foyer.stack.gatekeeper_settings
        outbox_page = foyer.stack.outbox_page

    site = EchoOrigin()
    with served(site) as site_url, Edge(0, Lost(), site_url) as edge:
        for path in ("/", "/events/guarded"):
            answer = httpx.get(edge.url + path)
            assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
            assert int(answer.headers["retry-after"]) > 0
    assert site.received == []
