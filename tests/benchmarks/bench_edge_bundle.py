"""What the gatekeeper's bundle weighs: zipped bytes, processor time of a cold start, memory after it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from scripts.bundle import contents
from scripts.bundle.archive import zipped
from scripts.bundle.command import ROOT, archives
from scripts.bundle.wheels import DownloadFailed, installed

STARTS = 15
SHARE_OF_128_MB = 128 / 1769
"""Lambda gives a whole virtual processor at 1,769 MB and less in proportion."""

SETTINGS = {"snapshot_path": "/.waiting-room/gate-0.json", "issuer": "foyer"}
PROBE = """
import json, os, time
def resident_kb():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
before_sec, before_kb = time.process_time(), resident_kb()
import handler
handler._gatekeeper()
print(json.dumps([time.process_time() - before_sec, before_kb, resident_kb()]))
"""


def run() -> dict[str, float]:
    """The size, and medians over cold starts of the same sources on this interpreter."""
    results: dict[str, float] = {}
    try:
        entries = archives(ROOT, ROOT / "build" / "wheels", SETTINGS)["gatekeeper.zip"]
        results["edge_bundle_zip_bytes"] = len(zipped(entries))
    except DownloadFailed as error:
        print(f"size of the bundle: left out, {error}")
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        starts = [cold_start(Path(folder)) for _ in range(STARTS)]
    cpu_sec = median(start[0] for start in starts)
    results["edge_import_cpu_ms"] = round(cpu_sec * 1000, 1)
    results["edge_import_at_128_mb_share_ms"] = round(cpu_sec * 1000 / SHARE_OF_128_MB)
    results["edge_memory_mb"] = round(median(start[2] for start in starts) / 1024, 1)
    results["edge_memory_of_our_own_mb"] = round(median(start[2] - start[1] for start in starts) / 1024, 1)
    return results


def unpack(folder: Path) -> None:
    """Lay the bundle out as Lambda does, with this interpreter's own packages; compiled, as after a first start."""
    for name, content in contents.edge_bundle(ROOT, installed(contents.EDGE_DISTRIBUTIONS), SETTINGS).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True)


def cold_start(folder: Path) -> list[float]:
    """Processor seconds of the import, and resident memory before and after, in KB."""
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{PROBE}"]
    measured: list[float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return measured
