"""The engine of a rehearsal: locust's users, clients and figures, in a process of its own.

python -m scripts.rehearsal.engine SCRIPT EVENTS, both as `director` makes them. One JSON object a second on stdout
says how far it is, the last one has `figures`. SIGTERM, or the end of the process that started it, sends everybody
home.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import gevent.lock
import gevent.pool

# First of all: it makes sockets and time-outs gevent's, also those of the modules below.
from locust import FastHttpUser, LoadTestShape, task
from locust.env import Environment
from locust.exception import StopUser

from ..visitors.browser import Cookies, now_ms
from ..visitors.steps import Answer
from .browser import Browser, LostAnswer
from .ear import SocketEar
from .log import RehearsalLog
from .script import Script
from .visitor import Visitor

HOMEWARD_AT_ONCE = 32
HOME_WITHIN_SEC = 60.0
TIMEOUT_SEC = 30.0
FILES_PER_VISITOR = 4
BUSY = (429, 500, 502, 503, 504)


class Bounds:
    """At most so many requests a second, and so many under way at functions. Waiting here is no part of a request."""

    def __init__(self, requests_per_sec: float, in_flight: int) -> None:
        self._gap_sec = 1 / requests_per_sec
        self._free_from = 0.0
        self._slots = gevent.lock.BoundedSemaphore(in_flight)
        self.requests = 0
        self.held_back = 0
        """Requests that waited here for a second or more."""

    @contextlib.contextmanager
    def turn(self, *, costly: bool) -> Iterator[None]:
        """One request's turn."""
        now = time.monotonic()
        at = max(now, self._free_from)
        self._free_from = at + self._gap_sec
        self.requests += 1
        if at > now:
            gevent.sleep(at - now)
        with self._slots if costly else contextlib.nullcontext():
            self.held_back += time.monotonic() - now >= 1
            yield


class Rehearsal:
    """Everybody who comes, and what is known of them all."""

    def __init__(self, script: Script, log: RehearsalLog) -> None:
        self.script = script
        self.log = log
        self.moments = script.moments()
        self.bounds = Bounds(script.requests_per_sec, script.in_flight)
        self.began = time.monotonic()
        self.visitors: list[Visitor] = []
        self.finished = 0

    def elapsed_sec(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def next_number(self) -> int:
        """The number of whoever comes next."""
        return len(self.visitors)

    def progress(self) -> dict[str, Any]:
        """How far it is."""
        return {"sec": round(self.elapsed_sec(), 1), "counts": self.log.counts, "requests": self.bounds.requests}


def user_class(rehearsal: Rehearsal) -> type[FastHttpUser]:
    """Locust's kind of user: one visitor, who comes at its moment and visits once."""
    script = rehearsal.script

    class Person(FastHttpUser):
        host = script.hosts[0]
        insecure = False
        network_timeout = TIMEOUT_SEC
        connection_timeout = TIMEOUT_SEC
        concurrency = FILES_PER_VISITOR

        @task
        def visit(self) -> None:
            """Come, visit, and be gone."""
            number = rehearsal.next_number()
            # Cookies are the visitor's own; the client's jar would send them a second time.
            self.client.client.cookiejar = None
            name = f"v{number:05d}"
            visitor = self.made(name)
            rehearsal.visitors.append(visitor)
            gevent.sleep(max(0.0, rehearsal.moments[number] - rehearsal.elapsed_sec()))
            try:
                visitor.visit()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this visitor's fault in the verdict
                rehearsal.log.write(name, "fault", what=repr(error))
            rehearsal.finished += 1
            raise StopUser

        def made(self, name: str) -> Visitor:
            dice = random.Random(f"{script.seed}/{name}/ear")  # noqa: S311 - spreads connections, nothing secret
            ear = SocketEar(
                script.hosts[0], script.zone_id, dice, lambda event, ms: rehearsal.log.write(name, event, ms=ms)
            )

            def browser(cookies: Cookies) -> Browser:
                return Browser(script.hosts, self.send, rehearsal.bounds.turn, cookies)

            return Visitor(name, script, browser, ear, rehearsal.log, gevent.sleep)

        def send(self, method: str, url: str, headers: Mapping[str, str], body: str | None, name: str) -> Answer:
            asked_at_ms = now_ms()
            with self.client.request(
                method, url, name=name, data=body, headers=dict(headers), allow_redirects=False, catch_response=True
            ) as response:
                status, error = response.status_code, getattr(response, "error", None)
                if status == 0:
                    response.failure(f"no answer: {type(error).__name__}")
                elif status in BUSY:
                    response.failure(f"answered {status}")
                else:
                    response.success()
                known = response.headers
                text = response.text or ""
            if status == 0:
                raise LostAnswer(f"{name}: {type(error).__name__}")
            told = {key.lower(): value for key, value in known.items() if key.lower() != "set-cookie"}
            return Answer(status, url, told, tuple(known.getlist("set-cookie")), text, asked_at_ms, now_ms())

    return Person


def shape_class(rehearsal: Rehearsal) -> type[LoadTestShape]:
    """As many as have come by the next second; each waits for its own moment. It ends when all are done, or in time."""

    class Arriving(LoadTestShape):
        def tick(self) -> tuple[int, float] | None:
            elapsed_sec = rehearsal.elapsed_sec()
            if rehearsal.finished == len(rehearsal.moments) or elapsed_sec > rehearsal.script.lasts_sec:
                return None
            due = sum(moment <= elapsed_sec + 1.5 for moment in rehearsal.moments)
            return due, max(1, due)

    return Arriving


def play(script: Script, log: RehearsalLog) -> dict[str, Any]:
    """Play the script to its end, or until SIGTERM, send everybody home and return what locust measured."""
    _many_connections(script.visitors)
    rehearsal = Rehearsal(script, log)
    environment = Environment(user_classes=[user_class(rehearsal)], shape_class=shape_class(rehearsal)())
    runner = environment.create_local_runner()
    broken_off = gevent.event.Event()
    gevent.signal_handler(signal.SIGTERM, broken_off.set)
    parent = os.getppid()
    runner.start_shape()
    while runner.state != "stopped" and not broken_off.is_set() and os.getppid() == parent:
        _say(rehearsal.progress())
        broken_off.wait(1.0)
    runner.quit()
    unfinished = len(rehearsal.moments) - rehearsal.finished
    _send_home(rehearsal)
    return {
        "interrupted": broken_off.is_set(),
        "unfinished": unfinished,
        "held_back": rehearsal.bounds.held_back,
        "requests": rehearsal.bounds.requests,
        "seconds": round(rehearsal.elapsed_sec(), 1),
        "by_request": _by_request(environment),
    }


def _send_home(rehearsal: Rehearsal) -> None:
    """Everybody leaves, also those who would have gone without a word or never came."""
    pool = gevent.pool.Pool(min(HOMEWARD_AT_ONCE, rehearsal.script.in_flight))
    for visitor in rehearsal.visitors:
        pool.spawn(visitor.go_home)
    pool.join(HOME_WITHIN_SEC)
    pool.kill()


def _by_request(environment: Any) -> list[dict[str, Any]]:
    """Counts and times in milliseconds of each kind of request."""
    return [
        {
            "name": entry.name,
            "method": entry.method,
            "count": entry.num_requests,
            "failures": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5),
            "p95_ms": entry.get_response_time_percentile(0.95),
            "max_ms": entry.max_response_time,
        }
        for _, entry in sorted(environment.stats.entries.items())
    ]


def _many_connections(visitors: int) -> None:
    """Let the process have a few connections for everybody, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_PER_VISITOR * visitors + 256
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _say(document: dict[str, Any]) -> None:
    # Nobody may be left to read it; everybody is sent home all the same.
    with contextlib.suppress(OSError):
        print(json.dumps(document), flush=True)


def main(argv: list[str]) -> int:
    """Run from the command line; 0 when the script was played, however it went."""
    text, events = argv
    logging.disable(logging.CRITICAL)
    with Path(events).open("w", encoding="utf-8") as file:
        log = RehearsalLog(file)
        figures = play(Script.from_json(text), log)
    _say({"figures": figures, "counts": log.counts})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
