"""The edge's reads of the bucket are signed with short-lived credentials, renewed before they end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scripts.local.roles import RENEW_SEC, SESSION_SEC, BucketReader

ROLE = "arn:aws:iam::000000000000:role/foyer-edge"


@dataclass
class FakeSts:
    """Hands out numbered credentials."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        number = len(self.asked)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{number}",
                "SecretAccessKey": "secret",
                "SessionToken": f"token {number}",
            }
        }


def test_reads_are_signed_in_the_role_and_its_credentials_renewed_in_time() -> None:
    sts, now_sec = FakeSts(), 0.0
    reader = BucketReader(sts, ROLE, "us-east-1", now=lambda: now_sec)
    first = reader.headers("GET", "http://127.0.0.1:4566/foyer-site/.waiting-room/jwks.json")
    now_sec = RENEW_SEC - 1.0
    assert reader.headers("GET", "http://127.0.0.1:4566/foyer-site/x")["x-amz-security-token"] == "token 1"
    now_sec = float(RENEW_SEC)
    assert reader.headers("GET", "http://127.0.0.1:4566/foyer-site/x")["x-amz-security-token"] == "token 2"

    assert RENEW_SEC < SESSION_SEC
    assert {request["RoleArn"] for request in sts.asked} == {ROLE}
    assert first["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIA1/")
    assert "/us-east-1/s3/aws4_request" in first["authorization"]
    assert {"x-amz-date", "x-amz-content-sha256"} <= first.keys()


def test_the_path_is_signed_as_it_is_sent() -> None:
    reader = BucketReader(FakeSts(), ROLE, "us-east-1", now=lambda: 0.0)
    raw, tidied = (
        reader.headers("GET", f"http://127.0.0.1:4566/foyer-site/{path}")["authorization"] for path in ("a/../b", "b")
    )
    assert raw != tidied
