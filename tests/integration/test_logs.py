"""A whole visit on the running stack; then every line and file that was written of it is searched for its secrets."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.guests import Guest
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import SITE_KEY, open_zones, zone

ZONE_ID = "logged"


@pytest.fixture(scope="module", autouse=True)
def _zone(foyer: Foyer) -> None:
    open_zones(foyer, zone(ZONE_ID))
    # What failed in the tests before is not of this visit.
    foyer.client("sqs").purge_queue(QueueUrl=failures(foyer))


def failures(foyer: Foyer) -> str:
    """The address of the queue of failures."""
    url: str = foyer.client("sqs").get_queue_url(QueueName=foyer.stack.names.failures)["QueueUrl"]
    return url


def lines_of(foyer: Foyer) -> str:
    """What the functions logged, and what the engine wrote of its own."""
    logs: Any = foyer.client("logs")
    text = []
    streams = logs.get_paginator("describe_log_streams")
    for group in logs.describe_log_groups()["logGroups"]:
        named = {"logGroupName": group["logGroupName"]}
        # A page has fifty, and each instance of a function has its own.
        for stream in (stream for page in streams.paginate(**named) for stream in page["logStreams"]):
            found = logs.get_log_events(**named, logStreamName=stream["logStreamName"])
            text += [event["message"] for event in found["events"]]
    own = foyer.stack.engine.folder / "engine.log"
    if own.is_file():
        text.append(own.read_text(encoding="utf-8", errors="replace"))
    return "\n".join(text)


def archived(foyer: Foyer, change: str) -> str:
    """The files of the archive, once a change of the zone is in them; and what the queue of failures holds."""
    store: Any = foyer.client("s3")
    bucket = foyer.stack.names.archive

    def found() -> str:
        listed = store.list_objects_v2(Bucket=bucket).get("Contents", ())
        bodies = [store.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode() for each in listed]
        mine = [body for body in bodies if f'"zone_id":"{ZONE_ID}"' in body]
        return "\n".join(bodies) if any(f'"change":"{change}"' in body for body in mine) else ""

    text: str = wait_until(found, 30, f"a change {change} in the archive")
    assert "Messages" not in foyer.client("sqs").receive_message(QueueUrl=failures(foyer)), "nothing failed"
    return text


def test_no_line_holds_a_token_a_key_or_a_cookie(foyer: Foyer, http: httpx.Client) -> None:
    guest = Guest(http, ZONE_ID)
    guest.open()
    guest.come_in()
    tokens = [guest.token("visitor"), guest.token("access")]
    made = foyer.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Ada"}).json()
    staff = Guest(http, ZONE_ID)
    staff.open(made["link"].partition("#")[0], {"token": made["token"]})
    tokens += [made["token"], staff.token("bypass")]
    guest.call("POST", "/sessions/me/renewals")
    tokens.append(guest.token("access"))
    body = {"token": guest.token("access"), "reference": "order-1", "checkout": True}
    confirmed = http.post("/.waiting-room/v1/confirmations", json=body, headers={"authorization": f"Bearer {SITE_KEY}"})
    assert confirmed.status_code == 200, confirmed.text
    kept = archived(foyer, "completed")
    assert "order-1" not in kept
    logged: str = wait_until(
        lambda: text if "confirm_token" in (text := lines_of(foyer)) else "", 30, "the confirmation in the log"
    )
    text = logged + kept
    assert not [token for token in tokens if token in text or token.rpartition(".")[2] in text]
    assert SITE_KEY not in text
    assert "__Host-wr-" not in text
