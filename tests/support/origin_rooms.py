"""The packages for a site's own servers as the tests ask them: Python and Node alike, against a server that plays the
waiting room."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from foyer_origin import FoyerOriginError, Settings, WaitingRoom
from tests.support.gate_support import KEYS
from tests.support.serving import Message, Receive, Scope, Send
from tests.support.tools import require_tool

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scripts" / "origin"
HARNESS = Path(__file__).parent / "origin_harness.mjs"
SECRET = "the secret of the origin"
SITE_KEY = "the key of midnight-sun"
JWKS = [{**key.public_jwk, "use": "sig"} for key in KEYS.keys]

Json = dict[str, Any]


class RoomFailed(Exception):
    """Raised when a room under test raised one of the package's errors; `name` is its class."""

    def __init__(self, name: str, text: str, faults: list[str]) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text
        self.faults = faults


class Room(Protocol):
    """A waiting room of either package. Its clock stands still; what it slept for is told."""

    def check(self, headers: dict[str, str]) -> Json: ...
    def shown(self, headers: dict[str, str]) -> str: ...
    def confirm(self, token: str, reference: str, *, checkout: bool = True) -> Json: ...
    def leave(self, token: str) -> bool: ...
    def advance(self, seconds: float) -> None: ...


@dataclass
class Answer:
    """What the server says next. `status` 0: nothing at all, until whoever asks has gone."""

    status: int
    document: object = None
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False


class RoomServer:
    """Plays the waiting room: hands out its keys (None: they cannot be had), and gives the answers it was told to.

    The last answer is given again and again.
    """

    def __init__(self) -> None:
        self.keys: object = JWKS
        self.keys_asked = 0
        self.answers: list[Answer] = []
        self.asked: list[Json] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/.waiting-room/jwks.json":
            self.keys_asked += 1
            answer = Answer(503) if self.keys is None else Answer(200, {"keys": self.keys})
        else:
            body = await _body(receive)
            bearer = dict(scope["headers"]).get(b"authorization", b"").decode()
            asked = {"method": scope["method"], "path": scope["path"], "bearer": bearer}
            self.asked.append({**asked, "body": json.loads(body or b"null")})
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.status == 0:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await _send(answer, send)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _send(answer: Answer, send: Send) -> None:
    content = b"" if answer.document is None else json.dumps(answer.document).encode()
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if not answer.chunked:
        headers.append((b"content-length", str(len(content)).encode()))
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    for part in (content[:7], content[7:]):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})


class PythonRoom:
    """The package for Python."""

    def __init__(self, settings: Json) -> None:
        self._now_sec, self._slept = 0.0, []  # type: tuple[float, list[float]]
        with _told():
            made = Settings(**settings)
        self.room = WaitingRoom(made, clock=lambda: self._now_sec, sleep=self._slept.append)

    def check(self, headers: dict[str, str]) -> Json:
        with _told():
            return asdict(self.room.check(headers))

    def shown(self, headers: dict[str, str]) -> str:
        return repr(self.room.check(headers))

    def confirm(self, token: str, reference: str, *, checkout: bool = True) -> Json:
        with _told():
            confirmation = self.room.confirm(token, reference, checkout=checkout)
        slept = list(self._slept)
        self._slept.clear()
        told = asdict(confirmation)
        return {**told, "verdict": confirmation.verdict.value, "cookies": list(confirmation.cookies), "slept": slept}

    def leave(self, token: str) -> bool:
        return self.room.leave(token)

    def advance(self, seconds: float) -> None:
        self._now_sec += seconds


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except FoyerOriginError as error:
        raise RoomFailed(type(error).__name__, str(error), list(getattr(error, "faults", ()))) from None


class Harness:
    """A process of Node that takes commands; see tests/support/origin_harness.mjs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, name: str, argument: object = None, room: int = 0) -> Any:
        """What a command returns, of the room with this number. Raises RoomFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, room, argument]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RoomFailed(answer["error"], answer["message"], answer["faults"])
        return answer["value"]


class NodeRoom:
    """The package for Node. What it tells is told in the words of the one for Python."""

    def __init__(self, harness: Harness, settings: Json) -> None:
        self._harness = harness
        self._number = harness.run("make", {camel(name): value for name, value in settings.items()})

    def check(self, headers: dict[str, str]) -> Json:
        return _snake(self._run("check", headers))

    def shown(self, headers: dict[str, str]) -> str:
        return str(self._run("fetched", headers))

    def confirm(self, token: str, reference: str, *, checkout: bool = True) -> Json:
        return _snake(self._run("confirm", [token, reference, checkout]))

    def leave(self, token: str) -> bool:
        return bool(self._run("leave", token))

    def advance(self, seconds: float) -> None:
        self._run("advance", seconds)

    def _run(self, name: str, argument: object) -> Any:
        return self._harness.run(name, argument, self._number)


@contextlib.contextmanager
def node_harness(*arguments: str) -> Iterator[Harness]:
    """Yield a running harness."""
    command = ["node", str(HARNESS), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Harness(process)
        assert process.stdin is not None
        process.stdin.close()


def node_package(target: Path) -> Path:
    """A copy of the package for Node with what it needs beside; skips the test where that cannot be had."""
    require_node()
    source = FOLDER / "node"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("node_modules"))
    target.joinpath("node_modules").symlink_to(_installed(source))
    return target


def require_node() -> None:
    """Skip the test without Node and npm."""
    present = shutil.which("node") and shutil.which("npm")
    require_tool("Node.js", present, "install Node.js 18 or newer, with npm, to test the package for Node")


def _installed(source: Path) -> Path:
    """The modules of the lock file, fetched once and kept in build/."""
    lock = (source / "package-lock.json").read_bytes()
    folder = ROOT / "build" / "node" / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.is_dir():
        scratch = folder.with_name(f"{folder.name}.{os.getpid()}")
        scratch.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, scratch)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        fetched = subprocess.run(npm, cwd=scratch, check=False, capture_output=True).returncode == 0
        require_tool("jose", fetched, "npm could not fetch it; with its registry in reach once, it is kept in build/")
        with contextlib.suppress(OSError):
            # Another worker may have been first.
            scratch.rename(folder)
        shutil.rmtree(scratch, ignore_errors=True)
    return folder / "node_modules"


def camel(name: str) -> str:
    """A name as JavaScript writes it."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(document: Json) -> Json:
    return {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): value for name, value in document.items()}


MakeRoom = Callable[..., Room]
"""Makes a room of one package: settings replace or add to the usual ones."""


def usual_settings(served_at: str, **changes: Any) -> Json:
    """Settings of a shop that does everything; a change to None leaves one out."""
    usual = {
        "site_url": served_at,
        "zone_id": "midnight-sun",
        "issuer": "foyer",
        "site_key": SITE_KEY,
        "origin_secret": SECRET,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


@contextlib.contextmanager
def maker(language: str, site_url: str, folder: Path) -> Iterator[MakeRoom]:
    """Yield what makes rooms of one package, `python` or `node`; skips the test where that one cannot run."""
    if language == "python":
        with contextlib.ExitStack() as made:

            def make(**changes: Any) -> Room:
                room = PythonRoom(usual_settings(site_url, **changes))
                made.callback(room.room.close)
                return room

            yield make
        return
    with node_harness("package", str(node_package(folder / "package"))) as harness:
        yield lambda **changes: NodeRoom(harness, usual_settings(site_url, **changes))
