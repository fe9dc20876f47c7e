"""The bill of materials: what is packed is what is listed, and the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from scripts.bundle import command as build_script
from scripts.bundle.sbom import MissingWheel, bill, pins

ROOT = Path(__file__).resolve().parents[3]
LOCK = """\
# made by a tool
alpha==1.0 \\
    --hash=sha256:00 \\
    --hash=sha256:01
    # via
    #   -c requirements.lock
    #   -r layer/requirements.in
beta-two==2.0.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:02
    # via alpha
gamma==3
    # via
    #   alpha
    #   beta-two
"""


def wheel(folder: Path, name: str, *metadata: str) -> Path:
    """A wheel with nothing in it but its metadata."""
    path = folder / name
    distribution = "-".join(name.split("-")[:2])
    with zipfile.ZipFile(path, "w") as made:
        made.writestr(f"{distribution}.dist-info/METADATA", "\n".join(["Metadata-Version: 2.4", *metadata, "", ""]))
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    return [
        wheel(tmp_path, "alpha-1.0-py3-none-any.whl", "License-Expression: MIT"),
        wheel(tmp_path, "beta_two-2.0.1-cp313-cp313-manylinux_2_28_aarch64.whl", "License: A licence of its own"),
        wheel(
            tmp_path,
            "beta_two-2.0.1-cp313-cp313-manylinux_2_28_x86_64.whl",
            "Classifier: License :: OSI Approved :: BSD License",
        ),
        wheel(tmp_path, "gamma-3-py3-none-any.whl"),
    ]


def test_a_lock_file_tells_versions_and_who_needs_whom() -> None:
    alpha, beta, gamma = pins(LOCK)
    assert (alpha.name, alpha.version, alpha.direct, alpha.via) == ("alpha", "1.0", True, [])
    assert (beta.name, beta.version, beta.direct, beta.via) == ("beta-two", "2.0.1", False, ["alpha"])
    assert gamma.via == ["alpha", "beta-two"]


def test_each_distribution_is_listed_with_its_licence_and_the_wheels_that_were_packed(wheels: list[Path]) -> None:
    document = bill("foyer", "1.2.3", LOCK, [*wheels, *wheels])
    alpha, beta, gamma = document["components"]
    assert [each["purl"] for each in (alpha, beta, gamma)] == [
        "pkg:pypi/alpha@1.0",
        "pkg:pypi/beta-two@2.0.1",
        "pkg:pypi/gamma@3",
    ]
    assert alpha["licenses"] == [{"expression": "MIT"}]
    assert beta["licenses"] == [{"license": {"name": "A licence of its own"}}]
    assert "licenses" not in gamma
    digests = [reference["hashes"][0]["content"] for reference in beta["externalReferences"]]
    assert digests == [hashlib.sha256(path.read_bytes()).hexdigest() for path in wheels[1:3]]


def test_the_graph_leads_from_us_to_everything(wheels: list[Path]) -> None:
    document = bill("foyer", "1.2.3", LOCK, wheels)
    graph = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    assert graph == {
        "foyer@1.2.3": ["pkg:pypi/alpha@1.0"],
        "pkg:pypi/alpha@1.0": ["pkg:pypi/beta-two@2.0.1", "pkg:pypi/gamma@3"],
        "pkg:pypi/beta-two@2.0.1": ["pkg:pypi/gamma@3"],
        "pkg:pypi/gamma@3": [],
    }


def test_another_content_has_another_serial_number_and_the_same_the_same(wheels: list[Path]) -> None:
    one, again, other = (bill("foyer", version, LOCK, wheels) for version in ("1", "1", "2"))
    assert one == again
    assert one["serialNumber"] != other["serialNumber"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", one["serialNumber"])


def test_what_was_packed_from_nowhere_is_named(wheels: list[Path]) -> None:
    with pytest.raises(MissingWheel, match=r"gamma 3 is pinned"):
        bill("foyer", "1", LOCK, wheels[:-1])


def test_the_lock_file_of_the_layer_is_understood_whole() -> None:
    text = (ROOT / build_script.LOCK).read_text(encoding="utf-8")
    listed = pins(text)
    assert len(listed) == text.count("==") - text.count(" == ")
    direct = {line.split(">")[0].split("[")[0].split("=")[0].strip().lower() for line in _requirements()}
    assert {pin.name for pin in listed if pin.direct} == direct
    known = {pin.name for pin in listed}
    assert all(set(pin.via) <= known for pin in listed)
    assert all(pin.direct or pin.via for pin in listed)


def _requirements() -> list[str]:
    lines = (ROOT / "layer" / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def test_a_build_writes_checksums_that_are_right(tmp_path: Path) -> None:
    lines = build_script.build(ROOT, tmp_path, local=True)
    sums = (tmp_path / build_script.CHECKSUMS).read_text(encoding="utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == [*(line.split("  ")[1] for line in sums), build_script.CHECKSUMS]
    for line in sums:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert {path.name for path in tmp_path.glob("*.zip")} == {line.split("  ")[1] for line in sums}
