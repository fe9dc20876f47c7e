"""Object stores: the fake the other tests run on, moto's S3 and ministack's keep one contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from tests.support.fakes import FakeObjectStore
from waiting_room.adapters.object_store import S3ObjectStore
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import ObjectStore

BUCKET = "foyer-site"
KEY = ".waiting-room/gate-0123456789abcdef.json"
JSON = ("application/json", "public, max-age=1")


def client(endpoint: str | None = None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@contextlib.contextmanager
def bucket(s3: Any) -> Iterator[Any]:
    """An empty bucket, gone afterwards."""
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture(params=["fake", "moto", "ministack"])
def store(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    with contextlib.ExitStack() as stack:
        if request.param == "fake":
            yield FakeObjectStore()
            return
        if request.param == "moto":
            stack.enter_context(mock_aws())
        endpoint = request.getfixturevalue("ministack_endpoint") if request.param == "ministack" else None
        yield S3ObjectStore(stack.enter_context(bucket(client(endpoint))), BUCKET)


def body_of(store: ObjectStore) -> bytes | None:
    stored = store.get(KEY)
    return stored.body if stored else None


def test_what_is_missing_is_none(store):
    assert store.get(KEY) is None


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 2048])
def test_what_was_put_is_got(store, body):
    assert store.put(KEY, body, *JSON)
    assert body_of(store) == body


def test_a_put_without_condition_replaces(store):
    assert store.put(KEY, b"1", *JSON)
    assert store.put(KEY, b"2", *JSON)
    assert body_of(store) == b"2"


def test_a_tag_stays_until_the_content_changes(store):
    store.put(KEY, b"1", *JSON)
    first = store.get(KEY)
    assert store.get(KEY) == first
    store.put(KEY, b"2", *JSON)
    assert store.get(KEY).etag != first.etag


def test_if_absent_is_won_once(store):
    assert store.put(KEY, b"1", *JSON, if_absent=True)
    assert not store.put(KEY, b"2", *JSON, if_absent=True)
    assert body_of(store) == b"1"


def test_if_match_is_lost_once_the_object_is_another(store):
    store.put(KEY, b"1", *JSON)
    etag = store.get(KEY).etag
    assert store.put(KEY, b"2", *JSON, if_match=etag)
    assert not store.put(KEY, b"3", *JSON, if_match=etag)
    assert body_of(store) == b"2"


def test_if_match_is_lost_where_nothing_is(store):
    store.put(KEY, b"1", *JSON)
    etag = store.get(KEY).etag
    assert not store.put(KEY + ".other", b"2", *JSON, if_match=etag)
    assert store.get(KEY + ".other") is None


def test_of_many_who_replace_the_same_object_one_wins(store):
    store.put(KEY, b"0", *JSON)
    etag = store.get(KEY).etag
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: store.put(KEY, str(n + 1).encode(), *JSON, if_match=etag), range(8)))
    assert won.count(True) == 1
    assert body_of(store) == str(won.index(True) + 1).encode()


def test_type_and_lifetime_are_stored_with_the_object():
    with mock_aws(), bucket(client()) as s3:
        S3ObjectStore(s3, BUCKET).put(KEY, b"{}", *JSON)
        head = s3.head_object(Bucket=BUCKET, Key=KEY)
    assert (head["ContentType"], head["CacheControl"]) == JSON


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_a_put_that_aws_refuses_for_its_condition_is_lost(code):
    s3 = client()
    with Stubber(s3) as stubber:
        stubber.add_client_error("put_object", code)
        assert not S3ObjectStore(s3, BUCKET).put(KEY, b"{}", *JSON, if_match='"a"')


@pytest.mark.parametrize(("code", "options"), [("AccessDenied", {"if_match": '"a"'}), ("NoSuchKey", {})])
def test_any_other_refusal_of_a_put_is_raised(code, options):
    s3 = client()
    with Stubber(s3) as stubber:
        stubber.add_client_error("put_object", code)
        with pytest.raises(ClientError):
            S3ObjectStore(s3, BUCKET).put(KEY, b"{}", *JSON, **options)


@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_a_read_that_s3_is_too_busy_for_may_be_asked_again(code):
    s3 = client()
    with Stubber(s3) as stubber:
        stubber.add_client_error("get_object", code, http_status_code=503)
        with pytest.raises(Overloaded):
            S3ObjectStore(s3, BUCKET).get(KEY)


def test_a_denied_read_is_not_taken_for_a_missing_object():
    s3 = client()
    with Stubber(s3) as stubber:
        stubber.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(ClientError):
            S3ObjectStore(s3, BUCKET).get(KEY)
