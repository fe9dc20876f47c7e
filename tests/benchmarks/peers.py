"""What is compared with, installed into build/ and nowhere else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "benchmarks"


def connector_packages() -> Path | None:
    """The folder with the npm packages; None, said in one line, where node, npm or the registry is missing."""
    target = BUILD / "connector"
    packages = target / "node_modules"
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("connector: left out, node and npm are missing: install Node.js 18 or newer")
        return None
    if not (packages / "@queue-it" / "connector-javascript").is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "connector" / name, target)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(command, cwd=target, check=False).returncode:
            print("connector: left out, npm could not install it")
            return None
    return packages


def use_authorizer_packages() -> bool:
    """Make the authorizer's library importable; False, said in one line, where it cannot be installed."""
    target = BUILD / "python"
    if not (target / "jwcrypto").is_dir():
        requirements = str(HERE / "requirements.txt")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--target", str(target), "--requirement", requirements]
        if subprocess.run(command, check=False).returncode:
            print("authorizer: left out, pip could not install jwcrypto")
            return False
    if str(target) not in sys.path:
        sys.path.append(str(target))
    return True
