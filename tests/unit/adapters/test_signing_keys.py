"""The keys that sign tokens: made once, read rarely, never shown."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock
from tests.support.memory_secrets import MemoryParameters, MemorySecrets
from waiting_room import schemas
from waiting_room.adapters import signing_keys
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import (
    CACHE_SEC,
    FIRST_VERSION,
    RETRY_SEC,
    PublishedKeys,
    SigningKeys,
    new_key,
    read_parameter,
)
from waiting_room.domain.errors import NotReady, Overloaded
from waiting_room.use_cases.keys import EnsureKeys

SECRET = "foyer/signing-keys"
BEARER_CLAIMS = {"zone": "z", "run": 1, "sub": "v" * 22, "lane": "general", "gen": 0, "iat": 0, "exp": 2**39}


class World:
    """The services keys lie in, and everybody who reads or makes them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.secrets, self.parameters = MemorySecrets(self.clock), MemoryParameters(self.clock)
        self.clients = Clients(self.secrets, self.secrets)
        dynamo = MemoryDynamo([schemas.table("protected_zones")])
        self.zones = ProtectedZones(Clients(dynamo, dynamo), "protected_zones")

    def reader(self) -> SigningKeys:
        """What a new instance of a function that signs starts with."""
        return SigningKeys(self.clients, SECRET, self.clock)

    def maker(self) -> SigningKeys:
        """What the operator function has."""
        return SigningKeys(
            self.clients, SECRET, self.clock, earlier=lambda: read_parameter(self.parameters, f"/{SECRET}")
        )


@pytest.fixture
def world() -> World:
    return World()


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}, "call")


def test_the_first_use_makes_two_keys_and_everybody_gets_the_same(world: World) -> None:
    keys = world.maker().ensure()
    assert [key.state for key in keys] == ["active", "next"]
    assert keys == world.reader().load()
    assert keys == world.maker().ensure()
    assert all(set(key.public_jwk) == {"kid", "alg", "kty", "crv", "x", "y"} for key in keys)


def test_of_two_who_make_keys_at_once_both_get_the_first_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    late = world.maker()
    monkeypatch.setattr(late, "_earlier", lambda: world.maker().ensure() and None)
    assert late.ensure() == world.reader().load()
    assert len(world.secrets.values) == 1


def test_before_the_first_use_nothing_is_ready(world: World) -> None:
    with pytest.raises(NotReady):
        world.reader().load()


def test_keys_of_an_older_release_are_carried_over_once(world: World) -> None:
    store = MemorySecrets(world.clock)
    older = SigningKeys(Clients(store, store), "elsewhere", world.clock)
    kept = older.ensure()
    world.parameters.values[f"/{SECRET}"] = store.values["elsewhere"]
    assert world.maker().ensure() == kept == world.reader().load()
    later = (new_key("active", 1), new_key("next", 1))
    world.maker().replace(later)
    assert world.maker().ensure() == later, "what is in the secret counts from then on"


def test_a_parameter_that_cannot_be_read_is_not_taken_for_a_missing_one(world: World) -> None:
    world.parameters.values[f"/{SECRET}"] = "{}"
    for _ in range(40):
        read_parameter(world.parameters, f"/{SECRET}")
    with pytest.raises(ClientError, match="Throttling"):
        world.maker().ensure()
    assert world.secrets.values == {}


def test_thousands_of_instances_that_start_in_one_second_all_get_their_keys(world: World) -> None:
    """Secrets Manager takes 10,000 reads a second, Parameter Store 40: all but 40 of these would answer 429."""
    keys = world.maker().ensure()
    assert all(world.reader().load() == keys for _ in range(5_000))


def test_keys_are_read_once_in_five_minutes(world: World) -> None:
    keys = world.maker()
    first = keys.ensure()
    reads = world.secrets.reads
    world.clock.advance(CACHE_SEC - 1)
    assert keys.load() is first
    assert world.secrets.reads == reads
    world.clock.advance(1)
    assert keys.load() == first
    assert world.secrets.reads == reads + 1


FAULTS = {
    "throttled": client_error("ThrottlingException"),
    "its own fault": client_error("InternalServiceError", 500),
    "the key service's": client_error("DecryptionFailure"),
    "denied": client_error("AccessDeniedException"),
    "deleted": client_error("ResourceNotFoundException"),
    "out of reach": EndpointConnectionError(endpoint_url="x"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_keys_in_hand_go_on_whatever_is_wrong_with_their_secret(
    world: World, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys = world.maker()
    first = keys.ensure()
    world.secrets.fault = FAULTS[fault]
    world.clock.advance(CACHE_SEC)
    reads = world.secrets.reads
    assert keys.load() is first
    assert keys.load() is first
    assert world.secrets.reads == reads + 1, "not asked again at once"
    assert caplog.messages == ["the signing keys could not be read again"]
    world.clock.advance(RETRY_SEC)
    world.secrets.fault = None
    keys.load()
    assert world.secrets.reads == reads + 2


@pytest.mark.parametrize("fault", ["throttled", "its own fault", "out of reach"])
def test_an_instance_that_never_had_keys_asks_again_with_the_next_request(world: World, fault: str) -> None:
    made, cold = world.maker().ensure(), world.reader()
    world.secrets.fault = FAULTS[fault]
    with pytest.raises(Overloaded):
        cold.load()
    world.secrets.fault = None
    assert cold.load() == made


def test_who_has_keys_asks_once_and_who_has_none_repeatedly(world: World) -> None:
    """While Secrets Manager does not answer, one visitor in half a minute waits for it, and for one try."""
    world.maker().ensure()
    once, repeating = MemorySecrets(world.clock, world.secrets.values), world.secrets
    keys, before = SigningKeys(Clients(repeating, once), SECRET, world.clock), repeating.reads
    keys.load()
    assert (repeating.reads - before, once.reads) == (1, 0)
    once.fault = FAULTS["out of reach"]
    for _ in range(60):
        world.clock.advance(CACHE_SEC / 60)
        keys.load()
    for _ in range(RETRY_SEC):
        keys.load()
        world.clock.advance(1)
    assert (repeating.reads - before, once.reads) == (1, 1)
    keys.load()
    assert once.reads == 2
    keys.ensure()
    assert repeating.reads - before == 2, "an operator has nothing to do without"


def test_a_denied_read_is_not_taken_for_missing_keys(world: World) -> None:
    world.secrets.fault = FAULTS["denied"]
    with pytest.raises(ClientError):
        world.maker().ensure()


def test_calls_are_what_secrets_manager_takes(world: World) -> None:
    client = boto3.client("secretsmanager", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    keys = SigningKeys(Clients(client, client), SECRET, world.clock)
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", "ResourceNotFoundException", http_status_code=400)
        stub.add_response("put_secret_value", {"VersionId": FIRST_VERSION})
        made = keys.ensure()
        stub.add_client_error("get_secret_value", "ThrottlingException", http_status_code=400)
        with pytest.raises(Overloaded):
            SigningKeys(Clients(client, client), SECRET, world.clock).load()
        stub.add_response("put_secret_value", {"VersionId": "v" * 36})
        keys.replace(made[::-1])
        stub.assert_no_pending_responses()


def test_who_only_verifies_reads_no_private_part(world: World) -> None:
    EnsureKeys(world.maker(), world.zones, world.clock)()
    reads = world.secrets.reads
    token = Signer(world.reader(), "foyer").sign("visitor", BEARER_CLAIMS)
    verifier = Signer(PublishedKeys(world.zones, world.clock), "foyer")
    assert verifier.verify(token, "visitor", now_sec=1) is not None
    assert world.secrets.reads == reads + 1
    with pytest.raises(NotReady, match="active"):
        verifier.sign("visitor", BEARER_CLAIMS)
    assert all(key.private_jwk == {} for key in PublishedKeys(world.zones, world.clock).load())


def test_keys_that_are_read_in_the_middle_of_a_rotation_verify_all_the_same(world: World) -> None:
    """Each of them is published by a write of its own: for a moment none is active."""
    keys = world.maker().ensure()
    token = Signer(world.reader(), "foyer").sign("visitor", BEARER_CLAIMS)
    EnsureKeys(world.maker(), world.zones, world.clock).publish(tuple(replace(key, state="retired") for key in keys))
    verifier = Signer(PublishedKeys(world.zones, world.clock), "foyer")
    assert verifier.verify(token, "visitor", now_sec=1) is not None


def test_no_id_looks_like_an_option_of_a_command(monkeypatch):
    made = [signing_keys.SigningKey(kid, "next", 0, {}, {}) for kid in ("-a", "--b", "c")]
    monkeypatch.setattr(signing_keys, "_pair", lambda *_: made.pop(0))
    assert new_key("next", 0).kid == "c"


def test_a_key_shows_no_secret_when_it_is_printed():
    key = new_key("active", 0)
    assert key.private_jwk["d"] not in repr(key)
    assert key.private_jwk["d"] not in f"{key}"
