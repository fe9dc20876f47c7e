"""The HTTP API, made from the operations of schemas/openapi.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from waiting_room.schemas import Operation

API_ID = "feedc0de"
"""Eight hexadecimal digits: ministack serves the Host form of the address for such ids only."""


def known_stage(gateway: Any, name: str) -> str | None:
    """Return the stage of an API that was set up earlier; None without one."""
    api_id = _find(gateway, name)
    stages = gateway.get_stages(ApiId=api_id)["Items"] if api_id else []
    return next((str(stage["StageName"]) for stage in stages if stage["StageName"] != "$default"), None)


def ensure_api(
    gateway: Any,
    name: str,
    stage: str,
    operations: Iterable[Operation],
    function_arns: Mapping[str, str],
    signed: set[str],
) -> tuple[str, list[str]]:
    """Create the API, its integrations, routes and stage where they are missing, and remove routes no longer named.

    Operations whose id is in `signed` need AWS credentials. Return the API's id and what was done.
    """
    done: list[str] = []
    api_id = _find(gateway, name)
    if api_id is None:
        api_id = gateway.create_api(Name=name, ProtocolType="HTTP", Tags={"ms-custom-id": API_ID})["ApiId"]
        done.append(f"api {name} created")
    integrations = _integrations(gateway, api_id)
    for component, arn in function_arns.items():
        if arn not in integrations:
            integrations[arn] = gateway.create_integration(
                ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
            )["IntegrationId"]
            done.append(f"integration {component} created")
    wanted = {
        f"{operation.method} {operation.path}": (
            f"integrations/{integrations[function_arns[operation.function]]}",
            "AWS_IAM" if operation.operation_id in signed else "NONE",
        )
        for operation in operations
    }
    done += _ensure_routes(gateway, api_id, wanted)
    if stage not in {known["StageName"] for known in gateway.get_stages(ApiId=api_id)["Items"]}:
        gateway.create_stage(ApiId=api_id, StageName=stage, AutoDeploy=True)
        done.append("stage created")
    return api_id, done


def api_url(endpoint: str, api_id: str, stage: str) -> str:
    """Return the address requests go to, without a trailing slash."""
    return f"{endpoint}/_aws/execute-api/{api_id}/{stage}"


def _find(gateway: Any, name: str) -> str | None:
    return next((api["ApiId"] for api in gateway.get_apis(MaxResults="100")["Items"] if api["Name"] == name), None)


def _integrations(gateway: Any, api_id: str) -> dict[str, str]:
    items = gateway.get_integrations(ApiId=api_id, MaxResults="100")["Items"]
    return {item["IntegrationUri"]: item["IntegrationId"] for item in items}


def _ensure_routes(gateway: Any, api_id: str, wanted: Mapping[str, tuple[str, str]]) -> list[str]:
    done = []
    current = {route["RouteKey"]: route for route in gateway.get_routes(ApiId=api_id, MaxResults="100")["Items"]}
    for key, (target, authorization) in wanted.items():
        if key not in current:
            gateway.create_route(ApiId=api_id, RouteKey=key, Target=target, AuthorizationType=authorization)
            done.append(f"route {key} created")
        elif (current[key]["Target"], current[key]["AuthorizationType"]) != (target, authorization):
            gateway.update_route(
                ApiId=api_id, RouteId=current[key]["RouteId"], Target=target, AuthorizationType=authorization
            )
            done.append(f"route {key} updated")
    for key in current.keys() - wanted.keys():
        gateway.delete_route(ApiId=api_id, RouteId=current[key]["RouteId"])
        done.append(f"route {key} deleted")
    return done
