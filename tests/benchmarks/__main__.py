"""Run every benchmark (`bench_*.py`, each with `run()`) and write build/bench.json. Names of some: only those."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "build" / "bench.json"


def main(wanted: list[str]) -> int:
    """Run, print a table, and merge into what is there when only some were asked for."""
    names = wanted or sorted(path.stem for path in HERE.glob("bench_*.py"))
    results: dict[str, float] = json.loads(RESULTS.read_text()) if wanted and RESULTS.is_file() else {}
    for name in names:
        print(name, flush=True)
        found: dict[str, float] = importlib.import_module(f"tests.benchmarks.{name}").run()
        width = max(map(len, found), default=0)
        for key, value in found.items():
            print(f"  {key.ljust(width)}  {value:g}")
        results |= found
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
