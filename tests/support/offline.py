"""Clients of services that no engine here plays: for botocore's Stubber, and for seeing that nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config


@contextmanager
def offline(service: str) -> Iterator[Any]:
    """A client that asks once, at an address where nobody listens."""
    client = boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()
