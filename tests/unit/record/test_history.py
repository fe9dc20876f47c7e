"""The audit log: who did what to a zone, from what to what, and why; in the table, in the archive, in `history`."""

from __future__ import annotations

import json
from typing import Any

from tests.support.api_world import ZONE_ID
from tests.support.deployment import Deployment
from waiting_room import schemas


def entries(world: Deployment, query: str = "", zone_id: str = ZONE_ID) -> list[dict[str, Any]]:
    answer = world.operate("GET", f"/zones/{zone_id}/history", query=query)
    assert answer.status == 200
    return list(answer.json["entries"])


def control(world: Deployment, **body: Any) -> None:
    assert world.operate("POST", f"/zones/{ZONE_ID}/control", body).status == 200


def test_a_change_is_told_from_what_to_what_by_whom_and_why() -> None:
    world = Deployment()
    world.put_zone(max_active=20)
    world.clock.advance(5)
    control(world, changes={"max_active": 10, "message": "Soon."}, reason="The shop is slow.")
    control(world, control="pause")
    control(world, control="pause")
    made, changed, paused = entries(world)
    assert made["action"] == "put_zone"
    assert made["changes"]["max_active"] == [None, 20]
    assert changed["changes"] == {"max_active": [20, 10], "message": ["", "Soon."]}
    assert changed["reason"] == "The shop is slow."
    assert changed["by"].startswith("arn:aws:")
    assert (changed["at_ms"], changed["run"]) == (world.clock.ms, 1)
    # Doing it twice changes nothing the second time, so it is there once.
    assert paused["changes"] == {"control": ["auto", "pause"]}


def test_actions_that_change_no_setting_are_there_with_ids_and_without_names() -> None:
    world = Deployment()
    world.put_zone()
    world.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Ada Lovelace"})
    world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"session_id": "s" * 22, "reason": "Shared on a forum."})
    _, bypass, revocation = entries(world)
    assert (bypass["action"], list(bypass["details"])) == ("create_bypass_token", ["bypass_id"])
    assert revocation["details"] == {"session_id": "s" * 22}
    assert revocation["reason"] == "Shared on a forum."
    kept = json.dumps([entries(world), world.archive.rows])
    assert "Lovelace" not in kept
    assert "eyJ" not in kept


def test_a_new_site_key_is_told_without_it() -> None:
    world = Deployment()
    world.put_zone()
    control(world, changes={"site_key_sha256": "a" * 64})
    assert entries(world)[-1]["changes"] == {"site_key_sha256": ["changed", "changed"]}


def test_history_outlives_the_zone_and_can_be_of_one_run() -> None:
    world = Deployment()
    world.put_zone()
    control(world, reset=True)
    control(world, control="lock")
    assert [each["changes"] for each in entries(world, "run=2")] == [{"run": [1, 2]}, {"control": ["auto", "lock"]}]
    assert world.operate("DELETE", f"/zones/{ZONE_ID}").status == 204
    last = entries(world, "entries=1")
    assert [each["action"] for each in last] == ["delete_zone"]
    assert last[0]["changes"]["control"] == ["lock", None]
    assert entries(world, zone_id="nothing") == []
    assert world.operate("GET", f"/zones/{ZONE_ID}/history", query="entries=0").status == 400
    assert world.operate("GET", f"/zones/{ZONE_ID}/history", query="run=first").status == 400


def test_the_archive_has_what_the_log_has() -> None:
    world = Deployment()
    world.put_zone()
    control(world, changes={"max_active": 3}, reason="Slow.")
    rows = [row for row in world.archive.rows if row["zone_id"] == ZONE_ID]
    assert [row["action"] for row in rows] == [each["action"] for each in entries(world)]
    assert rows[-1]["reason"] == "Slow."
    assert json.loads(rows[-1]["details"])["max_active"][1] == 3
    assert all(row.keys() <= schemas.load("archive")["fields"].keys() for row in rows)


def test_two_actions_at_the_same_moment_are_two_entries() -> None:
    world = Deployment()
    world.put_zone()
    for number in range(3):
        control(world, changes={"max_active": 5 + number})
    moments = [each["at_ms"] for each in entries(world)]
    assert moments == sorted(set(moments))
    assert len({row["event_id"] for row in world.archive.rows}) == len(world.archive.rows)


def test_an_archive_that_is_down_does_not_stop_the_operator() -> None:
    world = Deployment()
    world.archive.down = True
    world.put_zone()
    control(world, control="pause")
    assert len(entries(world)) == 2
    assert world.archive.lines == []
