"""The archive's files on this machine: as they lie in a folder, or fetched from the bucket."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.operator_api.errors import BadInput
from waiting_room import schemas

AT_ONCE = 16


@contextlib.contextmanager
def archive_folder(where: str, zone_id: str, client: Any = None) -> Iterator[Path]:
    """Yield a folder with the rows of a zone; `where` is a folder or `s3://bucket`, which `client` (boto3, S3) reads.

    What was fetched is gone afterwards. Raises BadInput when there is no file of the zone.
    """
    if not where.startswith("s3://"):
        folder = Path(where)
        if not any(_files(folder, zone_id)):
            raise BadInput(f"{where} has no folder {part_of(zone_id)} with rows: copy the archive's bucket there.")
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="foyer-archive-") as name:
        folder = Path(name)
        if not fetch(client, where.removeprefix("s3://").strip("/"), zone_id, folder):
            raise BadInput(
                f"{where} has no rows of {zone_id}. Firehose may take five minutes; is it the archive's bucket?"
            )
        yield folder


def fetch(client: Any, bucket: str, zone_id: str, folder: Path) -> int:
    """Copy the files of a zone from a bucket; returns how many there were."""
    prefix = part_of(zone_id)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [each["Key"] for page in pages for each in page.get("Contents", ())]

    def copy(key: str) -> None:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(copy, keys))
    return len(keys)


def part_of(zone_id: str) -> str:
    """Where rows of a zone lie."""
    return f"{schemas.load('archive')['prefix']}zone_id={zone_id}/"


def _files(folder: Path, zone_id: str) -> Iterator[Path]:
    return (path for path in (folder / part_of(zone_id)).rglob("*") if path.is_file())
