"""Format, `validate` and `terraform test` of the root module, every module and every example."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terraform.workspace import ROOT, copy_of_the_code, init, require_terraform, terraform

CODE = ROOT / "terraform"
FOLDERS = [path.relative_to(CODE).as_posix() for kind in ("modules", "examples") for path in CODE.glob(f"{kind}/*")]
ROOT_TESTS = [path.relative_to(CODE).as_posix() for path in sorted(CODE.glob("tests/*.tftest.hcl"))]


def passes(folder: Path, *arguments: str) -> None:
    """Run a folder's tests, of which there must be some."""
    init(folder)
    said = terraform(folder, "test", "-no-color", *arguments)
    assert "0 failed" in said
    assert "Success! 0 passed" not in said


def test_everything_is_formatted() -> None:
    require_terraform()
    terraform(CODE, "fmt", "-check", "-recursive", "-diff", "-no-color")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_valid_and_passes_its_tests(folder: str, tmp_path: Path) -> None:
    require_terraform()
    code = copy_of_the_code(tmp_path)
    passes(code / folder)
    terraform(code / folder, "validate", "-no-color")


def test_the_root_module_is_valid(tmp_path: Path) -> None:
    require_terraform()
    code = copy_of_the_code(tmp_path)
    init(code)
    terraform(code, "validate", "-no-color")


# They take longest, so a file of them is a test of its own.
@pytest.mark.parametrize("file", ROOT_TESTS)
def test_the_root_module_passes_its_tests(file: str, tmp_path: Path) -> None:
    require_terraform()
    passes(copy_of_the_code(tmp_path), f"-filter={file}")


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.startswith("modules/")])
def test_a_module_has_the_files_of_a_module(folder: str) -> None:
    names = {path.name for path in (CODE / folder).iterdir()}
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= names
