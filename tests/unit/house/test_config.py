"""Settings say everything that is missing at once; every invocation is one line of JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from scripts.local.naming import Names, Secrets
from tests.support.api_world import ListLog
from tests.support.deployment import Deployment
from tests.support.fakes import FakeClock
from waiting_room import config, schemas
from waiting_room.jobs import Job

ROOT = Path(__file__).parents[3]
REGIONAL = [component for component, spec in schemas.functions().items() if not spec["edge"]]
TERRAFORM = (ROOT / "terraform" / "functions.tf", ROOT / "terraform" / "modules" / "metrics" / "outputs.tf")
"""Where every variable that Terraform has a value for stands, a line each."""


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(config.MissingSettings) as caught:
        config.read(config.PublisherConfig, {"SNAPSHOT_KEY": "gate", "SITE_BUCKET": ""})
    assert caught.value.names == ["PROTECTED_ZONES_TABLE", "SITE_BUCKET", "TOKEN_ISSUER"]


def test_settings_are_read() -> None:
    env = {name: name.lower() for name in schemas.functions()["operator"]["environment"]}

    assert config.read(config.OperatorConfig, env).queue_table == "queue_table"


@pytest.fixture(scope="module")
def used() -> Iterator[dict[str, set[str]]]:
    """What each function's composition looks at of its settings: some of it only with the one metrics backend."""
    found: dict[str, set[str]] = defaultdict(set)
    read = config.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "read", lambda kind, env: read(_noting(kind, found[kind.__name__]), env))
        world = Deployment()
        for component in ("recorder", "exchanger"):
            world.with_timestream(component)
        yield found


def _noting(kind: type[Any], used: set[str]) -> type[Any]:
    """The same settings, whose readers are noted."""
    variables = {field.name: field.name.upper() for field in fields(kind)}

    def look(settings: Any, name: str) -> Any:
        if name in variables:
            used.add(variables[name])
        return object.__getattribute__(settings, name)

    return type(kind.__name__, (kind,), {"__getattribute__": look})


@pytest.mark.parametrize("component", REGIONAL)
def test_a_function_reads_every_variable_it_is_given_and_no_other(component: str, used: dict[str, set[str]]) -> None:
    assert used[f"{component.capitalize()}Config"] == set(schemas.functions()[component]["environment"])


def test_nobody_has_a_value_for_a_variable_that_no_function_is_given() -> None:
    asked = {name for component in REGIONAL for name in schemas.functions()[component]["environment"]}
    named = {
        name
        for path in TERRAFORM
        for name in re.findall(r"^    ([A-Z_]+) +=", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert Names().environment(Secrets("secret", "key")).keys() == asked
    assert named == asked


def test_every_line_of_the_log_is_json_also_those_of_other_modules() -> None:
    code = (
        "import logging; from waiting_room.logs import json_log; log = json_log('exchanger');"
        "log.info('done', extra={'ticks': 3});"
        "logging.getLogger('waiting_room.use_cases.exchange').error('tick failed')"
    )
    env = {"PYTHONPATH": str(ROOT / "layer" / "python")}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert [line["message"] for line in lines] == ["done", "tick failed"]
    assert (lines[0]["service"], lines[0]["ticks"]) == ("exchanger", 3)


def test_a_job_logs_one_line_with_its_outcome() -> None:
    log = ListLog()

    assert Job(lambda event: {"ticks": event["count"]}, FakeClock(), log)({"count": 3}, None) == {"ticks": 3}
    assert log.lines == [{"message": "done", "request_id": "", "ticks": 3, "duration_ms": 0}]


def test_a_job_that_fails_is_logged_and_fails() -> None:
    log = ListLog()
    job = Job(lambda event: {"ticks": event["count"]}, FakeClock(), log)

    with pytest.raises(KeyError):
        job({}, None)
    assert "KeyError" in log.lines[0]["stack"]
