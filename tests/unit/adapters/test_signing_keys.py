"""The keys that sign tokens: made once, read rarely, never shown."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.support.fakes import FakeClock
from waiting_room.adapters import signing_keys
from waiting_room.adapters.signing_keys import CACHE_SEC, RETRY_SEC, SigningKeys, new_key
from waiting_room.domain.errors import NotReady, Overloaded


class FakeSsm:
    """A parameter store with one parameter. `race` is put in by somebody else right before our own put."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.type = ""
        self.reads = 0
        self.fault: Exception | None = None
        self.race: str | None = None

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert WithDecryption
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        if self.value is None:
            raise client_error("ParameterNotFound")
        return {"Parameter": {"Name": Name, "Value": self.value}}

    def put_parameter(self, **request: Any) -> None:
        assert request["Overwrite"] is False
        self.value = self.race or self.value
        if self.value is not None:
            raise client_error("ParameterAlreadyExists")
        self.value, self.type = request["Value"], request["Type"]


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "call")


def test_the_first_use_makes_two_keys_and_everybody_gets_the_same():
    ssm, clock = FakeSsm(), FakeClock()
    keys = SigningKeys(ssm, "/foyer/signing-keys", clock).ensure()
    assert [key.state for key in keys] == ["active", "next"]
    assert ssm.type == "SecureString"
    assert keys == SigningKeys(ssm, "/foyer/signing-keys", clock).load()
    assert keys == SigningKeys(ssm, "/foyer/signing-keys", clock).ensure()
    assert len(ssm.value or "") < 4096, "a standard parameter"
    assert all(set(key.public_jwk) == {"kid", "alg", "kty", "crv", "x", "y"} for key in keys)


def test_of_two_who_make_keys_at_once_both_get_the_first_ones():
    ssm, other = FakeSsm(), FakeSsm()
    theirs = SigningKeys(other, "p", FakeClock()).ensure()
    ssm.race = other.value
    assert SigningKeys(ssm, "p", FakeClock()).ensure() == theirs


def test_before_the_first_use_nothing_is_ready():
    with pytest.raises(NotReady):
        SigningKeys(FakeSsm(), "p", FakeClock()).load()


def test_keys_are_read_once_in_five_minutes():
    ssm, clock = FakeSsm(), FakeClock()
    keys = SigningKeys(ssm, "p", clock)
    first = keys.ensure()
    reads = ssm.reads
    clock.advance(CACHE_SEC - 1)
    assert keys.load() is first
    assert ssm.reads == reads
    clock.advance(1)
    assert keys.load() == first
    assert ssm.reads == reads + 1


@pytest.mark.parametrize("fault", [client_error("ThrottlingException"), EndpointConnectionError(endpoint_url="x")])
def test_keys_in_hand_go_on_while_they_cannot_be_read(fault, caplog):
    ssm, clock = FakeSsm(), FakeClock()
    keys = SigningKeys(ssm, "p", clock)
    first = keys.ensure()
    ssm.fault = fault
    clock.advance(CACHE_SEC)
    reads = ssm.reads
    assert keys.load() is first
    assert keys.load() is first
    assert ssm.reads == reads + 1, "not asked again at once"
    assert caplog.messages == ["the signing keys could not be read again"]
    clock.advance(RETRY_SEC)
    ssm.fault = None
    keys.load()
    assert ssm.reads == reads + 2
    ssm.fault = fault
    with pytest.raises(Overloaded):
        SigningKeys(ssm, "p", clock).load()


def test_a_denied_read_is_not_taken_for_missing_keys():
    ssm = FakeSsm()
    ssm.fault = client_error("AccessDeniedException")
    with pytest.raises(ClientError):
        SigningKeys(ssm, "p", FakeClock()).ensure()


def test_no_id_looks_like_an_option_of_a_command(monkeypatch):
    made = [signing_keys.SigningKey(kid, "next", 0, {}, {}) for kid in ("-a", "--b", "c")]
    monkeypatch.setattr(signing_keys, "_pair", lambda *_: made.pop(0))
    assert new_key("next", 0).kid == "c"


def test_a_key_shows_no_secret_when_it_is_printed():
    key = new_key("active", 0)
    assert key.private_jwk["d"] not in repr(key)
    assert key.private_jwk["d"] not in f"{key}"
