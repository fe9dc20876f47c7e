"""The KMS key that seals telephone numbers, and the secret for the signing keys."""

from __future__ import annotations

from typing import Any


def ensure_key(kms: Any, alias: str) -> tuple[str, list[str]]:
    """Make a key under an alias unless there is one; its address, and what was done."""
    for page in kms.get_paginator("list_aliases").paginate():
        for entry in page["Aliases"]:
            if entry["AliasName"] == alias and "TargetKeyId" in entry:
                return str(kms.describe_key(KeyId=entry["TargetKeyId"])["KeyMetadata"]["Arn"]), []
    made = kms.create_key(Description="Telephone numbers of visitors who asked for an alert.")["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return str(made["Arn"]), [f"key {alias} created"]


def ensure_secret(secrets: Any, name: str) -> list[str]:
    """Make a secret without a value unless there is one. Return what was done."""
    try:
        secrets.create_secret(Name=name)
    except secrets.exceptions.ResourceExistsException:
        return []
    return [f"secret {name} created"]
