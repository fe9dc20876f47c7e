"""Settings of the packages for a site's own servers: every fault is told, at once, alike in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foyer_origin import BadSettings, Settings
from foyer_origin.settings import ENVIRONMENT
from tests.support.origin_rooms import RoomFailed, camel, node_harness, node_package

GOOD = {
    "FOYER_SITE_URL": "https://tickets.example.com",
    "FOYER_ZONE_ID": "midnight-sun",
    "FOYER_ISSUER": "foyer",
    "FOYER_SITE_KEY": "a key of some length",
    "FOYER_ORIGIN_SECRET": "a secret of some length",
    "FOYER_RUN": "3",
    "FOYER_TIMEOUT_SEC": "2.5",
}
Read = Callable[[dict[str, str]], dict[str, Any]]


@pytest.fixture(scope="module", params=["python", "node"])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Yield what reads an environment; it raises RoomFailed, whose faults are in the words of Python."""
    if request.param == "python":
        yield read_python
        return
    with node_harness("package", str(node_package(tmp_path_factory.mktemp("node") / "package"))) as harness:

        def read_node(environment: dict[str, str]) -> dict[str, Any]:
            try:
                told = harness.run("fromEnv", environment)
            except RoomFailed as error:
                names = {camel(name): name for name in ENVIRONMENT}
                faults = [f"{names[fault.split()[0]]} {fault.partition(' ')[2]}" for fault in error.faults]
                raise RoomFailed(error.name, error.text, faults) from None
            return {name: told.get(camel(name)) for name in ENVIRONMENT}

        yield read_node


def read_python(environment: dict[str, str]) -> dict[str, Any]:
    try:
        return vars(Settings.from_env(environment))
    except BadSettings as error:
        raise RoomFailed(type(error).__name__, str(error), list(error.faults)) from None


def test_the_environment_is_read(read: Read) -> None:
    assert read(GOOD) == {
        "site_url": "https://tickets.example.com",
        "zone_id": "midnight-sun",
        "issuer": "foyer",
        "site_key": "a key of some length",
        "origin_secret": "a secret of some length",
        "run": 3,
        "timeout_sec": 2.5,
    }
    few = {name: GOOD[name] for name in ("FOYER_SITE_URL", "FOYER_ZONE_ID", "FOYER_ISSUER")}
    read_few = read({**few, "FOYER_SITE_KEY": ""})
    assert (read_few["site_key"], read_few["origin_secret"], read_few["run"]) == (None, None, None)
    assert read_few["timeout_sec"] == 5


def test_all_that_is_missing_is_told_at_once(read: Read) -> None:
    with pytest.raises(RoomFailed) as failed:
        read({})
    assert [fault.partition(": ")[0] for fault in failed.value.faults] == [
        "site_url (FOYER_SITE_URL) is missing",
        "zone_id (FOYER_ZONE_ID) is missing",
        "issuer (FOYER_ISSUER) is missing",
    ]
    assert all(fault.partition(" ")[2] in failed.value.text for fault in failed.value.faults)


def test_all_that_is_wrong_is_told_at_once(read: Read) -> None:
    wrong = {
        "FOYER_SITE_URL": "http://tickets.example.com",
        "FOYER_ZONE_ID": "Midnight Sun",
        "FOYER_ISSUER": "foyer",
        "FOYER_SITE_KEY": "short",
        "FOYER_ORIGIN_SECRET": "a secret with an end \n",
        "FOYER_RUN": "first",
        "FOYER_TIMEOUT_SEC": "600",
    }
    with pytest.raises(RoomFailed) as failed:
        read(wrong)
    assert failed.value.name == "BadSettings"
    assert failed.value.faults == [
        "site_url (FOYER_SITE_URL) has to begin with https://: the site key travels there",
        "zone_id (FOYER_ZONE_ID) is the zone's id",
        "site_key (FOYER_SITE_KEY) has 16 or more ASCII characters",
        "origin_secret (FOYER_ORIGIN_SECRET) has 16 or more ASCII characters",
        "run (FOYER_RUN) is a whole number from 1",
        "timeout_sec (FOYER_TIMEOUT_SEC) is a number of seconds from 0.1 to 60",
    ]
    assert "short" not in failed.value.text


@pytest.mark.parametrize(
    "url",
    [
        "https://tickets.example.com/",
        "https://tickets.example.com:8443",
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://shop.localhost",
    ],
)
def test_addresses_of_sites(read: Read, url: str) -> None:
    assert read({**GOOD, "FOYER_SITE_URL": url})["site_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "tickets.example.com",
        "ftp://tickets.example.com",
        "https://",
        "https://user:word@tickets.example.com",
        "https://tickets.example.com/shop",
        "https://tickets.example.com?a=b",
        "https://tickets.example.com:port",
        "http://localhost.example.com",
    ],
)
def test_what_is_no_address_of_a_site(read: Read, url: str) -> None:
    with pytest.raises(RoomFailed) as failed:
        read({**GOOD, "FOYER_SITE_URL": url})
    (fault,) = failed.value.faults
    assert fault.startswith("site_url (FOYER_SITE_URL) ")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "nan", "true"])
def test_what_is_no_run(read: Read, value: str) -> None:
    with pytest.raises(RoomFailed, match="FOYER_RUN"):
        read({**GOOD, "FOYER_RUN": value})
