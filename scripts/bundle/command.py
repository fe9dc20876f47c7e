"""Build the zips that are deployed and the packages that are installed; the same sources always give the same bytes."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.bundle import contents, packages, sbom, wheels
from scripts.bundle.archive import Entries, write, zipped

ROOT = Path(__file__).resolve().parents[2]

LOCK = "requirements-layer.lock"
CHECKSUMS = "SHA256SUMS"
SBOM = "sbom.cdx.json"


def archives(root: Path, cache: Path, settings: Mapping[str, Any] | None) -> dict[str, Entries]:
    """Return the entries of every zip by file name. Raises wheels.DownloadFailed or FileNotFoundError."""
    files = {name: wheels.download(root / LOCK, name, cache) for name in wheels.PLATFORMS}
    result: dict[str, Entries] = {
        f"layer-{name}.zip": contents.layer(root, wheels.unpacked(found)) for name, found in files.items()
    }
    for component, spec in contents.functions(root).items():
        if spec["edge"]:
            third_party = wheels.unpacked(files[spec["architecture"]], contents.EDGE_DISTRIBUTIONS)
            result[f"{component}.zip"] = contents.edge_bundle(root, third_party, settings)
        else:
            result[f"{component}.zip"] = contents.function(root, component)
    return result


def local_archives(root: Path) -> dict[str, Entries]:
    """Return what the local stack deploys: the layer without third-party packages, and the regional functions."""
    regional = [component for component, spec in contents.functions(root).items() if not spec["edge"]]
    return {
        "layer-local.zip": contents.layer(root),
        **{f"{component}.zip": contents.function(root, component) for component in regional},
    }


def for_sites(root: Path) -> dict[str, bytes]:
    """Return the packages for a site's own servers by file name: a wheel and an npm tarball."""
    origin = root / "scripts" / "origin"
    return dict([packages.python_package(root, origin / "python"), packages.npm_package(root, origin / "node")])


def build(root: Path, target: Path, *, local: bool = False, settings: Mapping[str, Any] | None = None) -> list[str]:
    """Write every zip and package, the bill of materials and the checksums; return one line about each.

    Raises like `archives`. `local` leaves out all but what the local stack deploys.
    """
    entries = local_archives(root) if local else archives(root, target / "wheels", settings)
    contents_of = {name: zipped(files) for name, files in sorted(entries.items())}
    notes = {name: f"{len(files)} files" for name, files in entries.items()}
    if not local:
        contents_of |= dict([contents.command_line(root)]) | for_sites(root)
        contents_of[SBOM] = json.dumps(_bill(root, target / "wheels"), indent=2).encode() + b"\n"
    # As sha256sum writes and checks them.
    sums = "".join(f"{_digest(content)}  {name}\n" for name, content in sorted(contents_of.items()))
    return [
        _written(target, name, content, notes.get(name, "1 file"))
        for name, content in {**contents_of, CHECKSUMS: sums.encode()}.items()
    ]


def _written(target: Path, name: str, content: bytes, note: str) -> str:
    state = "written" if write(target / name, content) else "unchanged"
    return f"{_digest(content)}  {name}  {len(content):>9,} bytes  {note}  {state}"


def _bill(root: Path, cache: Path) -> dict[str, Any]:
    """The bill of materials of this version, from the wheels that were packed."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packed = [wheel for name in wheels.PLATFORMS for wheel in wheels.download(root / LOCK, name, cache)]
    return sbom.bill(project["name"], project["version"], (root / LOCK).read_text(encoding="utf-8"), packed)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    """Run from the command line; the exit code is 0 or 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="directory of the zips (default: build)")
    parser.add_argument("--local", action="store_true", help="only what the local stack needs; fetches nothing")
    parser.add_argument("--wheel", action="store_true", help="only the wheel of `wr`; fetches nothing")
    parser.add_argument("--settings", type=Path, help="JSON file that becomes the gatekeeper's settings.json")
    arguments = parser.parse_args()
    settings = json.loads(arguments.settings.read_text(encoding="utf-8")) if arguments.settings else None
    if arguments.wheel:
        print(_written(arguments.output, *contents.command_line(ROOT), "1 file"))
        return 0
    try:
        lines = build(ROOT, arguments.output, local=arguments.local, settings=settings)
    except (wheels.DownloadFailed, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0
