"""One word finds API, code, rights and tests: a name that drifts between schemas and code fails here."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from scripts.deployment.names import Names, Secrets
from tests.unit.house.test_schemas import ROOT, TABLES
from waiting_room import config, schemas
from waiting_room.domain import locations
from waiting_room.domain.admission import status
from waiting_room.domain.errors import WaitingRoomError
from waiting_room.domain.gate import redirects, snapshot
from waiting_room.domain.line import places
from waiting_room.domain.zone import machines, phases, proofs, zones
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.zones import ClaimRules, PollRules, SessionRules, Zone
from waiting_room.edge import responses
from waiting_room.edge.settings import settings_of
from waiting_room.http.alerts_api import AlertsApi
from waiting_room.http.credentials import JOIN_CLAIM_COOKIE
from waiting_room.http.door_api import DoorApi
from waiting_room.http.frame.cookies import cookie_name
from waiting_room.http.frame.errors import STATUS_OF
from waiting_room.http.frame.request import LANGUAGE_COOKIE
from waiting_room.http.link_api import LinkApi
from waiting_room.http.move_api import MoveApi
from waiting_room.http.operator_api import OperatorApi
from waiting_room.http.phone_api import PhoneApi
from waiting_room.http.site_api import SiteApi
from waiting_room.http.visitor_api import VisitorApi
from waiting_room.use_cases import announce

PACKAGE = ROOT / "layer" / "python" / "waiting_room"
APIS: dict[str, list[type[Any]]] = {
    "bouncer": [VisitorApi, LinkApi, MoveApi, AlertsApi, PhoneApi, SiteApi, DoorApi],
    "operator": [OperatorApi],
}
ZONE = schemas.load("zone")


def endpoint_ids(kind: type[Any]) -> set[str]:
    """The operations a class has endpoints for; naming them needs none of its parts."""
    return set(kind(**{field.name: None for field in dataclasses.fields(kind)}).endpoints())


def as_document(part: Any) -> Any:
    """A part of a zone as plain data."""
    if isinstance(part, tuple):
        return [as_document(item) for item in part]
    return dataclasses.asdict(part) if dataclasses.is_dataclass(part) and not isinstance(part, type) else part


def constants(path: Path) -> Iterator[str]:
    """Every text in a module's code, docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            yield node.value


@pytest.mark.parametrize("function", APIS)
def test_every_operation_has_an_endpoint_and_every_endpoint_an_operation(function: str) -> None:
    documented = {name for name, operation in schemas.operations().items() if operation.function == function}
    assert set().union(*(endpoint_ids(kind) for kind in APIS[function])) == documented


@pytest.mark.parametrize("operation", schemas.operations().values(), ids=schemas.operations())
def test_every_operation_has_its_use_case(operation: schemas.Operation) -> None:
    assert importlib.util.find_spec(f"waiting_room.use_cases.{operation.use_case}") is not None


def test_every_function_has_a_folder_and_every_folder_a_function() -> None:
    folders = {path.name for path in (ROOT / "lambdas").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == schemas.functions().keys()


@pytest.mark.parametrize(("component", "spec"), schemas.functions().items())
def test_every_handler_is_where_its_function_says_and_needs_nothing_to_be_imported(
    component: str, spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for names in (each["environment"] for each in schemas.functions().values()):
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for entry in (spec[name] for name in ("handler", "open_handler") if name in spec):
        file, _, function = entry.partition(".")
        module = importlib.import_module(f"lambdas.{component}.{file}")
        assert callable(getattr(module, function))


@pytest.mark.parametrize(("component", "spec"), schemas.functions().items())
def test_settings_and_environment_are_the_same(component: str, spec: dict[str, Any]) -> None:
    settings = getattr(config, f"{component.capitalize()}Config", None)
    names = [] if settings is None else [field.name.upper() for field in dataclasses.fields(settings)]
    assert sorted(names) == sorted(spec["environment"])
    assert set(names) <= Names().environment(Secrets("secret", "key")).keys()


def test_every_class_of_settings_belongs_to_a_function() -> None:
    components = {name.removesuffix("Config").lower() for name in vars(config) if name.endswith("Config")}
    assert components <= schemas.functions().keys()


def test_keys_of_tables_are_written_in_the_schemas_alone() -> None:
    tables = [schemas.table(name) for name in TABLES]
    keys = {table[part]["name"] for table in tables for part in ("partition_key", "sort_key") if part in table}
    # These are also names of ordinary fields; the others are nothing but keys where items are read and written.
    own = {*keys, *(table["ttl_attribute"] for table in tables)} - {"zone_id", "item", "entry"}
    modules = [path for folder in ("adapters", "use_cases") for path in (PACKAGE / folder).glob("*.py")]
    spelled = [(path.name, text) for path in modules for text in constants(path) if text in own]
    assert spelled == []


def test_adapters_make_keys_by_the_schema() -> None:
    for path in (PACKAGE / "adapters").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("Key", "Item"):
                assert not isinstance(node.value, ast.Dict), f"{path.name}:{node.value.lineno}"


def test_a_zone_has_the_fields_of_its_schema() -> None:
    assert set(ZONE["properties"]) == {field.name for field in dataclasses.fields(Zone)}
    assert {name for name, field in ZONE["properties"].items() if field.get("readOnly")} == set(zones.SERVER_FIELDS)
    assert set(ZONE["$defs"]["setting"]["enum"]) == set(ZONE["properties"]) - {"zone_id", *zones.SERVER_FIELDS}


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (Zone, ZONE),
        (SessionRules, ZONE["properties"]["session"]),
        (ClaimRules, ZONE["properties"]["claim"]),
        (PollRules, ZONE["properties"]["poll"]),
        (ProofRules, ZONE["properties"]["proof_of_work"]),
    ],
)
def test_parts_of_a_zone_have_the_fields_and_defaults_of_the_schema(kind: type[Any], schema: dict[str, Any]) -> None:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert fields.keys() == schema["properties"].keys()
    for name, part in schema["properties"].items():
        field = fields[name]
        if field.default_factory is not dataclasses.MISSING:
            made = field.default_factory()
            assert as_document(made) == as_document(type(made)(**part["default"]))
        elif name not in schema.get("required", ()):
            assert as_document(field.default) == part.get("default"), name


@pytest.mark.parametrize(
    ("choices", "schema"),
    [
        (get_args(zones.Mode), ZONE["properties"]["mode"]),
        (get_args(zones.Control), ZONE["properties"]["control"]),
        (get_args(zones.LeaseKind), ZONE["properties"]["session"]["properties"]["kind"]),
        (get_args(zones.LeaseKind), schemas.components()["AccessToken"]["properties"]["lease_kind"]),
        (get_args(proofs.ProofMode), ZONE["properties"]["proof_of_work"]["properties"]["mode"]),
        (get_args(proofs.WithoutScripts), ZONE["properties"]["proof_of_work"]["properties"]["without_scripts"]),
        (get_args(machines.Treatment), ZONE["$defs"]["treatment"]),
        (get_args(places.Status), schemas.components()["Place"]["properties"]["status"]),
        (get_args(places.StoredStatus), schemas.components()["VisitorView"]["properties"]["stored_status"]),
        (get_args(phases.Phase), schemas.load("status")["$defs"]["phase"]),
        (snapshot.CONTROLS, ZONE["properties"]["control"]),
        (snapshot.ENTRIES, schemas.load("snapshot")["$defs"]["zone"]["properties"]["entry"]),
        (get_args(zones.NetworkBinding), ZONE["properties"]["network_binding"]),
        (snapshot.NETWORK_BINDINGS, ZONE["properties"]["network_binding"]),
        (snapshot.SESSION_KINDS, ZONE["properties"]["session"]["properties"]["kind"]),
    ],
)
def test_choices_are_the_same(choices: tuple[str, ...], schema: dict[str, Any]) -> None:
    assert sorted(choices) == sorted(schema["enum"])


@pytest.mark.parametrize(
    ("pattern", "name"), [(zones.ZONE_ID, "zone_id"), (zones.LANE_ID, "lane_id"), (zones.VISITOR_ID, "visitor_id")]
)
def test_ids_look_the_same(pattern: re.Pattern[str], name: str) -> None:
    assert pattern.pattern.replace(r"\A", "^").replace(r"\Z", "$") == ZONE["$defs"][name]["pattern"]


def test_every_problem_has_a_status_and_is_documented_with_it() -> None:
    def tree(kind: type[WaitingRoomError]) -> Iterator[type[WaitingRoomError]]:
        for child in kind.__subclasses__():
            yield child
            yield from tree(child)

    raised = {kind.problem for kind in tree(WaitingRoomError)}
    assert raised == STATUS_OF.keys()
    documented = problems_by_status()
    # A wrong method is no operation's answer.
    missing = {(name, status) for name, status in STATUS_OF.items() if name not in documented.get(status, "")}
    assert missing == {("wrong-method", 405)}


def problems_by_status() -> dict[int, str]:
    """What the document says of each status that operations answer with."""
    document = schemas.openapi()
    said: dict[int, str] = {}
    for item in document["paths"].values():
        for operation in item.values():
            for code, response in operation["responses"].items():
                name = response.get("$ref", "").rpartition("/")[2]
                text = document["components"]["responses"][name]["description"] if name else response["description"]
                said[int(code)] = said.get(int(code), "") + text
    return said


def test_the_prefix_is_the_same() -> None:
    assert schemas.behaviours()["prefix"] == redirects.PREFIX
    assert all(operation.path.startswith(redirects.PREFIX + "/") for operation in schemas.operations().values())


@pytest.mark.parametrize(
    ("make", "operation_id"),
    [
        (locations.enter_url, "enter_zone"),
        (locations.renew_url, "renew_session_redirect"),
        (locations.move_url, "open_link"),
        (locations.invitation_url, "open_invitation"),
        (locations.bypass_url, "open_bypass"),
    ],
)
def test_visitors_are_sent_to_operations(make: Callable[[str, str | None], str], operation_id: str) -> None:
    assert make("{zone_id}", None) == schemas.operations()[operation_id].path


def test_the_gatekeeper_looks_for_the_snapshot_where_its_behaviour_serves_it() -> None:
    patterns = {entry["name"]: entry["path_pattern"] for entry in schemas.behaviours()["behaviours"]}
    name = f"{Names().function('gatekeeper')}-{'0' * 32}"
    assert settings_of(name, "refuse").snapshot_path == patterns["snapshot"].replace("*", "0" * 32)
    assert settings_of(name, "refuse").issuer == Names().deployment


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (locations.page_path("a"), "pages"),
        ("/" + status.status_key("a"), "status"),
        (f"/.waiting-room/{'gate-' + '0' * 32}.json", "snapshot"),
    ],
)
def test_objects_lie_where_a_behaviour_serves_them(path: str, name: str) -> None:
    patterns = {entry["name"]: entry["path_pattern"] for entry in schemas.behaviours()["behaviours"]}
    assert re.fullmatch(re.escape(patterns[name]).replace(r"\*", ".*"), path)


def test_the_status_document_is_cached_as_its_behaviour_says() -> None:
    said = {entry["name"]: entry["cache_control"] for entry in schemas.behaviours()["behaviours"]}
    assert said["status"] == announce.STATUS_CACHE


def test_cookies_are_documented_by_their_names() -> None:
    schemes = schemas.openapi()["components"]["securitySchemes"]
    for kind in ("visitor", "access"):
        assert schemes[f"{kind}_cookie"]["name"] == cookie_name(kind, "{zone_id}")


def test_the_api_is_sent_the_cookies_it_reads_and_no_others() -> None:
    read = {cookie_name(kind, "*") for kind in ("visitor", "access")} | {JOIN_CLAIM_COOKIE, LANGUAGE_COOKIE}
    assert set(schemas.behaviours()["own_cookies"]) == read


def test_the_gate_says_the_same_headers_as_the_api_and_the_bucket() -> None:
    """It reads no file, so it has them written down; a page of its own has its style in it, hence the digest."""
    headers = schemas.behaviours()["headers"]
    said = {name.lower(): value for name, value in responses._SECURITY_HEADERS.items()}
    assert headers["every"].items() | headers["data"].items() <= said.items()
    assert responses._PAGE_HEADERS["X-Frame-Options"] == headers["page"]["x-frame-options"]
    assert responses._PAGE_HEADERS["Content-Security-Policy"].endswith("; frame-ancestors 'none'")


def test_no_two_classes_of_the_product_share_a_name() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
