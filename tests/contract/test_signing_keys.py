"""Signing keys in a real parameter store: moto's and ministack's."""

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
from waiting_room.adapters.signing_keys import MOST_KEYS, SigningKeys, new_key
from waiting_room.domain.errors import NotReady

PARAMETER = f"/foyer-test-{os.getpid()}/signing-keys"


@pytest.fixture(params=["moto", "ministack"])
def ssm(request: pytest.FixtureRequest) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        if request.param == "moto":
            stack.enter_context(mock_aws())
        endpoint = request.getfixturevalue("ministack_endpoint") if request.param == "ministack" else None
        client = boto3.client(
            "ssm",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield client
        with contextlib.suppress(client.exceptions.ParameterNotFound):
            client.delete_parameter(Name=PARAMETER)


def test_keys_are_made_once_and_kept_as_a_secret(ssm):
    with pytest.raises(NotReady):
        SigningKeys(ssm, PARAMETER, FakeClock()).load()
    keys = SigningKeys(ssm, PARAMETER, FakeClock()).ensure()
    assert SigningKeys(ssm, PARAMETER, FakeClock()).load() == keys
    assert SigningKeys(ssm, PARAMETER, FakeClock()).ensure() == keys
    assert ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]["Type"] == "SecureString"


def test_keys_are_replaced_for_everybody(ssm):
    keys = SigningKeys(ssm, PARAMETER, FakeClock())
    first, second = keys.ensure()
    for number in range(MOST_KEYS - 2):
        keys.replace((*keys.load(), new_key("retired", number)))
    assert SigningKeys(ssm, PARAMETER, FakeClock()).load() == keys.load()
    keys.replace((second, first))
    assert SigningKeys(ssm, PARAMETER, FakeClock()).ensure() == (second, first)
    parameter = ssm.get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]
    assert (parameter["Type"], parameter["Version"]) == ("SecureString", MOST_KEYS)


def test_of_many_who_make_keys_at_once_all_get_the_same(ssm):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: SigningKeys(ssm, PARAMETER, FakeClock()).ensure(), range(8)))
    assert len({tuple(key.kid for key in keys) for keys in made}) == 1
