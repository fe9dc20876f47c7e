"""The whole life of one on-sale on the running stack; scripts/onsale says what must be true after each step."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.local.stack import CREDENTIALS, REGION
from scripts.onsale.stage import Stage, StepFailed, now_ms
from scripts.onsale.steps import STEPS, document
from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import find_target
from scripts.operator_cli import rehearse
from scripts.operator_cli.cli import main
from tests.integration.running import Foyer
from tests.integration.zones import SITE_KEY, path_of, sample_site
from tests.support.tools import require_tool

ZONE_ID = "whole-life"


@pytest.fixture(scope="module")
def stage(foyer: Foyer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    require_tool("locust", importlib.util.find_spec("locust"), "install the extra `rehearse` to play rehearsals")
    foyer.operate("DELETE", f"/zones/{ZONE_ID}")
    folder, digest = tmp_path_factory.mktemp("on-sale"), hashlib.sha256(SITE_KEY.encode()).hexdigest()
    with pytest.MonkeyPatch.context() as patch, sample_site(foyer, ZONE_ID) as edge:
        for name, value in CREDENTIALS.items():
            patch.setenv(name.upper(), value)
        patch.setenv("AWS_REGION", REGION)
        # Where the archive's bucket is; an operator of AWS needs nothing of the kind.
        patch.setenv("AWS_ENDPOINT_URL_S3", foyer.stack.endpoint)
        patch.setattr(rehearse, "BUILD", folder)
        api = OperatorApi(find_target(foyer.api_url, edge.url, None, None))
        stage = Stage(
            zone_id=ZONE_ID,
            document=document(ZONE_ID, path_of(ZONE_ID), digest, now_ms() + 3_600_000),
            site_url=edge.url,
            api=api,
            dynamodb=foyer.client("dynamodb"),
            tables=foyer.stack.tables,
            store=foyer.client("s3"),
            archive=foyer.stack.names.archive,
            run_wr=lambda *arguments: main(["--api-url", foyer.api_url, "--site-url", edge.url, *arguments]),
            folder=folder,
            say=print,
        )
        try:
            yield stage
        finally:
            stage.dismiss()
            api.close()


@pytest.mark.parametrize("name", [name for name, _ in STEPS])
def test_step(stage: Stage, name: str) -> None:
    """Each step leads where it should; none is played after one that did not."""
    done = stage.notes.setdefault("done", [])
    before = [known for known, _ in STEPS[: len(done) + 1]]
    if before[-1] != name:
        pytest.skip(f"'{before[-1]}' did not lead where it should")
    try:
        dict(STEPS)[name](stage)
    except StepFailed as failed:
        pytest.fail(f"{name}: {failed}", pytrace=False)
    done.append(name)


def test_a_step_that_leads_elsewhere_is_noticed(tmp_path: Path) -> None:
    said: list[str] = []
    failing = Stage("z", {}, "", None, None, {}, None, "", lambda *_: 1, tmp_path, said.append)  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match="wr control z pause ended with 1"):
        failing.wr("control", "z", "pause")
    with pytest.raises(StepFailed, match="never so"):
        failing.must(False, "never so")
    with pytest.raises(StepFailed, match=r"not within 0.3 s: never so"):
        failing.until(lambda: False, "never so", 0.3)
    assert failing.until(lambda: 7, "so") == 7
    assert said[-1] == "  ok: so"
