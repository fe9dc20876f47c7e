"""Both HTTP functions over an in-memory database: requests go in as API Gateway events, answers come out decoded."""

from __future__ import annotations

import copy
import json
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.memory_dynamo import MemoryDynamo
from tests.support.fakes import FakeClock, FakeDoor, FakeFunctions, FakeIds, FakeObjectStore, no_pause
from tests.support.memory_secrets import MemorySecrets
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.login_keys import LoginKeys
from waiting_room.adapters.public_door import PublicDoor
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import SigningKeys
from waiting_room.composition import Stores, bouncer_endpoints, operator_endpoints, tick_zone
from waiting_room.http.frame.app import HttpApp
from waiting_room.http.frame.guards import only_from_distribution, only_with_identity
from waiting_room.http.frame.router import Router
from waiting_room.http.page.pages import problem_page
from waiting_room.ports import Cipher, Passcodes
from waiting_room.use_cases.keys import ChangeKeys, EnsureKeys
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.watch_door import WatchDoor

EVENTS = Path(__file__).parents[1] / "events"
TABLES = ("protected_zones", "counters", "joins", "queue", "user_connections")
ORIGIN_SECRET = "an-origin-secret"
OPERATOR = "arn:aws:sts::123456789012:assumed-role/foyer-operators/ines"
ROOT = "/.waiting-room/v1"
SNAPSHOT_KEY = ".waiting-room/gate-00000000000000000000000000000000.json"
ZONE_ID = "midnight-sun"
ZONE = {
    "zone_id": ZONE_ID,
    "title": "Midnight Sun",
    "mode": "queueing",
    "max_active": 2,
    "rules": [{"paths": ["/events/midnight-sun"]}],
    "landing_path": "/events/midnight-sun",
}
BROWSER = {"accept": "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
SCRIPT = {"accept": "application/json", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}


def event(name: str) -> dict[str, Any]:
    """A sample event, to be changed at will."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"apigateway_{name}.json").read_text())
    return loaded


@dataclass
class FakeLogins:
    """What sites' logins publish, by address; one that is not there cannot be reached."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.documents:
            raise TimeoutError
        return self.documents[url]


@dataclass
class ListLog:
    """Keeps the lines."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def info(self, msg: str, *, extra: dict[str, Any]) -> None:
        self.lines.append({"message": msg, **extra})

    def exception(self, msg: str, *, extra: dict[str, Any]) -> None:
        self.lines.append({"message": msg, "stack": traceback.format_exc(), **extra})


@dataclass(frozen=True)
class HttpAnswer:
    """A response, with its cookies by name and its body decoded when it is JSON."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        return str(self.json["type"]).removeprefix("urn:foyer:problem:")

    @property
    def location(self) -> str:
        return self.headers["location"]


class ApiWorld:
    """One deployment. `tick` is one second of an exchanger."""

    def __init__(
        self, cipher: Cipher | None = None, passcodes: Passcodes | None = None, *, labelled: bool = True
    ) -> None:
        """With a `cipher` the deployment sends alerts, with `passcodes` it verifies phones; `labelled`: its firewall
        tells machines."""
        self.clock, self.ids, self.log = FakeClock(), FakeIds(), ListLog()
        self.functions, self.objects = FakeFunctions(), FakeObjectStore()
        self.dynamo = MemoryDynamo([schemas.table(name) for name in TABLES])
        self.stores = Stores(Clients(self.dynamo, self.dynamo), *TABLES, number_key=ORIGIN_SECRET)
        self.secrets, self.logins = MemorySecrets(self.clock), FakeLogins()
        self.keys = SigningKeys(Clients(self.secrets, self.secrets), "foyer/signing-keys", self.clock)
        self.tokens = Signer(self.keys, "foyer")
        self.door = FakeDoor()
        probe = PublicDoor(self.objects, self.door.connect)
        door = WatchDoor(probe, self.stores.refusals, self.clock, lambda look: look())
        self.tick_zone = tick_zone(self.stores, self.objects, self.clock, door=door)
        operations = schemas.operations().values()
        login_keys = LoginKeys(self.secrets, "foyer/join-secrets", self.clock, self.logins.fetch)
        wake = Wake(self.stores.locks, self.functions, "foyer-exchanger", self.clock)
        self.bouncer = HttpApp(
            Router(
                operations,
                bouncer_endpoints(
                    self.stores,
                    self.tokens,
                    login_keys,
                    wake,
                    self.clock,
                    self.ids,
                    cipher,
                    no_pause,
                    passcodes,
                    labelled=labelled,
                ),
            ),
            self.clock,
            self.log,
            self.ids.jitter,
            guard=only_from_distribution(ORIGIN_SECRET),
            error_page=problem_page,
        )
        ensure_keys = EnsureKeys(self.keys, self.stores.zones, self.clock)
        zones, objects = self.stores.zones, self.objects
        change_keys = ChangeKeys(self.keys, ensure_keys, zones, objects, self.clock, snapshot_key=SNAPSHOT_KEY)
        self.operator = HttpApp(
            Router(
                operations,
                operator_endpoints(self.stores, self.tokens, ensure_keys, change_keys, wake, self.clock, self.ids),
            ),
            self.clock,
            self.log,
            self.ids.jitter,
            guard=only_with_identity,
        )

    def put_zone(self, **changes: Any) -> HttpAnswer:
        """Create or replace the zone of the tests."""
        return self.operate("PUT", f"/zones/{ZONE_ID}", {**ZONE, **changes})

    def operate(self, method: str, path: str, body: Any = None, **parts: Any) -> HttpAnswer:
        """A request of an operator."""
        sample = event("control_iam")
        return send(self.operator, sample, method, f"{ROOT}/admin{path}", body=body, **parts)

    def visit(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        cookies: dict[str, str] | None = None,
        **parts: Any,
    ) -> HttpAnswer:
        """A request through the distribution; `path` is below the zone's unless it begins with the prefix."""
        sample = event("enter")
        sample["headers"] = {"x-foyer-origin-secret": ORIGIN_SECRET, **(SCRIPT if headers is None else headers)}
        sample["cookies"] = [f"{name}={value}" for name, value in (cookies or {}).items()]
        full = path if path.startswith(ROOT) else f"{ROOT}/zones/{ZONE_ID}{path}"
        return send(self.bouncer, sample, method, full, body=body, **parts)

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.advance(1)
            self.tick_zone(ZONE_ID)


def lapse(world: ApiWorld) -> None:
    """Let ten come to a room for three, and all but the first miss their call."""
    world.put_zone(max_active=3, claim={"window_sec": 10, "grace_sec": 0})
    world.tick(12)
    Browser(world).enter()
    for _ in range(9):
        Browser(world).ask("POST", "/visitors")
    world.tick(60)


def send(
    app: HttpApp, sample: dict[str, Any], method: str, path: str, *, body: Any = None, query: str = "", raw: str = ""
) -> HttpAnswer:
    """Send a sample event with another method, path, query and body; `raw` is a body that is not JSON."""
    asked = copy.deepcopy(sample)
    told = f"/{asked['requestContext']['stage']}{path}"
    asked["requestContext"]["http"] |= {"method": method, "path": told}
    asked |= {"rawPath": told, "rawQueryString": query, "isBase64Encoded": False}
    asked["body"] = raw or (None if body is None else json.dumps(body))
    answer = app(asked, None)
    pairs = [cookie.split(";", 1)[0].partition("=") for cookie in answer["cookies"]]
    cookies = {name: value for name, _, value in pairs}
    return HttpAnswer(answer["statusCode"], answer["headers"], cookies, answer["body"])


class Browser:
    """Keeps cookies and follows redirects of the service to itself."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None, **parts: Any) -> HttpAnswer:
        answer = self.world.visit(method, path, body, cookies=self.cookies, **parts)
        self.cookies |= answer.cookies
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return answer

    def enter(self, to: str = "/events/midnight-sun") -> HttpAnswer:
        """Follow `enter` until it leads away from itself."""
        query = f"to={to}"
        for _ in range(3):
            answer = self.ask("GET", "/enter", headers=BROWSER, query=query)
            if not answer.headers.get("location", "").startswith(f"{ROOT}/zones/{ZONE_ID}/enter"):
                return answer
            query = answer.location.partition("?")[2]
        raise AssertionError("enter goes in circles")

    @property
    def visitor_token(self) -> str:
        return self.cookies[f"__Host-wr-visitor-{ZONE_ID}"]

    @property
    def access_token(self) -> str:
        return self.cookies[f"__Host-wr-access-{ZONE_ID}"]
