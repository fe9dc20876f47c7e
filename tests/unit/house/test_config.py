"""Settings say everything that is missing at once; every invocation is one line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api_world import ListLog
from tests.support.fakes import FakeClock
from waiting_room import config, schemas
from waiting_room.jobs import Job

ROOT = Path(__file__).parents[3]


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(config.MissingSettings) as caught:
        config.read(config.PublisherConfig, {"SNAPSHOT_KEY": "gate", "SITE_BUCKET": ""})
    assert caught.value.names == ["FOYER_NAME", "PROTECTED_ZONES_TABLE", "SITE_BUCKET", "TOKEN_ISSUER"]


def test_settings_are_read() -> None:
    env = {name: name.lower() for name in schemas.functions()["operator"]["environment"]}

    assert config.read(config.OperatorConfig, env).queue_table == "queue_table"


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
