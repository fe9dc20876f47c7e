"""Format, `validate` and `terraform test` of the root module, every module and every example."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.terraform.workspace import ROOT, copy_of_the_code, require_terraform, terraform

CODE = ROOT / "terraform"
FOLDERS = [
    ".",
    *(path.relative_to(CODE).as_posix() for kind in ("modules", "examples") for path in CODE.glob(f"{kind}/*")),
]
WORKERS = 2

Checks = dict[str, "Future[str]"]


def check(folder: Path) -> str:
    """Return what `terraform test` printed; raises TerraformFailed."""
    terraform(folder, "init", "-no-color", "-input=false")
    terraform(folder, "validate", "-no-color")
    return terraform(folder, "test", "-no-color")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checks]:
    """All folders under way at once; a test waits for its own."""
    require_terraform()
    code = copy_of_the_code(tmp_path_factory.mktemp("commands"))
    with ThreadPoolExecutor(WORKERS) as pool:
        yield {folder: pool.submit(check, code / folder) for folder in FOLDERS}
        pool.shutdown(cancel_futures=True)


def test_everything_is_formatted() -> None:
    require_terraform()
    terraform(CODE, "fmt", "-check", "-recursive", "-diff", "-no-color")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_valid_and_passes_its_tests(folder: str, checks: Checks) -> None:
    said = checks[folder].result()
    assert "0 failed" in said
    assert "Success! 0 passed" not in said


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.startswith("modules/")])
def test_a_module_has_the_files_of_a_module(folder: str) -> None:
    names = {path.name for path in (CODE / folder).iterdir()}
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= names
