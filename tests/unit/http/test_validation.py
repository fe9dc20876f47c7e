"""Validation: every fault of a document, where it is, and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from waiting_room.domain.errors import InvalidInput
from waiting_room.http.frame.validation import validate

ZONE: dict[str, Any] = {
    "zone_id": "midnight-sun",
    "mode": "queueing",
    "max_active": 5,
    "rules": [{"paths": ["/events/midnight-sun"]}],
}
CONFIRMATION = {"token": "a.b.c", "reference": "order-1"}


def component(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_good_documents_pass() -> None:
    validate(ZONE, "zone")
    validate(CONFIRMATION, component("ConfirmationRequest"))
    validate({"control": "pause"}, component("ControlRequest"))
    validate({"changes": {"max_active": None}}, component("ControlRequest"))
    validate({"session_id": "A" * 22, "reason": "sold on"}, component("RevocationRequest"))


@pytest.mark.parametrize(
    ("changes", "pointer", "advice"),
    [
        ({"colour": "red"}, "/colour", "not known here"),
        ({"mode": "waiting"}, "/mode", "Use one of waiting_room, queueing, combined."),
        ({"rules": []}, "/rules", "Give at least 1 item."),
        ({"rules": [{"path": "/a"}]}, "/rules/0/paths", "'paths' is missing"),
        ({"rules": [{"paths": ["/a", "b"]}]}, "/rules/0/paths/1", "begins with '/'"),
        ({"rules": [{"paths": ["/a"], "methods": ["get"]}]}, "/rules/0/methods/0", "Use one of GET"),
        ({"rules": [{"paths": ["/a"], "hosts": ["example.org:443"]}]}, "/rules/0/hosts/0", "without port"),
        ({"rules": {"paths": ["/a"]}}, "/rules", "Give a list."),
        ({"max_active": 0}, "/max_active", "Use 1 or more."),
        ({"max_active": True}, "/max_active", "Give a whole number."),
        ({"max_active": "5"}, "/max_active", "Give a whole number."),
        ({"max_active": None}, "/max_active", "Give a whole number."),
        ({"rate_per_min": 0}, "/rate_per_min", "Use more than 0."),
        ({"session": {"idle_sec": 29}}, "/session/idle_sec", "Use 30 or more."),
        ({"session": {"idle": 60}}, "/session/idle", "use one of kind, idle_sec"),
        ({"lanes": {"VIP": {"weight": 1}}}, "/lanes/VIP", "lower-case letters"),
        ({"lanes": {"a/b~c": {"weight": 1}}}, "/lanes/a~1b~0c", "cannot be used as a name"),
        ({"lanes": {"general": {"weight": -1}}}, "/lanes/general/weight", "Use 0 or more."),
        ({"title": "x" * 121}, "/title", "Give at most 120 characters."),
        ({"landing_path": "//evil.example"}, "/landing_path", "one leading '/'"),
        ({"landing_path": "/\\evil.example"}, "/landing_path", "one leading '/'"),
        ({"picture_url": "javascript:alert(1)"}, "/picture_url", "https"),
        ({"picture_url": '/a"onload="b'}, "/picture_url", "no quotes"),
        ({"zone_id": "line\n"}, "/zone_id", "lower-case letters"),
        ({"zone_id": "a#b"}, "/zone_id", "lower-case letters"),
        ({"site_key_sha256": "ABC"}, "/site_key_sha256", "hexadecimal"),
    ],
)
def test_a_fault_in_a_zone_is_found_where_it_is(changes: dict[str, Any], pointer: str, advice: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate({**ZONE, **changes}, "zone")
    assert caught.value.pointer == pointer
    assert advice in caught.value.detail


@pytest.mark.parametrize(
    ("document", "schema", "pointer", "advice"),
    [
        ([], "ConfirmationRequest", "", "Give an object."),
        ({"token": "a.b.c"}, "ConfirmationRequest", "/reference", "add it"),
        ({**CONFIRMATION, "reference": ""}, "ConfirmationRequest", "/reference", "at least 1 character."),
        ({**CONFIRMATION, "checkout": 1}, "ConfirmationRequest", "/checkout", "Give true or false."),
        ({}, "ControlRequest", "", "Give at least 1 field."),
        ({"control": "stop"}, "ControlRequest", "/control", "Use one of auto"),
        ({"changes": {"run": 2}}, "ControlRequest", "/changes/run", "Use one of title"),
        ({}, "RevocationRequest", "", "session_id, visitor_id or bypass_id"),
        ({"session_id": "A" * 22, "bypass_id": "b"}, "RevocationRequest", "", "session_id, visitor_id or bypass_id"),
        ({"session_id": "short"}, "RevocationRequest", "/session_id", "22 base64url"),
        ({"name": "Ada", "expires_in_sec": 86401}, "BypassTokenRequest", "/expires_in_sec", "Use 86400 or less."),
    ],
)
def test_a_fault_in_a_body_is_found_where_it_is(document: Any, schema: str, pointer: str, advice: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate(document, component(schema))
    assert caught.value.pointer == pointer
    assert advice in caught.value.detail


def test_all_faults_are_told_in_the_order_of_the_document() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate({"max_active": 0, "zone_id": "-", "mode": "queueing", "rules": [{"paths": ["a", "/b", "c"]}]}, "zone")
    assert caught.value.pointer == "/max_active"
    assert caught.value.detail == "Use 1 or more."
    assert [fault.pointer for fault in caught.value.faults] == [
        *("/max_active", "/zone_id", "/rules/0/paths/0", "/rules/0/paths/2"),
    ]


def test_each_missing_and_each_unknown_field_is_told_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate({"colour": "red", "size": 7}, "zone")
    pointers = [fault.pointer for fault in caught.value.faults]
    assert sorted(pointers) == ["/colour", "/mode", "/rules", "/size", "/zone_id"]
    assert {fault.pointer: fault.detail for fault in caught.value.faults}["/mode"] == "'mode' is missing: add it."


def test_all_faults_of_the_alternative_that_comes_closest_are_told() -> None:
    pair = {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "object", "required": ["c", "d"]}}}
    with pytest.raises(InvalidInput) as caught:
        validate({"a": {}}, {"anyOf": [pair, {"type": "null"}]})
    assert [fault.pointer for fault in caught.value.faults] == ["/b", "/a/c", "/a/d"]


def test_schemas_of_a_caller_can_refer_to_components_of_its_own() -> None:
    components = {"Pair": {"type": "array", "minItems": 2, "items": {"$ref": "zone.json#/$defs/lane_id"}}}
    validate(["general", "vip"], component("Pair"), components)
    with pytest.raises(InvalidInput) as caught:
        validate(["general", "VIP"], component("Pair"), components)
    assert caught.value.pointer == "/1"
