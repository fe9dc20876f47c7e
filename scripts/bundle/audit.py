"""Look up known faults of the packages that are pinned, with pip-audit; `make audit` installs it and calls this."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements-layer.lock", "requirements.lock")


def main() -> int:
    """Return 0 when nothing is known against any package, 1 for faults, 2 when nobody could say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="path of pip-audit")
    program = parser.parse_args().program
    locks = [part for name in LOCKS for part in ("--requirement", str(ROOT / name))]
    command = [program, "--format", "json", "--progress-spinner", "off", "--disable-pip", "--require-hashes", *locks]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"Nothing was audited: {done.stderr.strip().splitlines()[-1:] or ['pip-audit said nothing']}")
        return 2
    report, code = verdict(dependencies)
    print(report)
    return code


def verdict(dependencies: Iterable[Mapping[str, Any]]) -> tuple[str, int]:
    """What is to be said of pip-audit's findings, and the exit code."""
    listed = list(dependencies)
    asked = [each for each in listed if "skip_reason" not in each]
    faults = [
        f"{each['name']} {each['version']}: {fault['id']}, repaired in {', '.join(fault['fix_versions']) or 'nothing'}"
        for each in asked
        for fault in each["vulns"]
    ]
    if faults:
        return "\n".join(faults), 1
    if not asked:
        return "Nothing was audited: the database of faults does not answer here.", 2
    unknown = len(listed) - len(asked)
    return f"Nothing is known against {len(asked)} packages; {unknown} could not be looked up.", 0 if not unknown else 2


if __name__ == "__main__":
    sys.exit(main())
