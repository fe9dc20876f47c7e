"""The site bucket: what CloudFront serves under the prefix, the key being the URL path without its first slash."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from waiting_room.adapters.dynamodb import reading
from waiting_room.ports import StoredObject

LOST_PUTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""412: the condition did not hold; 409: another write of the key came between. Either way nothing was written."""


class S3ObjectStore:
    """Objects of one bucket. The role needs s3:ListBucket, else S3 answers a missing key with 403."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str) -> StoredObject | None:
        """The object, or None when there is none. Raises Overloaded when S3 is too busy or cannot be reached."""

        def whole(**asked: str) -> StoredObject:
            answer = self._client.get_object(**asked)
            return StoredObject(answer["Body"].read(), answer["ETag"])

        try:
            stored: StoredObject = reading(whole, Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return stored

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        cache_control: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> bool:
        """Write an object; False when it is no longer the one with tag `if_match`, or `if_absent` and it exists."""
        condition: dict[str, str] = {}
        if if_match is not None:
            condition["IfMatch"] = if_match
        if if_absent:
            condition["IfNoneMatch"] = "*"
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                CacheControl=cache_control,
                **condition,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            # S3 answers If-Match on a key that is gone with NoSuchKey.
            if code in LOST_PUTS or (if_match is not None and code == "NoSuchKey"):
                return False
            raise
        return True
