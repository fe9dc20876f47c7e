"""The viewer-request event: build it as CloudFront does, and check what the function returns as CloudFront does.

Lists and limits: "Restrictions on edge functions" and "Quotas", Amazon CloudFront Developer Guide.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Any

from scripts.edge.messages import EdgeRequest, EdgeResponse

MAX_GENERATED_BYTES = 40 * 1024
"""Size of a response made by a viewer function, headers and body together."""

READ_ONLY = frozenset({"content-length", "host", "transfer-encoding", "via"})
"""Headers a viewer-request function sees but may not change."""

_BLOCKED = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "x-accel-buffering",
        "x-accel-charset",
        "x-accel-limit-rate",
        "x-accel-redirect",
        "x-cache",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""Headers CloudFront takes off a viewer's request and lets no function add; see `blocked`."""

_BLOCKED_PREFIXES = ("x-amz-cf-", "x-amzn-", "x-edge-")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


class InvalidResult(Exception):
    """Raised when CloudFront would refuse what the function returned (502 to the viewer)."""


def blocked(name: str) -> bool:
    """Tell whether a header, by its lower-case name, is taken off a viewer's request and may not be added."""
    return name in _BLOCKED or name.startswith(_BLOCKED_PREFIXES)


def event(request: EdgeRequest, domain_name: str) -> dict[str, Any]:
    """Return the viewer-request event of a request; `domain_name` is what the gate fetches its snapshot from."""
    headers: dict[str, list[dict[str, str]]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append({"key": name.title(), "value": value})
    return {
        "Records": [
            {
                "cf": {
                    "config": {
                        "distributionDomainName": domain_name,
                        "distributionId": "EDEVEDGE",
                        "eventType": "viewer-request",
                        "requestId": secrets.token_urlsafe(39),
                    },
                    "request": {
                        "clientIp": request.client_ip,
                        "headers": headers,
                        "method": request.method,
                        "querystring": request.query,
                        "uri": request.path,
                    },
                }
            }
        ]
    }


def outcome(request: EdgeRequest, result: object) -> EdgeRequest | EdgeResponse:
    """Return what the function decided: the request to forward, or the response it made.

    Raises InvalidResult where CloudFront would answer 502 instead.
    """
    if not isinstance(result, Mapping):
        raise InvalidResult("the function must return a request or a response")
    if "status" in result:
        return _generated(result)
    return _forwarded(request, result)


def _forwarded(request: EdgeRequest, result: Mapping[str, Any]) -> EdgeRequest:
    if result.get("method") != request.method or result.get("clientIp") != request.client_ip:
        raise InvalidResult("method and clientIp are read-only")
    uri, query = result.get("uri"), result.get("querystring")
    if not isinstance(uri, str) or not uri.startswith("/") or not isinstance(query, str):
        raise InvalidResult("uri must start with a slash and querystring must be text")
    headers = _headers(result)
    for name in READ_ONLY:
        before = [value for key, value in request.headers if key == name]
        if [value for key, value in headers if key == name] != before:
            raise InvalidResult(f"header {name} is read-only")
    return EdgeRequest(request.method, uri, query, tuple(headers), request.client_ip, request.body)


def _generated(result: Mapping[str, Any]) -> EdgeResponse:
    status = str(result["status"])
    if not status.isdecimal() or not 200 <= int(status) <= 599:
        raise InvalidResult("status must be 200 to 599")
    headers = _headers(result)
    read_only = sorted({name for name, _ in headers} & {"content-length", "transfer-encoding", "via"})
    if read_only:
        raise InvalidResult(f"header {read_only[0]} may not be set in a generated response")
    body = _decoded(result.get("body", ""), result.get("bodyEncoding", "text"))
    size = len(body) + sum(len(name) + len(value) + 4 for name, value in headers)
    if size > MAX_GENERATED_BYTES:
        raise InvalidResult(f"a generated response may have {MAX_GENERATED_BYTES} bytes, this one has {size}")
    own = (("content-length", str(len(body))), ("x-cache", "LambdaGeneratedResponse from cloudfront"))
    return EdgeResponse(int(status), (*headers, *own), body)


def _headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers of a result, refusing blocked names and anything that is not a list of key and value."""
    headers: list[tuple[str, str]] = []
    for name, values in dict(result.get("headers") or {}).items():
        if name != name.lower():
            raise InvalidResult(f"header map key {name} must be lower-case")
        if blocked(name):
            raise InvalidResult(f"header {name} is not allowed")
        for entry in values:
            value, key = entry.get("value"), entry.get("key", name)
            if not isinstance(value, str) or key.lower() != name or not _FIELD_VALUE.match(value):
                raise InvalidResult(f"header {name} is malformed")
            headers.append((name, value))
    return headers


def _decoded(body: object, encoding: object) -> bytes:
    if not isinstance(body, str) or encoding not in ("text", "base64"):
        raise InvalidResult("body must be text, bodyEncoding text or base64")
    try:
        return body.encode() if encoding == "text" else base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise InvalidResult("body is not base64") from error
