"""The deployed zips: the same bytes every time, and an edge bundle that needs nothing but itself."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.bundle import archive, contents, imports, wheels
from scripts.bundle import command as build_script

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {"snapshot_path": "/.waiting-room/gate-0.json", "issuer": "foyer"}

MEBIBYTE = 1024 * 1024
AARCH64, X86_64 = b"\xb7\x00", b"\x3e\x00"
"""Machine numbers of ELF files, as they lie in them."""

PROBE = """
import json, sys
sys.path[:] = [sys.argv[1], *[entry for entry in sys.path if "site-packages" not in entry]]
import handler
event = json.loads(sys.argv[2])
answer = handler.handler(event, None)
ours = sorted(name for name, module in sys.modules.items()
              if (getattr(module, "__file__", None) or "").startswith(sys.argv[1]))
print(json.dumps({"status": answer["status"], "modules": ours}))
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what is built from, with other times, modes and left-overs than the original."""
    for folder in ("lambdas", "layer", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, copy_function=shutil.copyfile)
    for path in tmp_path.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o600)
    left_over = tmp_path / "layer" / "python" / "waiting_room" / "__pycache__"
    left_over.mkdir(exist_ok=True)
    left_over.joinpath("config.cpython-399.pyc").write_bytes(b"x")
    tmp_path.joinpath("lambdas", "bouncer", ".handler.py.swp").write_bytes(b"x")
    return tmp_path


def edge_bundle(root: Path) -> bytes:
    """Return the edge bundle for the interpreter that runs the tests."""
    packages = wheels.installed(contents.EDGE_DISTRIBUTIONS)
    return archive.zipped(contents.edge_bundle(root, packages, SETTINGS))


def test_the_same_sources_give_the_same_bytes(checkout: Path) -> None:
    here, there = (build_script.local_archives(root) for root in (ROOT, checkout))
    assert here.keys() == there.keys()
    assert len(here) >= 6
    for name in here:
        assert archive.zipped(here[name]) == archive.zipped(there[name]), name
    assert edge_bundle(ROOT) == edge_bundle(checkout)


def test_a_second_build_changes_no_file(tmp_path: Path) -> None:
    first = build_script.build(ROOT, tmp_path, local=True)
    second = build_script.build(ROOT, tmp_path, local=True)
    assert all(line.endswith("  written") for line in first)
    assert [line.replace("unchanged", "written") for line in second] == first


def test_a_zip_says_nothing_of_the_machine_it_was_made_on() -> None:
    content = archive.zipped({"b/two.txt": b"2", "a.txt": b"1"})
    assert content == archive.zipped({"a.txt": b"1", "b/two.txt": b"2"})
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert made.namelist() == ["a.txt", "b/two.txt"]
        assert {(info.date_time, info.external_attr >> 16) for info in made.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o100644)
        }


def test_every_function_has_its_handler_and_the_publisher_its_site() -> None:
    made = build_script.local_archives(ROOT)
    regional = {name for name, spec in contents.functions(ROOT).items() if not spec["edge"]}
    assert made.keys() == {f"{name}.zip" for name in regional} | {"layer-local.zip"}
    for name in regional:
        module = contents.functions(ROOT)[name]["handler"].split(".")[0]
        assert f"{module}.py" in made[f"{name}.zip"]
    assert any(name.startswith("site/") for name in made["publisher.zip"])


def test_the_layer_holds_the_package_and_every_schema() -> None:
    entries = contents.layer(ROOT)
    schemas = {
        path.relative_to(ROOT / "schemas").as_posix() for path in (ROOT / "schemas").rglob("*") if path.is_file()
    }
    assert schemas == {
        name.removeprefix("python/waiting_room/schemas_data/") for name in entries if "schemas_data" in name
    }
    assert "python/waiting_room/__init__.py" in entries
    assert not [name for name in entries if "__pycache__" in name]


def run_isolated(bundle: Path, event: dict[str, Any]) -> dict[str, Any]:
    """Run the handler with the standard library and the bundle, and nothing else of this machine."""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE, str(bundle), json.dumps(event)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def test_the_edge_bundle_needs_nothing_but_itself(tmp_path: Path) -> None:
    tmp_path.joinpath("bundle.zip").write_bytes(edge_bundle(ROOT))
    bundle = tmp_path / "bundle"
    with zipfile.ZipFile(tmp_path / "bundle.zip") as made:
        made.extractall(bundle)
    request = {"method": "GET", "uri": "/", "querystring": "", "clientIp": "127.0.0.1", "headers": {}}
    # Port 9 of the discard service: nobody listens there, and nothing may pass without a snapshot.
    config = {"distributionDomainName": "127.0.0.1:9", "eventType": "viewer-request", "requestId": "1"}
    answer = run_isolated(bundle, {"Records": [{"cf": {"config": config, "request": request}}]})
    assert answer["status"] == "503"
    assert "waiting_room.domain.gate.gate" in answer["modules"]
    assert any(name.startswith("cryptography") for name in answer["modules"])


def test_the_edge_bundle_leaves_out_what_the_gate_does_not_import() -> None:
    entries = contents.edge_bundle(ROOT, {}, None)
    assert "waiting_room/domain/gate/gate.py" in entries
    assert not [name for name in entries if name.startswith(("waiting_room/adapters/", "waiting_room/use_cases/"))]
    assert "settings.json" not in entries


def test_imports_are_followed_into_packages_and_functions(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.joinpath("deep").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "a.py": "def late():\n    import pack.deep.b\n",
        "unused.py": "",
        "deep/__init__.py": "from pack import c as c, VALUE\n",
        "deep/b.py": "import json\n",
        "c.py": "",
    }.items():
        package.joinpath(name).write_text(text, encoding="utf-8")
    start = tmp_path / "start.py"
    start.write_text("from pack.a import late\n", encoding="utf-8")
    found = imports.needed_modules(start, "pack", tmp_path)
    assert sorted(found) == ["pack", "pack.a", "pack.c", "pack.deep", "pack.deep.b"]


def test_a_component_without_a_handler_is_named(checkout: Path) -> None:
    checkout.joinpath("lambdas", "bouncer", "handler.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"lambdas/bouncer/handler\.py is missing"):
        build_script.local_archives(checkout)


def test_wheels_are_laid_out_as_installers_do(tmp_path: Path) -> None:
    wheel = tmp_path / "Some_Thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for name in (
            "some_thing/__init__.py",
            "some_thing-1.0.dist-info/METADATA",
            "some_thing-1.0.dist-info/RECORD",
            "some_thing-1.0.data/purelib/extra.py",
            "some_thing-1.0.data/scripts/tool",
        ):
            made.writestr(name, name)
    expected = ["extra.py", "some_thing-1.0.dist-info/METADATA", "some_thing/__init__.py"]
    assert sorted(wheels.unpacked([wheel])) == expected
    assert sorted(wheels.unpacked([wheel], only=["some-thing"])) == expected
    assert wheels.unpacked([wheel], only=["other"]) == {}


@pytest.fixture(scope="module")
def deployed() -> dict[str, archive.Entries]:
    """Return what `make build` packs; the wheels come from the registry once and are kept in build/wheels."""
    try:
        return build_script.archives(ROOT, ROOT / "build" / "wheels", SETTINGS)
    except wheels.DownloadFailed as error:
        pytest.skip(f"the package registry cannot be reached: {error}")


def test_native_modules_are_of_the_architecture_the_function_runs_on(deployed: dict[str, archive.Entries]) -> None:
    for name, machine in (("layer-arm64.zip", AARCH64), ("layer-x86_64.zip", X86_64), ("gatekeeper.zip", X86_64)):
        native = {path: content for path, content in deployed[name].items() if path.endswith(".so")}
        assert {content[18:20] for content in native.values()} == {machine}, name
        assert any("cryptography" in path for path in native)


def test_zips_stay_below_the_limits_of_lambda(deployed: dict[str, archive.Entries]) -> None:
    for name, entries in deployed.items():
        assert sum(map(len, entries.values())) < 250 * MEBIBYTE, name
    assert len(archive.zipped(deployed["gatekeeper.zip"])) < 50 * MEBIBYTE
    assert json.loads(deployed["gatekeeper.zip"]["settings.json"]) == SETTINGS


def test_what_is_pinned_for_the_layer_is_what_the_tests_run_with() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        pinned = [line.split(";")[0].rstrip("\\ ").split("==") for line in lines if "==" in line and line[0].isalnum()]
        return {wheels.normalised(distribution): version for distribution, version in pinned}

    layer, everything = pins(build_script.LOCK), pins("requirements.lock")
    assert set(contents.EDGE_DISTRIBUTIONS) <= layer.keys()
    assert {name: everything[name] for name in layer} == layer
