"""A whole deployment in memory: every function from its own composition root, with its own settings and rights."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.deployment.names import Names, Secrets
from tests.memory_dynamo import MemoryDynamo
from tests.support.api_world import ROOT, SCRIPT, ZONE, ZONE_ID, HttpAnswer, ListLog, event, send
from tests.support.fakes import FakeClock, FakeIds
from tests.support.memory_aws import (
    Guarded,
    MemoryAlarms,
    MemoryBucket,
    MemoryCodes,
    MemoryConnections,
    MemoryFirehose,
    MemoryKms,
    MemoryLambda,
    MemoryMessaging,
    MemoryQueue,
    MemoryTimestream,
    Rights,
)
from tests.support.memory_secrets import MemoryParameters, MemorySecrets
from waiting_room import bootstrap, schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.object_store import S3ObjectStore
from waiting_room.composition import Stores, tick_zone

SITE_FOLDER = Path(__file__).resolve().parents[2] / "lambdas" / "publisher" / "site" / "assets"
OWN = Secrets("an-origin-secret", ".waiting-room/gate-0123456789abcdef0123456789abcdef.json")


class Deployment:
    """Functions are called with the events AWS sends them; what they start is run by `run_started`.

    `each_second` is called once for every second an exchanger sleeps: what visitors do meanwhile. With a `dynamo`
    client the tables are those that `names` says, in the engine behind it.
    """

    def __init__(self, dynamo: Any = None, names: Names | None = None) -> None:
        self.clock, self.ids, self.log, self.names = FakeClock(), FakeIds(), ListLog(), names or Names()
        declared = [schemas.table(path.stem) for path in _table_files()]
        own = [{**each, "name": self.names.table(each["name"])} for each in declared]
        self.dynamo = MemoryDynamo(own) if dynamo is None else dynamo
        self.bucket, self.functions = MemoryBucket(), MemoryLambda()
        self.secrets, self.parameters = MemorySecrets(self.clock), MemoryParameters(self.clock)
        self.archive, self.failures, self.timestream = MemoryFirehose(), MemoryQueue(), MemoryTimestream()
        self.alarms, self.connections = MemoryAlarms(), MemoryConnections()
        self.codes = MemoryCodes(lambda: self.clock.now_ms() / 1000)
        self._services = {
            "firehose": self.archive,
            "sqs": self.failures,
            "timestream-write": self.timestream,
            "dynamodb": self.dynamo,
            "s3": self.bucket,
            "ssm": self.parameters,
            "secretsmanager": self.secrets,
            "lambda": self.functions,
            "cloudwatch": self.alarms,
            "apigatewaymanagementapi": self.connections,
            "kms": MemoryKms(),
            "pinpoint-sms-voice-v2": MemoryMessaging(),
            "endusermessaging": self.codes,
        }
        self.each_second: Callable[[], None] = lambda: None
        regional = {name: spec for name, spec in schemas.functions().items() if not spec["edge"]}
        self.rights = {component: Rights.of(spec) for component, spec in regional.items()}
        self.calls: dict[str, Counter[str]] = {component: Counter() for component in regional}
        self.apps = {component: self._built(component, spec) for component, spec in regional.items()}

    def with_timestream(self, component: str = "recorder") -> Callable[..., Any]:
        """The recorder, or the exchanger, of a deployment whose metrics go to Timestream."""
        settings = {"METRICS_BACKEND": "timestream", "METRICS_DATABASE": "foyer", "METRICS_TABLE": "visits"}
        return self._built(component, schemas.functions()[component], **settings)

    def _built(self, component: str, spec: dict[str, Any], **changes: str) -> Callable[..., Any]:
        """What the component's handler calls, with settings of the schema and guarded clients."""
        values = self.names.environment(
            OWN, "https://abcdef1234.execute-api.eu-west-1.amazonaws.com/live", "https://sqs.test/1/failures"
        )
        env = {name: values[name] for name in spec["environment"]} | changes
        rights, calls = self.rights[component], self.calls[component]

        def client(service: str, _settings: Any = None, _address: str | None = None) -> Guarded:
            return Guarded(service, self._services[service], rights, self.names, calls)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bootstrap, "_client", client)
            patch.setattr(bootstrap, "_codes_client", lambda: client("endusermessaging"))
            patch.setattr(bootstrap, "SystemClock", lambda: self.clock)
            patch.setattr(bootstrap, "RandomIds", lambda: self.ids)
            patch.setattr(bootstrap, "json_log", lambda _: self.log)
            patch.setattr(bootstrap, "time", SimpleNamespace(sleep=self._sleep))
            patch.setattr(bootstrap, "ThreadPoolExecutor", self._pool)
            patch.setattr(bootstrap, "warm_up", lambda *_: None)
            build = getattr(bootstrap, component)
            app: Callable[..., Any] = build(env, SITE_FOLDER) if component == "publisher" else build(env)
        return app

    def _pool(self, *_: Any, **__: Any) -> Any:
        """The clock of the tests stands still until it is moved: what runs in threads would never meet."""
        return _AtOnce()

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.each_second()

    def tick(self) -> None:
        """One tick of the zone of the tests, a second after the last; for when no run of an exchanger is wanted."""
        self.clock.advance(1)
        names = (self.names.table(name) for name in ("protected_zones", "counters", "joins", "queue"))
        stores = Stores(Clients(self.dynamo, self.dynamo), *names)
        objects = S3ObjectStore(self.bucket, self.names.bucket)
        tick_zone(stores, objects, self.clock)(ZONE_ID)

    def run(self, component: str, **given: Any) -> Any:
        """Invoke a function that nobody waits for."""
        return self.apps[component](given, None)

    def run_started(self) -> list[str]:
        """Run what was started in the meantime, and what that starts; returns the components in order."""
        ran = []
        while self.functions.started:
            name, given = self.functions.started.pop(0)
            component = name.removeprefix(self.names.function(""))
            self.run(component, **given)
            ran.append(component)
        return ran

    def put_zone(self, **changes: Any) -> HttpAnswer:
        """Create or replace the zone of the tests."""
        document = {**ZONE, **changes}
        return self.operate("PUT", f"/zones/{document['zone_id']}", document)

    def operate(self, method: str, path: str, body: Any = None, **parts: Any) -> HttpAnswer:
        """A request of an operator."""
        return send(self.apps["operator"], event("control_iam"), method, f"{ROOT}/admin{path}", body=body, **parts)

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
        """A request through the distribution, as in `ApiWorld.visit`."""
        sample = event("enter")
        secret = {schemas.behaviours()["origin_secret_header"]: OWN.origin_secret}
        sample["headers"] = secret | (SCRIPT if headers is None else headers)
        sample["cookies"] = [f"{name}={value}" for name, value in (cookies or {}).items()]
        full = path if path.startswith(ROOT) else f"{ROOT}/zones/{ZONE_ID}{path}"
        return send(self.apps["bouncer"], sample, method, full, body=body, **parts)

    def document(self, key: str) -> Any:
        """A JSON document of the bucket."""
        return json.loads(self.bucket.objects[key])


class _AtOnce:
    """Stands in for a pool of threads: does each job where it is handed in."""

    def submit(self, job: Callable[..., Any], *given: Any) -> None:
        job(*given)

    def map(self, job: Callable[[Any], Any], given: list[Any]) -> list[Any]:
        return [job(each) for each in given]


def _table_files() -> list[Path]:
    return sorted((Path(__file__).resolve().parents[2] / "schemas" / "tables").glob("*.json"))
