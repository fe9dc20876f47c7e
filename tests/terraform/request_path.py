"""Rebuilds every way to a function from the planned values alone, and names each link that is broken.

A way is: behaviour of the distribution -> origin -> API route -> integration -> function -> handler file; then the
function's variables -> tables, bucket and functions that are there -> rights on just these.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.terraform.components import COMING
from tests.terraform.rights import Rights, pairs
from tests.terraform.workspace import ROOT, Json
from waiting_room.edge.settings import settings_of
from waiting_room.schemas import Operation

DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""Managed-CachingDisabled."""


class RequestPath(Rights):
    """One plan, looked at link by link. `functions` are the entries of schemas/functions.json it was made from."""

    def faults(self, operations: Mapping[str, Operation]) -> Iterator[str]:
        """Everything that is broken."""
        yield from self._behaviours()
        for operation in operations.values():
            yield from self._operation(operation)
        for component, spec in self.functions.items():
            if not spec["edge"]:
                yield from self._function(component, spec)
                yield from self._triggers(component, spec)
        yield from self._gate()
        if "connections" in self.functions:
            yield from self._websocket()

    def behaviour_for(self, path: str) -> Json:
        """What CloudFront does with a path."""
        for each in self.distribution["ordered_cache_behavior"]:
            if fnmatch.fnmatchcase(path, each["path_pattern"]):
                return dict(each)
        return dict(self.distribution["default_cache_behavior"][0])

    def origin(self, behaviour: Json) -> Json:
        """The origin a behaviour leads to; empty when there is none."""
        found = [each for each in self.distribution["origin"] if each["origin_id"] == behaviour["target_origin_id"]]
        return found[0] if len(found) == 1 else {}

    def _behaviours(self) -> Iterator[str]:
        wanted = [
            each["path_pattern"]
            for each in self.behaviours["behaviours"]
            if each["origin"] != "websocket" or "connections" in self.functions
        ]
        planned = [each["path_pattern"] for each in self.distribution["ordered_cache_behavior"]] + ["*"]
        if planned != wanted:
            yield f"behaviours are {planned}, not {wanted}"
        yield from self._errors()
        policies = {each["id"]: each for each in self.plan.of_type("aws_cloudfront_cache_policy")}
        for each in self.behaviours["behaviours"]:
            if each["path_pattern"] not in planned:
                continue
            behaviour = self.behaviour_for(each["path_pattern"].replace("*", "x"))
            cache = self.behaviours["caches"][each["cache"]]
            policy = policies.get(behaviour["cache_policy_id"])
            bounds = (policy["min_ttl"], policy["default_ttl"], policy["max_ttl"]) if policy else None
            if bounds != tuple(cache.values()) and not (
                behaviour["cache_policy_id"] == DISABLED and not any(cache.values())
            ):
                yield f"{each['name']} is kept {bounds}, not {tuple(cache.values())}"
            if sorted(behaviour["allowed_methods"]) != sorted(each["methods"]):
                yield f"{each['name']} takes {behaviour['allowed_methods']}"
            if bool(behaviour["lambda_function_association"]) != each["gate"]:
                yield f"{each['name']}: the gate is where it should not be, or is not where it should be"
            yield from self._origin(each, behaviour)

    def _errors(self) -> Iterator[str]:
        responses = self.distribution["custom_error_response"]
        kept = {str(each["error_code"]): each["error_caching_min_ttl"] for each in responses}
        if kept != self.behaviours["error_caching_min_ttl_sec"]:
            yield f"errors are kept {kept}, not {self.behaviours['error_caching_min_ttl_sec']}"

    def _origin(self, wanted: Json, behaviour: Json) -> Iterator[str]:
        origin = self.origin(behaviour)
        if not origin:
            yield f"{wanted['name']} leads to no origin"
            return
        if wanted["origin"] == "none":
            if "statusCode: 404" not in self._edge_code(behaviour):
                yield f"{wanted['name']} is not answered 404 at the edge"
            return
        secret = self.behaviours["origin_secret_header"] in {each["name"] for each in origin["custom_header"]}
        if secret != wanted["origin_secret"]:
            yield f"{wanted['name']}: the origin secret is sent where it should not be, or not sent"
        kind = self.behaviours["origins"][wanted["origin"]]
        if bool(origin["origin_shield"]) != kind["origin_shield"]:
            yield f"{wanted['name']}: Origin Shield is not as its origin says"
        if kind["kind"] == "bucket":
            bucket = self.plan.one("aws_s3_bucket", "module.storage")
            if origin["domain_name"] != bucket["bucket_regional_domain_name"] or not origin["origin_access_control_id"]:
                yield f"{wanted['name']} does not read the site bucket"
        elif kind["forward"] == "own_cookies":
            yield from self._own_cookies(wanted["name"], behaviour)

    def _own_cookies(self, what: str, behaviour: Json) -> Iterator[str]:
        policies = {each["id"]: each for each in self.plan.of_type("aws_cloudfront_origin_request_policy")}
        policy = policies.get(behaviour["origin_request_policy_id"])
        if policy is None:
            yield f"{what} forwards by a policy of somebody else"
            return
        (headers,), (cookies,) = policy["headers_config"], policy["cookies_config"]
        if (headers["header_behavior"], headers["headers"]) != ("allExcept", [{"items": ["Host"]}]):
            yield f"{what} forwards something else than all headers but Host"
        if policy["query_strings_config"] != [{"query_string_behavior": "all", "query_strings": []}]:
            yield f"{what} does not forward the query"
        names = sorted(cookies["cookies"][0]["items"]) if cookies["cookies"] else cookies["cookie_behavior"]
        if (cookies["cookie_behavior"], names) != ("whitelist", sorted(self.behaviours["own_cookies"])):
            yield f"{what} is sent the cookies {names}"

    def _edge_code(self, behaviour: Json) -> str:
        arns = [each["function_arn"] for each in behaviour["function_association"]]
        codes = [each["code"] for each in self.plan.of_type("aws_cloudfront_function") if each["arn"] in arns]
        return "".join(codes)

    def _operation(self, operation: Operation) -> Iterator[str]:
        api = self.plan.one("aws_apigatewayv2_api", "module.http_api")
        behaviour = self.behaviour_for(operation.path.replace("{zone_id}", "sale").replace("{visitor_id}", "v"))
        signed = operation.function == "operator"
        if signed:
            if "statusCode: 404" not in self._edge_code(behaviour):
                yield f"{operation.operation_id} can be reached through CloudFront"
        elif self.origin(behaviour).get("domain_name") != api["api_endpoint"].removeprefix("https://"):
            yield f"{operation.operation_id}: {operation.path} does not lead to the API"
        elif self.origin(behaviour).get("origin_path") != f"/{self._stage()}":
            yield f"{operation.operation_id}: {operation.path} does not lead to the API's stage"
        if not signed and operation.method not in behaviour["allowed_methods"]:
            yield f"{operation.operation_id}: CloudFront refuses {operation.method}"
        route = json.loads(api["body"])["paths"].get(operation.path, {}).get(operation.method.lower())
        if route is None or route["operationId"] != operation.operation_id:
            yield f"{operation.operation_id} has no route"
            return
        if ("security" in route) != signed:
            yield f"{operation.operation_id} is signed, or is not, against its document"
        yield from self._integration(operation.operation_id, operation.function, api, route)

    def _stage(self) -> str:
        return str(self.plan.one("aws_apigatewayv2_stage", "module.http_api")["name"])

    def _integration(self, what: str, component: str, api: Json, route: Json) -> Iterator[str]:
        uri = route["x-amazon-apigateway-integration"]["uri"]
        arn = uri.partition("/functions/")[2].removesuffix("/invocations")
        function = next((each for each in self.lambdas.values() if each["arn"] == arn), None)
        if function is None:
            yield f"{what} leads to no function: {uri}"
        elif function["function_name"] != self.name(component):
            yield f"{what} leads to {function['function_name']}"
        yield from self._may_start(what, component, api)

    def _may_start(self, what: str, component: str, api: Json) -> Iterator[str]:
        for each in self.plan.of_type("aws_lambda_permission"):
            if each["function_name"] == self.name(component) and each["source_arn"] == f"{api['execution_arn']}/*/*":
                return
        yield f"{what}: the API may not start {component}"

    def _function(self, component: str, spec: Json) -> Iterator[str]:
        function = self.lambdas.get(self.name(component))
        if function is None:
            yield f"{component} is not planned"
            return
        file, _, entry = function["handler"].partition(".")
        source = ROOT / "lambdas" / component / f"{file}.py"
        if component not in COMING or source.exists():
            text = source.read_text(encoding="utf-8") if source.exists() else ""
            if f"def {entry}(" not in text:
                yield f"{component}: no {entry} in lambdas/{component}/{file}.py"
        if Path(function["filename"]).name != f"{component}.zip":
            yield f"{component} runs the code of {function['filename']}"
        layer = self.plan.one("aws_lambda_layer_version")
        if function["layers"][:1] != [layer["arn"]] or function["architectures"] != layer["compatible_architectures"]:
            yield f"{component} does not run on the layer"
        yield from self._environment(component, spec, function)
        yield from self.rights(component, spec, function)

    def _environment(self, component: str, spec: Json, function: Json) -> Iterator[str]:
        variables = function["environment"][0]["variables"] if function["environment"] else {}
        if sorted(variables) != sorted(spec["environment"]):
            yield f"{component} is given {sorted(variables)}"
        tables = {each["name"] for each in self.plan.of_type("aws_dynamodb_table")}
        for variable, value in variables.items():
            known = {
                "_TABLE": tables | ({"visits", "none"} if variable == "METRICS_TABLE" else set()),
                "_FUNCTION": set(self.lambdas),
                "_BUCKET": {each["bucket"] for each in self.plan.of_type("aws_s3_bucket", "module.storage")},
                "SNAPSHOT_KEY": {each["key"] for each in self.plan.of_type("aws_s3_object", "module.storage")},
                "ORIGIN_SECRET": self._secrets(),
                "ARCHIVE_STREAM": {
                    "none",
                    *(each["name"] for each in self.plan.of_type("aws_kinesis_firehose_delivery_stream")),
                },
            }
            for suffix, values in known.items():
                if variable.endswith(suffix) and value not in values:
                    yield f"{component}: {variable} is {value}, which is not there"
            stem, _, kind = variable.rpartition("_")
            if (
                kind in ("TABLE", "FUNCTION")
                and stem != "METRICS"
                and not value.endswith("-" + stem.lower().replace("_", "-"))
            ):
                yield f"{component}: {variable} is {value}, which is another"

    def _secrets(self) -> set[str]:
        headers = [each for origin in self.distribution["origin"] for each in origin["custom_header"]]
        return {each["value"] for each in headers if each["name"] == self.behaviours["origin_secret_header"]}

    def _triggers(self, component: str, spec: Json) -> Iterator[str]:
        function = self.lambdas.get(self.name(component), {})
        if stream := spec["triggers"].get("stream"):
            tables = {
                each["stream_arn"]: each for each in self.plan.of_type("aws_dynamodb_table") if each["stream_enabled"]
            }
            mappings = [
                each
                for each in self.plan.of_type("aws_lambda_event_source_mapping")
                if each["function_name"] == function.get("function_name")
            ]
            sources = [tables.get(each["event_source_arn"], {}).get("name", "") for each in mappings]
            if [each.endswith("-" + stream["table"].replace("_", "-")) for each in sources] != [True]:
                yield f"{component} reads the streams of {sources}, not of {stream['table']}"
            for each in mappings:
                patterns = [one["pattern"] for part in each["filter_criteria"] for one in part["filter"]]
                if [json.loads(one) for one in patterns] != ([stream["filter"]] if stream["filter"] else []):
                    yield f"{component} is sent {patterns}"
        if expression := spec["triggers"].get("schedule"):
            schedules = [
                each
                for each in self.plan.of_type("aws_scheduler_schedule")
                if each["schedule_expression"] == expression
            ]
            targets = [target for each in schedules for target in each["target"]]
            if [each["arn"] for each in targets] != [function.get("arn")]:
                yield f"{component} is not started by a schedule"
            for target in targets:
                rights = {pair for each in self.statements(target["role_arn"]) for pair in pairs(each)}
                if rights != {("lambda:InvokeFunction", function.get("arn"))}:
                    yield f"the schedule of {component} may do {sorted(rights)}"

    def _gate(self) -> Iterator[str]:
        associations = self.distribution["default_cache_behavior"][0]["lambda_function_association"]
        arns = [each["lambda_arn"] for each in associations]
        function = next((each for each in self.lambdas.values() if [each["qualified_arn"]] == arns), None)
        if function is None:
            yield f"the gate runs {arns}, which is no version of a function"
            return
        spec = next(each for each in self.functions.values() if each["edge"])
        settings = settings_of(function["function_name"], "refuse")
        bouncer = self.lambdas[self.name("bouncer")]["environment"][0]["variables"]
        if settings.snapshot_path != "/" + self.plan.one("aws_s3_object", "module.storage")["key"]:
            yield f"the gate looks for its snapshot at {settings.snapshot_path}"
        if settings.issuer != bouncer.get("TOKEN_ISSUER"):
            yield f"the gate trusts {settings.issuer}"
        if (function["region"], function["handler"]) != ("us-east-1", spec["handler"]):
            yield f"the gate is {function['handler']} in {function['region']}"
        if Path(function["filename"]).name != "gatekeeper.zip" or function["layers"] or function["environment"]:
            yield "the gate is no bundle of its own"

    def _websocket(self) -> Iterator[str]:
        api = self.plan.one("aws_apigatewayv2_api", "module.websocket_api")
        behaviour = self.behaviour_for("/.waiting-room/ws")
        if self.origin(behaviour).get("domain_name") != re.sub("^[a-z]+://", "", api["api_endpoint"]):
            yield "/.waiting-room/ws does not lead to the WebSocket API"
        stage = self.plan.one("aws_apigatewayv2_stage", "module.websocket_api")["name"]
        if f"request.uri = '/{stage}'" not in self._edge_code(behaviour):
            yield "the path of the WebSocket does not become its stage"
        integration = self.plan.one("aws_apigatewayv2_integration", "module.websocket_api")
        routes = self.plan.of_type("aws_apigatewayv2_route", "module.websocket_api")
        if {each["target"] for each in routes} != {f"integrations/{integration['id']}"}:
            yield "a route of the WebSocket API leads nowhere"
        route = {"x-amazon-apigateway-integration": {"uri": integration["integration_uri"]}}
        yield from self._integration("the WebSocket API", "connections", api, route)
