"""Runs Terraform on a copy of the code, offline where the stand-in provider is to be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.tools import MissingTool, one_at_a_time, require_tool

ROOT = Path(__file__).resolve().parents[2]
INSTALLER = ROOT.parent / "shared" / "terraform" / "install.sh"
"""Builds the stand-in provider where it is beside the checkout, and prints the CLI configuration that uses it."""

STAND_IN = "aws-provider-schema"
"""Directory of the stand-in provider's CLI configuration."""

PLUGINS = ROOT / "build" / "terraform-plugins"
"""Providers from the registry, so that seventeen directories fetch them once."""

Json = dict[str, Any]


class TerraformFailed(AssertionError):
    """Raised when a command that should succeed does not; the text is Terraform's."""


@cache
def cli_configuration() -> Path | None:
    """The CLI configuration to use: the caller's own, else the stand-in's, else None for the registry."""
    own = os.environ.get("TF_CLI_CONFIG_FILE")
    if own and Path(own).is_file():
        return Path(own)
    if os.access(INSTALLER, os.X_OK) and shutil.which("go"):
        made = subprocess.run([str(INSTALLER)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise TerraformFailed(f"{INSTALLER.name} failed:\n{made.stderr}")
        return Path(made.stdout.strip())
    return None


def require_terraform() -> None:
    """Skip without Terraform."""
    require_tool("terraform", shutil.which("terraform"), "install Terraform 1.11 or newer, from hashicorp.com")


def require_stand_in() -> None:
    """Skip where nothing can be applied: the real provider wants credentials even for a plan."""
    require_terraform()
    configuration = cli_configuration()
    if configuration is None or configuration.parent.name != STAND_IN:
        raise MissingTool("plans are not looked into: that takes the stand-in provider, shared/terraform")


def environment() -> dict[str, str]:
    """The environment of every command: nothing of the caller's AWS account gets in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    configuration = cli_configuration()
    if configuration is None or configuration.parent.name != STAND_IN:
        kept |= {"TF_PLUGIN_CACHE_DIR": str(PLUGINS), "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1"}
    if configuration is not None:
        kept["TF_CLI_CONFIG_FILE"] = str(configuration)
    # Terraform and its providers live for seconds: memory is not worth a quarter of that time.
    return kept | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "GOGC": "400"}


def copy_of_the_code(target: Path) -> Path:
    """Copy what Terraform reads, without what it left behind; return the copy's terraform/."""
    left_behind = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*")
    for name in ("terraform", "schemas"):
        shutil.copytree(ROOT / name, target / name, ignore=left_behind)
    return target / "terraform"


def terraform(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command in a folder; return what it printed. Raises TerraformFailed on any other exit code."""
    finished = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if finished.returncode not in codes:
        raise TerraformFailed(f"terraform {' '.join(arguments)} in {folder.name}:\n{finished.stdout}")
    return finished.stdout


def init(folder: Path) -> None:
    """Make a folder ready. Terraform says of the providers' folder that one process at a time may fill it."""
    with one_at_a_time(PLUGINS):
        terraform(folder, "init", "-no-color", "-input=false")


@dataclass(frozen=True)
class Plan:
    """What a plan says will be there: resources by address, each with type, name, index and values."""

    resources: Mapping[str, Json]
    changes: tuple[str, ...]
    """Addresses that the plan would change, when it is made right after an apply."""

    def of_type(self, kind: str, module: str = "") -> list[Json]:
        """Values of all resources of a type; `module` keeps those whose address has it."""
        return [
            resource["values"]
            for address, resource in sorted(self.resources.items())
            if resource["type"] == kind and module in address
        ]

    def one(self, kind: str, module: str = "") -> Json:
        """Values of the only resource of a type. Raises ValueError when there is none, or another."""
        (values,) = self.of_type(kind, module)
        return values


def deploy(folder: Path, variables: Mapping[str, str]) -> Plan:
    """Apply with the stand-in provider, then plan again: everything is known in that second plan."""
    values = [f"-var={name}={value}" for name, value in variables.items()]
    init(folder)
    terraform(folder, "apply", "-no-color", "-input=false", "-auto-approve", *values)
    terraform(folder, "plan", "-no-color", "-input=false", "-out=plan", *values)
    document = json.loads(terraform(folder, "show", "-json", "plan"))
    changes = [each for each in document.get("resource_changes", []) if each["change"]["actions"] != ["no-op"]]
    outputs = [
        f"output.{name}" for name, each in document.get("output_changes", {}).items() if each["actions"] != ["no-op"]
    ]
    resources = {each["address"]: each for each in _resources(document["planned_values"]["root_module"])}
    return Plan(resources, (*(each["address"] for each in changes), *outputs))


def _resources(module: Json) -> list[Json]:
    own = [each for each in module.get("resources", []) if each["mode"] == "managed"]
    return own + [each for child in module.get("child_modules", []) for each in _resources(child)]
