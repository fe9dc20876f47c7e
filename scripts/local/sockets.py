"""The WebSocket API, made from schemas/websocket.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

API_ID = "feedc0d1"


def ensure_api(gateway: Any, name: str) -> tuple[str, list[str]]:
    """Create the API unless it exists: functions are told its address before there is anything to route to.

    Return its id and what was done.
    """
    for known in gateway.get_apis(MaxResults="100")["Items"]:
        if known["Name"] == name:
            return known["ApiId"], []
    made = gateway.create_api(
        Name=name,
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
        Tags={"ms-custom-id": API_ID},
    )
    return made["ApiId"], [f"api {name} created"]


def ensure_routes(gateway: Any, api_id: str, stage: str, schema: Mapping[str, Any], function_arn: str) -> list[str]:
    """Create what is missing of the integration, the routes and the stage. Return what was done."""
    done: list[str] = []
    integrations = gateway.get_integrations(ApiId=api_id, MaxResults="100")["Items"]
    known = {item["IntegrationUri"]: item["IntegrationId"] for item in integrations}
    if function_arn not in known:
        known[function_arn] = gateway.create_integration(
            ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=function_arn
        )["IntegrationId"]
        done.append("integration websocket created")
    target = f"integrations/{known[function_arn]}"
    routes = {route["RouteKey"] for route in gateway.get_routes(ApiId=api_id, MaxResults="100")["Items"]}
    for route in schema["routes"]:
        if route["route_key"] not in routes:
            gateway.create_route(ApiId=api_id, RouteKey=route["route_key"], Target=target)
            done.append(f"route {route['route_key']} created")
    if stage not in {known["StageName"] for known in gateway.get_stages(ApiId=api_id)["Items"]}:
        gateway.create_stage(ApiId=api_id, StageName=stage, AutoDeploy=True)
        done.append("stage of the WebSocket API created")
    return done


def stage_url(endpoint: str, api_id: str, stage: str) -> str:
    """Return where the stage is reached: WebSockets open here, and messages to them are posted below it."""
    return f"{endpoint}/_aws/execute-api/{api_id}/{stage}"
