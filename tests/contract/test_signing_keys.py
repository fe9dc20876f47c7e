"""Signing keys in a real store of secrets: moto's and ministack's."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.fakes import FakeClock
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.signing_keys import MOST_KEYS, SigningKeys, new_key, read_parameter
from waiting_room.domain.errors import NotReady

SECRET = f"foyer-test-{os.getpid()}/signing-keys"


def client(service: str, endpoint: str | None = None) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, "us-east-1", endpoint_url=endpoint, **keys)


@pytest.fixture(params=["moto", "ministack"])
def secrets(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client, and a secret without a value, as Terraform makes it."""
    with contextlib.ExitStack() as stack:
        if request.param == "moto":
            stack.enter_context(mock_aws())
        endpoint = request.getfixturevalue("ministack_endpoint") if request.param == "ministack" else None
        made = client("secretsmanager", endpoint)
        made.create_secret(Name=SECRET)
        yield made
        made.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


def reader(secrets: Any) -> SigningKeys:
    """What each instance of a function has."""
    return SigningKeys(Clients(secrets, secrets), SECRET, FakeClock())


def test_keys_are_made_once(secrets: Any) -> None:
    with pytest.raises(NotReady):
        reader(secrets).load()
    keys = reader(secrets).ensure()
    assert reader(secrets).load() == keys
    assert reader(secrets).ensure() == keys


def test_keys_are_replaced_for_everybody(secrets: Any) -> None:
    keys = reader(secrets)
    first, second = keys.ensure()
    for number in range(MOST_KEYS - 2):
        keys.replace((*keys.load(), new_key("retired", number)))
    assert reader(secrets).load() == keys.load()
    keys.replace((second, first))
    assert reader(secrets).ensure() == (second, first)


@mock_aws
def test_of_many_who_make_keys_at_once_all_get_the_same() -> None:
    """Not on ministack, which lets a version's value be changed."""
    secrets = client("secretsmanager")
    secrets.create_secret(Name=SECRET)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: reader(secrets).ensure(), range(8)))
    assert len({tuple(key.kid for key in keys) for keys in made}) == 1


@mock_aws
def test_keys_of_an_older_release_are_found_in_their_parameter() -> None:
    ssm = client("ssm")
    assert read_parameter(ssm, "/foyer/signing-keys") is None
    ssm.put_parameter(Name="/foyer/signing-keys", Value="{}", Type="SecureString")
    assert read_parameter(ssm, "/foyer/signing-keys") == "{}"
