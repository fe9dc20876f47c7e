"""IAM roles with one policy each, and short-lived credentials of a role for what runs outside the engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

POLICY = "schema"
"""Name of the one policy of each role."""

SESSION_SEC = 3600
RENEW_SEC = 3000
"""A session is replaced well before it ends."""


def ensure_role(iam: Any, name: str, trust: Mapping[str, Any], policy: Mapping[str, Any]) -> list[str]:
    """Create a role, or make its policy what it should be. Return what was done.

    A policy without a statement, which IAM refuses, means that the role may do nothing.
    """
    done = []
    try:
        iam.get_role(RoleName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        done.append(f"role {name} created")
    if _policy(iam, name) != policy and policy["Statement"]:
        iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(policy))
        done += [] if done else [f"role {name} policy updated"]
    return done


def _policy(iam: Any, name: str) -> Any:
    try:
        document = iam.get_role_policy(RoleName=name, PolicyName=POLICY)["PolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return None
    return json.loads(unquote(document)) if isinstance(document, str) else document


class BucketReader:
    """Signs reads of a bucket with a role's own credentials, as CloudFront's origin access control does."""

    def __init__(self, sts: Any, role_arn: str, region: str, now: Callable[[], float] = time.monotonic) -> None:
        self._sts = sts
        self._role_arn = role_arn
        self._region = region
        self._now = now
        self._credentials: Credentials | None = None
        self._renew_at_sec = 0.0

    def headers(self, method: str, url: str) -> dict[str, str]:
        """Return the headers that sign one read; `url` has the path exactly as it will be sent."""
        request = AWSRequest(method=method, url=url)
        S3SigV4Auth(self._current(), "s3", self._region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}

    def _current(self) -> Credentials:
        if self._credentials is None or self._now() >= self._renew_at_sec:
            session = self._sts.assume_role(
                RoleArn=self._role_arn, RoleSessionName="edge", DurationSeconds=SESSION_SEC
            )["Credentials"]
            self._credentials = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
            self._renew_at_sec = self._now() + RENEW_SEC
        return self._credentials
