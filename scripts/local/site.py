"""The bucket behind the prefix and the first, empty gate snapshot in it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from waiting_room.domain.locations import SITE_KEY


def ensure_bucket(store: Any, name: str) -> list[str]:
    """Create the bucket if it is not there. Return what was done."""
    try:
        store.head_bucket(Bucket=name)
        return []
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
    store.create_bucket(Bucket=name)
    return [f"bucket {name} created"]


def ensure_snapshot(store: Any, bucket: str, key: str, issuer: str, now_ms: int, cache_control: str) -> list[str]:
    """Put the empty snapshot that lets the site run before the first zone exists, unless there is one."""
    snapshot = {
        "version": 0,
        "published_at_ms": now_ms,
        "issuer": issuer,
        "keys": [],
        "zones": [],
        "revoked": {"sids": [], "visitors": [], "bypass": []},
    }
    try:
        store.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(snapshot).encode(),
            ContentType="application/json",
            CacheControl=cache_control,
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return []
    return [f"first gate snapshot put at {key}"]


def put_address(store: Any, bucket: str, site_url: str) -> None:
    """Say under which address visitors find the site."""
    body = json.dumps({"site_url": site_url}).encode()
    store.put_object(Bucket=bucket, Key=SITE_KEY, Body=body, ContentType="application/json")
