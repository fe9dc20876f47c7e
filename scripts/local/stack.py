"""The whole local stack: an engine, and everything schemas/ names set up on it."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from scripts.bundle import contents
from scripts.bundle.archive import zipped
from scripts.deployment.local import ACCOUNT, ANNOUNCED, CREDENTIALS, REGION, Announcement
from scripts.deployment.names import Names, Secrets
from scripts.local import api, engine, functions, keys, permissions, records, roles, site, sockets, tables
from scripts.local.outbox import CODES_ENDPOINT_VARIABLE, ENDPOINT_VARIABLE, Outbox
from waiting_room import schemas
from waiting_room.adapters.object_store import S3ObjectStore

ROOT = Path(__file__).resolve().parents[2]

_SETTINGS = Config(
    retries={"max_attempts": 2, "mode": "standard"},
    max_pool_connections=50,
    s3={"addressing_style": "path"},
)


class LocalStack:
    """A deployment on one engine. `start` gives a running one, set up; `apply` brings it up to date again."""

    def __init__(self, running: engine.Engine, names: Names, root: Path = ROOT) -> None:
        self.engine = running
        self.endpoint = running.endpoint
        self.names = names
        self.root = root
        self.addresses = permissions.Addresses(names, REGION, ACCOUNT)
        self._clients: dict[str, Any] = {}
        self._secrets = self._known_secrets() or Secrets.made()
        self._api_id = self._api_stage = self._websocket_id = self._failures_queue = ""
        self._announcement: Announcement | None = None
        self.outbox = Outbox(self._known_outbox_port())
        self.changes: list[str] = []

    @classmethod
    @contextlib.contextmanager
    def start(cls, *, port: int = 0, name: str = "foyer", root: Path = ROOT) -> Iterator[LocalStack]:
        """Yield a stack that is set up; end its engine afterwards, leaving no process and no file.

        With `AWS_ENDPOINT_URL` set the engine there is used and left running, with what was set up on it.
        Raises engine.EngineFailed.
        """
        with engine.running(port) as running:
            stack = cls(running, Names(name), root)
            with stack.outbox:
                try:
                    stack.changes = stack.apply()
                    yield stack
                finally:
                    stack.close()

    @property
    def api_url(self) -> str:
        """Address of the HTTP API, for operators and for the edge."""
        return api.api_url(self.endpoint, self._api_id, self._api_stage)

    @property
    def websocket_url(self) -> str:
        """Address of the WebSocket API's stage: for the edge, and for whoever sends to open connections."""
        return sockets.stage_url(self.endpoint, self._websocket_id, self._api_stage)

    def outbox_page(self) -> str:
        """The page of messages that would have gone to telephones."""
        return self.outbox.page()

    @property
    def bucket(self) -> str:
        """Name of the bucket behind the prefix."""
        return self.names.bucket

    @property
    def bucket_url(self) -> str:
        """Address of the bucket for the edge; the S3 key is the URL path without its leading slash."""
        return f"{self.endpoint}/{self.bucket}"

    @cached_property
    def sign_bucket_read(self) -> Callable[[str, str], dict[str, str]]:
        """Headers that let the edge read an object, by method and URL: the bucket is closed to everybody else."""
        return roles.BucketReader(self.client("sts"), self._role_arn("edge"), REGION).headers

    @property
    def origin_secret(self) -> str:
        """What the edge shows the API to be let in."""
        return self._secrets.origin_secret

    @property
    def snapshot_key(self) -> str:
        """S3 key of the gate snapshot."""
        return self._secrets.snapshot_key

    @property
    def tables(self) -> dict[str, str]:
        """Names of the tables by their name in schemas/tables/."""
        return {
            file.stem: self.names.table(file.stem) for file in sorted((self.root / "schemas/tables").glob("*.json"))
        }

    @property
    def gatekeeper_settings(self) -> dict[str, Any]:
        """What the build bakes into the gatekeeper of this stack."""
        return {
            "snapshot_path": f"/{self.snapshot_key}",
            "snapshot_scheme": "http",
            "on_missing_snapshot": "refuse",
            "issuer": self.names.deployment,
        }

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service on this engine, always the same one."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, endpoint_url=self.endpoint, region_name=REGION, config=_SETTINGS, **CREDENTIALS
            )
        return self._clients[service]

    def read_object(self, key: str) -> bytes | None:
        """Return an object of the bucket as it is now, or None."""
        stored = S3ObjectStore(self.client("s3"), self.bucket).get(key)
        return stored.body if stored else None

    def apply(self) -> list[str]:
        """Create what is missing and update what differs. Return what was done: nothing when all is as it should be."""
        done: list[str] = []
        for key, name in self.tables.items():
            done += tables.ensure_table(self.client("dynamodb"), name, schemas.table(key))
        done += self._apply_site()
        done += records.ensure_archive(self.client("s3"), self.client("firehose"), self.names.archive, ACCOUNT)
        self._failures_queue, changes = records.ensure_queue(self.client("sqs"), self.names.failures)
        done += changes
        specs = {component: spec for component, spec in schemas.functions().items() if not spec["edge"]}
        gateway = self.client("apigatewayv2")
        self._api_stage = api.known_stage(gateway, self.names.deployment) or secrets.token_hex(16)
        self._websocket_id, changes = sockets.ensure_api(gateway, f"{self.names.deployment}-websocket")
        done += changes
        alerts_key, changes = keys.ensure_key(self.client("kms"), self.names.alerts_key)
        done += changes
        done += keys.ensure_secret(self.client("secretsmanager"), self.names.signing_keys)
        self.addresses = replace(
            self.addresses,
            websocket_api_id=self._websocket_id,
            api_stage=self._api_stage,
            alerts_key=alerts_key,
        )
        done += self._apply_roles(specs)
        arns = self._apply_functions(specs, done)
        socket_schema = schemas.load("websocket")
        done += sockets.ensure_routes(
            gateway, self._websocket_id, self._api_stage, socket_schema, arns[socket_schema["function"]]
        )
        self._api_id, changes = api.ensure_api(
            gateway,
            self.names.deployment,
            self._api_stage,
            schemas.operations().values(),
            {component: arns[component] for component, spec in specs.items() if spec["triggers"].get("http")},
            signed=_signed_operations(),
        )
        return done + changes + self._apply_triggers(specs, arns)

    def warm(self, component: str, workers: int) -> None:
        """Have that many workers of a function started, so that a crowd does not wait for all of them at once."""
        name, event = self.names.function(component), json.dumps({"rawPath": "/"})

        def invoke(_: int) -> None:
            self.client("lambda").invoke(FunctionName=name, Payload=event)

        self.client("lambda")
        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(invoke, range(workers)))

    def describe(self, **more: Any) -> dict[str, Any]:
        """Return where everything is; `more` is added as it is."""
        return {
            "endpoint": self.endpoint,
            "region": REGION,
            "name": self.names.deployment,
            "api_url": self.api_url,
            "bucket": self.bucket,
            "archive_bucket": self.names.archive,
            "tables": self.tables,
            "snapshot_key": self.snapshot_key,
            "origin_secret": self.origin_secret,
            **more,
        }

    def announce(self, *files: Path, **more: Any) -> None:
        """Write `describe(**more)` to files for this user only, by default where `wr` looks; `close` removes them."""
        self._announcement = Announcement.made(files or ANNOUNCED, self.describe(**more))
        if "edge_url" in more:
            self.serve_at(more["edge_url"])

    def serve_at(self, edge_url: str) -> None:
        """Say where visitors find the site, as Terraform does: from then on the exchanger looks at the door."""
        site.put_address(self.client("s3"), self.bucket, edge_url)

    def close(self) -> None:
        """Close the connections and take the descriptions back. Harmless when repeated."""
        for client in self._clients.values():
            client.close()
        if self._announcement is not None:
            self._announcement.take_back()

    def _known_secrets(self) -> Secrets | None:
        """Return the secrets of a stack set up earlier: its functions know them."""
        known: dict[str, str] = {}
        for component in ("bouncer", "publisher"):
            current = functions.find_configuration(self.client("lambda"), self.names.function(component))
            known |= current["Environment"]["Variables"] if current else {}
        if "ORIGIN_SECRET" in known and "SNAPSHOT_KEY" in known:
            return Secrets(known["ORIGIN_SECRET"], known["SNAPSHOT_KEY"])
        return None

    def _known_outbox_port(self) -> int:
        """Return the port of an earlier outbox of this stack, 0 for none."""
        current = functions.find_configuration(self.client("lambda"), self.names.function("notifier"))
        url = current["Environment"]["Variables"].get(ENDPOINT_VARIABLE, "") if current else ""
        return urlsplit(url).port or 0

    def _apply_site(self) -> list[str]:
        store = self.client("s3")
        listed = {behaviour["name"]: behaviour for behaviour in schemas.behaviours()["behaviours"]}
        return site.ensure_bucket(store, self.bucket) + site.ensure_snapshot(
            store,
            self.bucket,
            self.snapshot_key,
            self.names.deployment,
            time.time_ns() // 1_000_000,
            listed["snapshot"]["cache_control"],
        )

    def _role_arn(self, component: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.names.role(component)}"

    def _apply_roles(self, specs: dict[str, Any]) -> list[str]:
        """One role for each function, one for the edge, one for the scheduler; each with exactly its rights."""
        iam, addresses = self.client("iam"), self.addresses
        wanted = {
            component: ("lambda.amazonaws.com", permissions.function_policy(spec, addresses))
            for component, spec in specs.items()
        }
        scheduled = [component for component, spec in specs.items() if "schedule" in spec["triggers"]]
        wanted["edge"] = ("cloudfront.amazonaws.com", permissions.edge_policy(addresses))
        wanted["scheduler"] = ("scheduler.amazonaws.com", permissions.start_policy(scheduled, addresses))
        done: list[str] = []
        for component, (service, policy) in wanted.items():
            done += roles.ensure_role(iam, self.names.role(component), permissions.trust_policy(service), policy)
        return done

    def _apply_functions(self, specs: dict[str, Any], done: list[str]) -> dict[str, str]:
        """Create or update layer and functions; return the functions' addresses by component."""
        client = self.client("lambda")
        # By its address, as Terraform names it: the engine does not know an alias's rights for those of its key.
        own = {"ALERTS_KEY": self.addresses.alerts_key}
        values = {**self.names.environment(self._secrets, self.websocket_url, self._failures_queue), **own}
        runtime = next(iter(specs.values()))["runtime"]
        layer_arn, changes = functions.ensure_layer(
            client, self.names.layer, zipped(contents.layer(self.root)), runtime
        )
        done += changes
        arns = {}
        for component, spec in specs.items():
            name = self.names.function(component)
            environment = {variable: values[variable] for variable in spec["environment"]}
            if "ALERTS_IDENTITY" in environment:
                environment[ENDPOINT_VARIABLE] = self.outbox.url
            if "CODES_IDENTITY" in environment:
                environment[CODES_ENDPOINT_VARIABLE] = self.outbox.url
            code = zipped(contents.function(self.root, component))
            role_arn = self._role_arn(component)
            done += functions.ensure_function(client, name, spec, environment, code, layer_arn, role_arn)
            arns[component] = client.get_function_configuration(FunctionName=name)["FunctionArn"]
        return arns

    def _apply_triggers(self, specs: dict[str, Any], arns: dict[str, str]) -> list[str]:
        done: list[str] = []
        for component, spec in specs.items():
            name, triggers = self.names.function(component), spec["triggers"]
            if stream := triggers.get("stream"):
                source = tables.stream_arn(self.client("dynamodb"), self.names.table(stream["table"]))
                done += functions.ensure_stream(self.client("lambda"), name, source, stream)
            if schedule := triggers.get("schedule"):
                role_arn = self._role_arn("scheduler")
                done += functions.ensure_schedule(self.client("scheduler"), name, arns[component], role_arn, schedule)
        return done


def _signed_operations() -> set[str]:
    """Return the ids of the operations that need AWS credentials."""
    items = [operation for path in schemas.openapi()["paths"].values() for operation in path.values()]
    return {item["operationId"] for item in items if "operationId" in item and {"aws_iam": []} in item["security"]}
