"""The engine enforces IAM: every other test of this folder runs on exactly the rights of schemas/functions.json, and
here one of them is missing, or one who has none asks."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest

from scripts.local import permissions, roles
from scripts.local.stack import REGION
from scripts.operator_api.connection import SigV4
from tests.integration.guests import Guest, problem_of
from tests.integration.running import ADMIN, Foyer
from tests.integration.zones import open_zones, zone
from waiting_room import schemas


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    open_zones(foyer, zone("rights"))


@contextlib.contextmanager
def without(foyer: Foyer, component: str, action: str, resource: str) -> Iterator[None]:
    """Take one right from a function, and give it back."""
    spec = copy.deepcopy(schemas.functions()[component])
    for permission in spec["permissions"]:
        if permission["resource"] == resource:
            permission["actions"].remove(action)
    spec["permissions"] = [permission for permission in spec["permissions"] if permission["actions"]]
    lesser = permissions.function_policy(spec, foyer.stack.addresses)
    assert lesser != permissions.function_policy(schemas.functions()[component], foyer.stack.addresses)
    iam, name = foyer.client("iam"), foyer.stack.names.role(component)
    put = {"RoleName": name, "PolicyName": roles.POLICY}
    iam.put_role_policy(**put, PolicyDocument=json.dumps(lesser))
    try:
        yield
    finally:
        assert foyer.stack.apply() == [f"role {name} policy updated"]


def invoked(foyer: Foyer, component: str, event: dict[str, Any]) -> str:
    """What became of an invocation: '' or the error."""
    answer, failed = foyer.invoke(component, event)
    return answer if failed else ""


@pytest.mark.parametrize(
    ("component", "action", "resource", "event"),
    [
        ("dispatcher", "dynamodb:Scan", "table:protected_zones", {}),
        ("dispatcher", "s3:GetObject", "bucket:.waiting-room/gate-*.json", {}),
        ("publisher", "dynamodb:Scan", "table:protected_zones", {"refresh": True}),
        ("publisher", "s3:PutObject", "bucket:.waiting-room/gate-*.json", {"refresh": True}),
        ("publisher", "s3:GetObject", "bucket:.waiting-room/pages/*", {"refresh": True}),
    ],
)
def test_a_job_without_one_of_its_rights_is_refused(
    foyer: Foyer, component: str, action: str, resource: str, event: dict[str, Any]
) -> None:
    with without(foyer, component, action, resource):
        assert "AccessDenied" in invoked(foyer, component, event)
    assert invoked(foyer, component, event) == ""


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:UpdateItem", "table:counters"),
        ("dynamodb:PutItem", "table:queue"),
        ("dynamodb:GetItem", "table:queue"),
    ],
)
def test_nobody_joins_without_the_right_to_write_the_place(
    foyer: Foyer, http: httpx.Client, action: str, resource: str
) -> None:
    with without(foyer, "bouncer", action, resource):
        refused = Guest(http, "rights").call("POST", "/visitors")
        assert (refused.status_code, problem_of(refused)) == (500, "internal")
        # What went wrong is for the log, not for the visitor.
        assert "AccessDenied" not in refused.text
    assert Guest(http, "rights").call("POST", "/visitors").status_code == 201


def test_the_bucket_is_closed_to_everybody_but_the_edge(foyer: Foyer) -> None:
    url = f"{foyer.stack.bucket_url}/{foyer.stack.snapshot_key}"
    assert httpx.get(url).status_code == 403
    assert httpx.get(url, headers=foyer.stack.sign_bucket_read("GET", url)).status_code == 200
    outside = f"{foyer.stack.bucket_url}/elsewhere.json"
    foyer.client("s3").put_object(Bucket=foyer.stack.bucket, Key="elsewhere.json", Body=b"{}")
    assert httpx.get(outside, headers=foyer.stack.sign_bucket_read("GET", outside)).status_code == 403
    foyer.client("s3").delete_object(Bucket=foyer.stack.bucket, Key="elsewhere.json")
    assert httpx.put(url, content=b"{}", headers=foyer.stack.sign_bucket_read("PUT", url)).status_code == 403


def test_what_is_not_in_the_bucket_is_not_found_rather_than_forbidden(foyer: Foyer) -> None:
    assert httpx.get(f"{foyer.url}/.waiting-room/pages/nobody/index.html").status_code == 404


def test_an_operator_needs_the_right_to_invoke_the_route(foyer: Foyer) -> None:
    iam, user = foyer.client("iam"), "ines"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    credentials = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).get_credentials()
    url = f"{foyer.api_url}{ADMIN}/zones"
    try:
        assert httpx.get(url, auth=SigV4(credentials, REGION), timeout=30).status_code == 403
        may = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*/*/GET/*"}
        policy = json.dumps({"Version": permissions.VERSION, "Statement": [may]})
        iam.put_user_policy(UserName=user, PolicyName="reads", PolicyDocument=policy)
        assert httpx.get(url, auth=SigV4(credentials, REGION), timeout=30).status_code == 200
        put = httpx.put(f"{url}/rights", auth=SigV4(credentials, REGION), json=zone("rights"), timeout=30)
        assert put.status_code == 403
        assert httpx.get(url, timeout=30).status_code == 403
    finally:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_user_policy(UserName=user, PolicyName="reads")
        iam.delete_user(UserName=user)


def test_a_role_has_exactly_the_rights_of_the_schema(foyer: Foyer) -> None:
    iam = foyer.client("iam")
    for component, spec in schemas.functions().items():
        if spec["edge"]:
            continue
        name = foyer.stack.names.role(component)
        listed = iam.list_role_policies(RoleName=name)["PolicyNames"]
        assert (listed, iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]) == ([roles.POLICY], [])
        stored = iam.get_role_policy(RoleName=name, PolicyName=roles.POLICY)["PolicyDocument"]
        assert stored == permissions.function_policy(spec, foyer.stack.addresses)
