"""The software bill of materials: what is in the zips that is not ours, as CycloneDX JSON.

Made from the lock file and from the wheels that were packed, so that it lists what is deployed and nothing else. The
same inputs give the same bytes: no time and no random number is in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from scripts.bundle.wheels import normalised

SPEC_VERSION = "1.6"
NAMESPACE = uuid.UUID("a3b7a9a2-5a57-5b0b-9d4c-3f8c2f1f6d0e")
"""Serial numbers are made from this and from the content: another content, another number."""

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)")
_VIA = re.compile(r"#\s+(?:via\s+)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*$")
_DIRECT = re.compile(r"#\s+(?:via\s+)?-r\s")


class MissingWheel(Exception):
    """Raised when a pinned distribution was packed from no wheel; the text names it."""


@dataclass
class Pin:
    """One distribution of the lock file; `via` are the ones that need it, `direct` says that we do."""

    name: str
    version: str
    via: list[str] = field(default_factory=list)
    direct: bool = False


def pins(lock: str) -> list[Pin]:
    """The distributions of a lock file made by uv or pip-tools, in its order."""
    found: list[Pin] = []
    for line in lock.splitlines():
        if pin := _PIN.match(line):
            found.append(Pin(normalised(pin["name"]), pin["version"]))
        elif found and _DIRECT.search(line):
            found[-1].direct = True
        elif found and line.startswith("    #") and (via := _VIA.search(line)) and via["name"] != "via":
            found[-1].via.append(normalised(via["name"]))
    return found


def bill(name: str, version: str, lock: str, wheels: Iterable[Path]) -> dict[str, Any]:
    """The bill of materials of a release. Raises MissingWheel when a wheel of the lock file is not among `wheels`."""
    packed = _by_distribution(wheels)
    listed = pins(lock)
    components = [_component(pin, packed.get((pin.name, pin.version), [])) for pin in listed]
    own = f"{name}@{version}"
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": sorted(_reference(pin) for pin in listed if pin.direct)},
            *(
                {"ref": _reference(pin), "dependsOn": sorted(_reference(o) for o in listed if pin.name in o.via)}
                for pin in listed
            ),
        ],
    }
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, json.dumps(document, sort_keys=True))}"
    return document


def _component(pin: Pin, wheels: list[Path]) -> dict[str, Any]:
    if not wheels:
        raise MissingWheel(f"{pin.name} {pin.version} is pinned, and was packed from no wheel")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _reference(pin),
        "name": pin.name,
        "version": pin.version,
        "purl": _reference(pin),
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{pin.name}/{pin.version}/",
                "comment": wheel.name,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
            }
            for wheel in wheels
        ],
    }
    if licence := _licence(_metadata(wheels[0])):
        component["licenses"] = [licence]
    return component


def _reference(pin: Pin) -> str:
    return f"pkg:pypi/{pin.name}@{pin.version}"


def _by_distribution(wheels: Iterable[Path]) -> Mapping[tuple[str, str], list[Path]]:
    """Wheels by name and version; one that has no native code is the same for every architecture, and counts once."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    for wheel in sorted(wheels, key=lambda path: path.name):
        name, version = wheel.name.split("-")[:2]
        found.setdefault((normalised(name), version), {})[wheel.name] = wheel
    return {key: list(wheels.values()) for key, wheels in found.items()}


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def _licence(metadata: Message) -> dict[str, Any] | None:
    """What a distribution says of its licence: an SPDX expression where it has one, else a name."""
    if expression := metadata.get("License-Expression"):
        return {"expression": expression}
    for name in _licence_names(metadata):
        return {"license": {"name": name}}
    return None


def _licence_names(metadata: Message) -> Iterator[str]:
    marker = "License :: OSI Approved :: "
    yield from (text.removeprefix(marker) for text in metadata.get_all("Classifier", []) if text.startswith(marker))
    if (text := str(metadata.get("License", ""))) and "\n" not in text:
        yield text
