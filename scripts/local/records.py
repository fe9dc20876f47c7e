"""Where the recorder's work goes: the archive's bucket and delivery stream, and the queue of failures."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from scripts.local.site import ensure_bucket
from waiting_room import schemas


def ensure_archive(store: Any, firehose: Any, name: str, account: str) -> list[str]:
    """Create bucket and delivery stream of the archive, partitioned as Terraform does it. Return what was done."""
    done = ensure_bucket(store, name)
    try:
        firehose.describe_delivery_stream(DeliveryStreamName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=destination(name, account),
        )
        done.append(f"delivery stream {name} created")
    return done


def destination(bucket: str, account: str) -> dict[str, Any]:
    """Return where rows go: a folder for each zone and day, both read from the row itself."""
    archive = schemas.load("archive")
    folders = "".join(f"{name}=!{{partitionKeyFromQuery:{name}}}/" for name in archive["partitions"])
    query = ",".join(f"{name}:.{name}" for name in archive["partitions"])
    extraction = {"MetadataExtractionQuery": f"{{{query}}}", "JsonParsingEngine": "JQ-1.6"}
    return {
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "RoleARN": f"arn:aws:iam::{account}:role/{bucket}",
        "Prefix": archive["prefix"] + folders,
        "ErrorOutputPrefix": archive["errors_prefix"],
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [
                {
                    "Type": "MetadataExtraction",
                    "Parameters": [
                        {"ParameterName": name, "ParameterValue": value} for name, value in extraction.items()
                    ],
                }
            ],
        },
    }


def ensure_queue(sqs: Any, name: str) -> tuple[str, list[str]]:
    """Create a queue if it is not there. Return its address and what was done."""
    try:
        return sqs.get_queue_url(QueueName=name)["QueueUrl"], []
    except ClientError as error:
        if "NonExistentQueue" not in error.response["Error"]["Code"]:
            raise
    return sqs.create_queue(QueueName=name)["QueueUrl"], [f"queue {name} created"]
