"""Runs the real gatekeeper handler, set up for one local stack."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from scripts.edge import viewer
from scripts.edge.messages import EdgeRequest, EdgeResponse, problem

log = logging.getLogger(__name__)

TIMEOUT_SEC = 5.0
THREADS = 8
"""The handler waits for its snapshot, which this same server delivers: it must never hold up the event loop."""

Handler = Callable[[dict[str, Any], object], object]


def load(source: Path, settings: Mapping[str, Any], folder: Path) -> ModuleType:
    """Copy a gatekeeper's folder, put `settings.json` beside it as the build does, and import its handler module.

    Each call gives a module of its own, with its own snapshot cache.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    folder.joinpath("settings.json").write_text(json.dumps(settings), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"foyer_gatekeeper_{id(settings):x}", folder / "handler.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if hasattr(module, "Gatekeeper"):
        # No CloudWatch reads what is printed here, and the terminal is somebody's.
        module.__dict__["Gatekeeper"] = partial(module.Gatekeeper, write=log.info)
    return module


class EdgeGate:
    """Asks the handler about one request at a time, in threads of its own."""

    def __init__(self, handler: Handler, domain_name: str) -> None:
        self._handler = handler
        self._domain_name = domain_name
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gatekeeper")

    async def decide(self, request: EdgeRequest) -> EdgeRequest | EdgeResponse:
        """Return the request to forward or the answer to give. A handler that fails closes the gate."""
        call = asyncio.get_running_loop().run_in_executor(
            self._threads, self._handler, viewer.event(request, self._domain_name), None
        )
        try:
            return viewer.outcome(request, await asyncio.wait_for(call, TIMEOUT_SEC))
        except TimeoutError:
            return _failed(503, "LambdaLimitExceeded", "The gate did not answer in time.")
        except viewer.InvalidResult as error:
            log.error("CloudFront would refuse the gate's result: %s", error)
            return _failed(502, "LambdaValidationError", "The gate gave an answer that is not allowed.")
        except Exception:
            # Whatever the handler raises, CloudFront answers 502 and lets nobody in.
            log.exception("the gate failed")
            return _failed(502, "LambdaExecutionError", "The gate failed.")

    def close(self) -> None:
        """Let the threads end; calls not begun are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _failed(status: int, cause: str, detail: str) -> EdgeResponse:
    return problem(status, "gate-failed", detail).with_header("x-cache", f"{cause} from cloudfront")
