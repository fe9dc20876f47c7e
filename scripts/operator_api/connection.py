"""Where the service is and how requests to it are signed: AWS with the operator's own credentials, or the demo."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ..deployment import local
from .errors import BadInput, Unreachable

SIGNED_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")

EXECUTE_API_HOST = re.compile(r"\A[a-z0-9]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?\Z")


@dataclass(frozen=True)
class Target:
    """One deployment: `api_url` takes the operator's requests, `site_url` is what visitors see (None: not known)."""

    api_url: str
    site_url: str | None
    region: str
    credentials: Any
    snapshot_key: str | None = None
    """Where the gate snapshot lies, where that is known without asking."""
    archive: str | None = None
    """Where the archive lies, `s3://BUCKET`, where that is known without asking."""
    endpoint: str | None = None
    """Address of the engine that plays AWS; None for AWS itself."""


class SigV4(httpx.Auth):
    """Signs each request for API Gateway with Signature Version 4; fresh credentials are asked for every time."""

    requires_request_body = True

    def __init__(self, credentials: Any, region: str) -> None:
        self._credentials = credentials
        self._region = region

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        headers = {name: request.headers[name] for name in ("content-type",) if name in request.headers}
        unsigned = AWSRequest(method=request.method, url=str(request.url), data=request.content, headers=headers)
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(unsigned)
        for name in SIGNED_HEADERS:
            if name in unsigned.headers:
                request.headers[name] = unsigned.headers[name]
        yield request


def find_target(
    api_url: str | None,
    site_url: str | None,
    profile: str | None,
    region: str | None,
    description: Path | None = None,
) -> Target:
    """The deployment that was asked for, else the demo running on this machine, found by the file that describes it.

    Raises Unreachable when there is neither, BadInput when credentials or region are missing or the URL is none.
    """
    if api_url is None:
        return _demo(description, site_url)
    host = _host(api_url)
    session = botocore.session.Session(profile=profile)
    named = EXECUTE_API_HOST.match(host)
    region = (
        region or (named.group(1) if named else None) or environment_region() or session.get_config_variable("region")
    )
    if not region:
        raise BadInput(f"The region of {host} is not known: give --region or set AWS_REGION.")
    return Target(api_url.rstrip("/"), site_url and site_url.rstrip("/"), region, _credentials(session, profile))


def environment_region() -> str | None:
    """The Region of the environment; of the two variables botocore reads only AWS_DEFAULT_REGION."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _host(api_url: str) -> str:
    try:
        url = httpx.URL(api_url)
    except httpx.InvalidURL as error:
        raise BadInput(f"--api-url is not a URL: {error}.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput("--api-url must look like https://abc123.execute-api.eu-west-1.amazonaws.com/STAGE.")
    return url.host


def _credentials(session: Any, profile: str | None) -> Any:
    try:
        credentials = session.get_credentials()
    except botocore.exceptions.ProfileNotFound:
        raise BadInput(f"There is no profile {profile!r} in your AWS configuration.") from None
    if credentials is None:
        raise BadInput("No AWS credentials were found: sign in, set AWS_PROFILE, or give --profile.")
    return credentials


def _demo(description: Path | None, site_url: str | None) -> Target:
    try:
        stack: Mapping[str, str] = json.loads((description or local.DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unreachable(
            "No service to talk to: start the demo with `make demo`, or name a deployment with --api-url or "
            "FOYER_API_URL (the execute-api address of its HTTP API)."
        ) from None
    site = site_url or stack.get("edge_url")
    credentials = Credentials(local.CREDENTIALS["aws_access_key_id"], local.CREDENTIALS["aws_secret_access_key"])
    bucket = stack.get("archive_bucket")
    return Target(
        stack["api_url"].rstrip("/"),
        site and site.rstrip("/"),
        local.REGION,
        credentials,
        stack.get("snapshot_key"),
        archive=f"s3://{bucket}" if bucket else None,
        endpoint=stack.get("endpoint"),
    )
