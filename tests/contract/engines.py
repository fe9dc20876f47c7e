"""DynamoDB engines that answer the same low-level client.

Ours are the memory model, which is strict, and the simulator's store, which is fast; beside them moto, ministack and
Amazon's DynamoDB Local.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from scripts.local.engine import free_port
from scripts.local.tables import ensure_table
from scripts.simulation.store import Store
from tests.memory_dynamo import MemoryDynamo
from tests.support.tools import one_at_a_time, require_tool
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).with_name("dynamodb_local")
SCHEMAS = ("protected_zones", "counters", "joins", "queue", "user_connections")
CONNECTIONS = 64
READY_SEC = 120.0
JVM = ("-Xmx512m", "-XX:TieredStopAtLevel=1")
"""The quick compiler alone: the thorough one works longer on the server than these tests use it."""
_HINT = "install a JDK 17 and Maven, for example `apt-get install openjdk-17-jdk-headless maven`"

_prefixes = count(1)


@dataclass(frozen=True)
class Dynamo:
    """An engine with fresh tables of its own."""

    engine: str
    clients: Clients
    prefix: str

    def table(self, schema_name: str) -> str:
        """The name here of a table of schemas/tables."""
        return self.prefix + schema_name


@contextlib.contextmanager
def fresh_tables(engine: str, endpoint: str | None, declarations: list[dict[str, Any]]) -> Iterator[Dynamo]:
    """Yield an engine with one new table for each declaration; they are gone afterwards.

    `endpoint` is None for our own models, and for moto, which must be active.
    """
    if engine == "simulation":
        store = Store(declarations)
        yield Dynamo(engine, Clients(store, store), "")
        return
    if engine == "memory":
        memory = MemoryDynamo(declarations)
        yield Dynamo(engine, Clients(memory, memory), "")
        return
    # The process id, because two runs of the tests may use the engine AWS_ENDPOINT_URL names.
    prefix = f"test-{os.getpid()}-{next(_prefixes)}-"
    clients = Clients(repeating=client(endpoint, attempts=4), once=client(endpoint, attempts=1))
    names = [prefix + declaration["name"] for declaration in declarations]
    for name, declaration in zip(names, declarations, strict=True):
        ensure_table(clients.once, name, declaration)
    yield Dynamo(engine, clients, prefix)
    for name in names:
        clients.once.delete_table(TableName=name)


def product_tables() -> list[dict[str, Any]]:
    """The declarations of every table of schemas/tables."""
    return [schemas.table(name) for name in SCHEMAS]


@cache
def client(endpoint: str | None, attempts: int) -> Any:
    """A boto3 client that tries each call that often; its credentials are good for nothing."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            max_pool_connections=CONNECTIONS,
            connect_timeout=10,
            read_timeout=30,
        ),
    )


@contextlib.contextmanager
def dynamodb_local() -> Iterator[str]:
    """Yield the address of Amazon's DynamoDB Local on 127.0.0.1; skips where Java or Maven is missing."""
    require_tool("Amazon DynamoDB Local", shutil.which("java"), _HINT)
    folder = _built()
    port = free_port()
    arguments = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    with (folder / f"server-{port}.log").open("wb") as log_file:
        # It ends when its standard input does, so it cannot outlive these tests, however they end.
        process = subprocess.Popen(
            ["java", *JVM, "-Djava.library.path=lib", "-cp", "classes:lib/*", "LoopbackServer", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, endpoint, Path(log_file.name))
        yield endpoint
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=3)
        process.kill()
        process.wait()
        Path(log_file.name).unlink()


def _built() -> Path:
    """The folder with the server, built at first use; its name changes with its sources, so it is never stale."""
    sources = sorted(SOURCES.iterdir())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = ROOT / "build" / "dynamodb-local" / digest
    # Maven's own store is for one process at a time, too.
    with one_at_a_time(folder.parent):
        if not folder.exists():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    require_tool("Amazon DynamoDB Local", shutil.which("mvn") and shutil.which("javac"), _HINT)
    # Built aside and moved: a build that is broken off leaves nothing behind that looks like one.
    aside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    jars = ["mvn", "-q", "-B", "-f", str(SOURCES / "pom.xml"), "dependency:copy-dependencies"]
    fetched = subprocess.run([*jars, f"-DoutputDirectory={aside / 'lib'}"], capture_output=True, text=True, check=False)
    if fetched.returncode:
        shutil.rmtree(aside)
        reason = next((line for line in fetched.stdout.splitlines() if "ERROR" in line), "no reason given")
        require_tool("Amazon DynamoDB Local", False, f"Maven could not fetch it: {reason}")
    compiler = ["javac", "-cp", f"{aside}/lib/*", "-d", str(aside / "classes"), str(SOURCES / "LoopbackServer.java")]
    subprocess.run(compiler, check=True)
    aside.rename(folder)


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log_path: Path) -> None:
    deadline = time.monotonic() + READY_SEC
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=2)
        except urllib.error.HTTPError:
            # A plain GET is a bad request to it, and so a sign of life.
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"DynamoDB Local did not start:\n{log_path.read_text(errors='replace')[-2000:]}")
