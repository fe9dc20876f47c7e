"""`wr preflight`: whether an account can take a sale of a given size, and what to ask AWS for where it cannot."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from waiting_room.use_cases.publish import JWKS_KEY

from ...deployment.names import Names
from ...deployment.sizing import FAR_FROM_VISITORS, Needs, ceiling
from .findings import Check, Finding, State, gate_snapshot

EDGE_REGION = "us-east-1"
SNAPSHOT_OLD_SEC = 240
"""The gate closes at 300 s; the dispatcher makes the snapshot anew before it is this old."""
CERTIFICATE_DAYS = 14
NEW_TABLE_READS, NEW_TABLE_WRITES = 12_000, 4_000
"""Units a second that every table is warm for, and the least to ask for (DynamoDB guide, "Warm throughput")."""
UNLIMITED = -1
"""What DynamoDB says of a table without a limit of its own."""
KEYS_AT_LEAST = 2
"""One that signs, and the next one, known at every edge before it is needed."""
SERVICES = ("service-quotas", "dynamodb", "lambda", "s3", "secretsmanager", "cloudwatch", "sns")


@dataclass(frozen=True)
class Quota:
    """A quota of the account and how much of it is needed."""

    name: str
    service: str
    code: str
    needed: int


class Preflight:
    """Looks at one account and one deployment in it. `clients` has a boto3 client for each service."""

    def __init__(self, clients: Mapping[str, Any], names: Names, region: str, needed: Needs) -> None:
        self._clients = clients
        self._names = names
        self._region = region
        self._needed = needed

    def checks(self, host: str | None) -> list[Check]:
        """All of them; the certificate only where the site's host is known."""
        found: list[Check] = [
            *((quota.name, lambda quota=quota: [self.quota(quota)]) for quota in self.quotas()),
            ("Lambda at the edge", lambda: [self.edge_quota()]),
            ("warm throughput", self.warm_throughput),
            ("signing keys", lambda: [self.signing_keys()]),
            ("published keys", lambda: [self.published_keys()]),
            ("gate snapshot", lambda: [self.snapshot()]),
            ("alarms", self.alarms),
            ("codes to phones", lambda: [self.codes()]),
        ]
        return [*found, ("certificate", lambda: [self.certificate(host)])] if host else found

    def quotas(self) -> list[Quota]:
        """The quotas of the deployment's Region that a sale runs into."""
        needed = self._needed
        return [
            # The gate's instances too: they run near the visitors, who are mostly near the deployment.
            Quota("Lambda concurrency", "lambda", "L-B99A9384", needed.concurrency + needed.edge_concurrency),
            Quota("API requests/s", "apigateway", "L-8A5B8E43", needed.api_requests_per_sec),
            Quota("new WebSockets/s", "apigateway", "L-9ED1E49A", needed.new_sockets_per_sec),
            Quota("writes/s of a table", "dynamodb", "L-AB614373", max(needed.warm.values())),
            Quota("reads/s of a table", "dynamodb", "L-CF0CBE56", needed.table_reads_per_sec),
        ]

    def quota(self, quota: Quota) -> Finding:
        """One quota of the deployment's Region."""
        return _quota(self._clients["service-quotas"], quota, self._region)

    def edge_quota(self) -> Finding:
        """The gatekeeper runs in the Region nearest to each viewer; us-east-1 stands for all of them."""
        quota = Quota("Lambda at the edge", "lambda", "L-B99A9384", self._needed.edge_concurrency)
        return _quota(self._clients["edge-quotas"], quota, f"{EDGE_REGION} and every Region your visitors are near")

    def warm_throughput(self) -> Iterator[Finding]:
        """A table takes at once what it is warm for, a new one 4,000 writes and 12,000 reads a second; never more than
        its limit. Terraform warms a table when it makes it and never again."""
        reads = self._needed.table_reads_per_sec
        for key, needed in self._needed.warm.items():
            name = self._names.table(key)
            table = self._clients["dynamodb"].describe_table(TableName=name)["Table"]
            given = table.get("WarmThroughput", {})
            writes_now, reads_now = (int(given.get(f"{kind}UnitsPerSecond", 0)) for kind in ("Write", "Read"))
            yield Finding.judged(
                f"warm table {key}",
                writes_now >= needed and reads_now >= reads,
                f"{writes_now:,} writes/s of {needed:,}, {reads_now:,} reads/s of {reads:,}",
                f"aws dynamodb update-table --region {self._region} --table-name {name} --warm-throughput "
                f"ReadUnitsPerSecond={max(reads, reads_now, NEW_TABLE_READS)},"
                f"WriteUnitsPerSecond={max(needed, writes_now, NEW_TABLE_WRITES)}"
                "    # charged once, and never lowered; some hours before the sale",
            )
            for kind, wanted in (("Write", needed), ("Read", reads)):
                most = int(table.get("OnDemandThroughput", {}).get(f"Max{kind}RequestUnits", UNLIMITED))
                if most != UNLIMITED:
                    yield Finding.judged(
                        f"limit of table {key}",
                        most >= wanted,
                        f"{most:,} {kind.lower()}s/s of {wanted:,}",
                        f"Raise or remove the maximum of {kind.lower()} request units that somebody set on {name}.",
                    )

    def signing_keys(self) -> Finding:
        """The operator function makes the keys with the first zone, so a secret without a value is no fault."""
        name, client = self._names.signing_keys, self._clients["secretsmanager"]
        try:
            stages = client.describe_secret(SecretId=name).get("VersionIdsToStages", {}).values()
        except client.exceptions.ResourceNotFoundException:
            return Finding("signing keys", State.ACT, f"{name}: missing", "`terraform apply` makes the secret.")
        filled = any("AWSCURRENT" in labels for labels in stages)
        to_do = "Create a zone: `wr zones apply FILE` makes the keys."
        return Finding.judged("signing keys", filled, f"{name}: {'made' if filled else 'not made yet'}", to_do)

    def published_keys(self) -> Finding:
        """The public keys that sites verify with: without a second one a rotation has to wait."""
        keys = self._published(JWKS_KEY)["keys"]
        return Finding.judged(
            "published keys",
            len(keys) >= KEYS_AT_LEAST,
            f"{len(keys)} in {JWKS_KEY}",
            "`wr keys rotate` introduces the next one; it can be used some minutes later.",
        )

    def snapshot(self) -> Finding:
        """How old the gate snapshot in the bucket is, and whether anything has no room in it."""
        to_do = (
            f"Look into the log of {self._names.function('dispatcher')} and of {self._names.function('publisher')}: "
            "at 300 s the gate closes."
        )
        return gate_snapshot(self._published(None), _now_ms(), SNAPSHOT_OLD_SEC, to_do)

    def _published(self, key: str | None) -> Any:
        """A document of the bucket, None for the gate snapshot; where both lie, the publisher knows."""
        publisher = self._names.function("publisher")
        settings = self._clients["lambda"].get_function_configuration(FunctionName=publisher)
        known = settings["Environment"]["Variables"]
        stored = self._clients["s3"].get_object(Bucket=known["SITE_BUCKET"], Key=key or known["SNAPSHOT_KEY"])
        return json.loads(stored["Body"].read())

    def alarms(self) -> Iterator[Finding]:
        """There are some, none of them is ringing, and each would reach somebody."""
        prefix = f"{self._names.deployment}-"
        pages = self._clients["cloudwatch"].get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        yield Finding.judged(
            "alarms", bool(alarms), f"{len(alarms)} named {prefix}*", "Terraform makes them: give `alarms` a topic."
        )
        for alarm in alarms:
            if alarm["StateValue"] == "ALARM":
                yield Finding(
                    "alarms", State.ACT, f"{alarm['AlarmName']} rings: {alarm.get('StateReason', '')}", "Look."
                )
        silent = [alarm["AlarmName"] for alarm in alarms if not _has_action(alarm)]
        if silent:
            named = ", ".join(silent[:3]) + (" ..." if len(silent) > 3 else "")
            yield Finding(
                "alarms", State.ACT, f"{len(silent)} would tell nobody: {named}", "Give `alarms` a topic in Terraform."
            )
        for topic in sorted(
            {action for alarm in alarms for action in alarm.get("AlarmActions", ()) if _is_topic(action)}
        ):
            yield self._heard(topic)

    def codes(self) -> Finding:
        """Whoever has to confirm a phone needs a code: where a zone asks for that, the deployment has to send some."""
        bouncer = self._clients["lambda"].get_function_configuration(FunctionName=self._names.function("bouncer"))
        sends = bouncer["Environment"]["Variables"].get("CODES_IDENTITY", "none") != "none"
        pages = (
            self._clients["dynamodb"]
            .get_paginator("scan")
            .paginate(
                TableName=self._names.table("protected_zones"),
                FilterExpression="attribute_exists(#identity.#phone)",
                ProjectionExpression="zone_id",
                ExpressionAttributeNames={"#identity": "identity", "#phone": "phone"},
            )
        )
        asking = sorted({item["zone_id"]["S"] for page in pages for item in page["Items"]})
        return Finding.judged(
            "codes to phones",
            sends or not asking,
            f"{'sent' if sends else 'not sent'}; asked for by {', '.join(asking) or 'no zone'}",
            "Nobody is let in there: set `phone_codes` in Terraform, or take `identity.phone` out of the zones.",
        )

    def _heard(self, topic: str) -> Finding:
        """Whether somebody has confirmed that they want to hear of a topic."""
        pages = self._clients["sns"].get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        told = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]
        confirmed = sum(arn.startswith("arn:") for arn in told)
        return Finding.judged(
            "alarm topic",
            confirmed > 0,
            f"{topic.rpartition(':')[2]}: {confirmed} of {len(told)} subscriptions confirmed",
            "Subscribe whoever is on duty, and have them confirm it: until then alarms ring unheard.",
        )

    def certificate(self, host: str) -> Finding:
        """The certificate of the distribution that answers for a host."""
        used = self._certificate_of(host)
        if used is None:
            return Finding(
                "certificate", State.ACT, f"no distribution answers for {host}", "Add the host to the distribution."
            )
        if not used:
            return Finding("certificate", State.OK, f"{host}: CloudFront's own, or one kept outside ACM")
        found = self._clients["acm"].describe_certificate(CertificateArn=used)["Certificate"]
        days = (found["NotAfter"] - datetime.now(UTC)).days if "NotAfter" in found else 0
        return Finding.judged(
            "certificate",
            found["Status"] == "ISSUED" and days >= CERTIFICATE_DAYS,
            f"{found['Status'].lower()}, {days} days left",
            "Look at its validation records in ACM (us-east-1): it renews by itself only while they are there.",
        )

    def _certificate_of(self, host: str) -> str | None:
        """Its ARN, '' for CloudFront's own, None where there is no such distribution."""
        for page in self._clients["cloudfront"].get_paginator("list_distributions").paginate():
            for distribution in page["DistributionList"].get("Items", []):
                if host == distribution["DomainName"]:
                    return ""
                if any(_covers(alias, host) for alias in distribution["Aliases"].get("Items", [])):
                    return str(distribution["ViewerCertificate"].get("ACMCertificateArn", ""))
        return None


def _quota(client: Any, quota: Quota, where: str) -> Finding:
    value = int(client.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]["Value"])
    request = (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code} "
        f"--desired-value {quota.needed}    # in {where}; allow days"
    )
    return Finding.judged(quota.name, value >= quota.needed, f"{value:,} of {quota.needed:,} needed", request)


def _has_action(alarm: Mapping[str, Any]) -> bool:
    return bool(alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions"))


def _is_topic(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sns"]


def _covers(alias: str, host: str) -> bool:
    return alias == host or (alias.startswith("*.") and host.partition(".")[2] == alias[2:])


def made_clients(session: Any) -> dict[str, Any]:
    """The clients of a boto3 session, for its Region; CloudFront, its certificates and the edge in us-east-1."""
    clients = {service: session.client(service) for service in SERVICES}
    clients |= {service: session.client(service, region_name=EDGE_REGION) for service in ("cloudfront", "acm")}
    return clients | {"edge-quotas": session.client("service-quotas", region_name=EDGE_REGION)}


def summary(needed: Needs) -> Iterable[str]:
    """What a sale of this size needs, in words."""
    yield (
        f"{needed.joins_per_sec:,} joins a second need {needed.api_requests_per_sec:,} API requests a second, "
        f"{needed.concurrency:,} functions at once, {needed.join_writes_per_sec:,} writes a second in the table of the "
        f"joins and {needed.table_writes_per_sec:,} in that of the places"
    )
    yield (
        f"({needed.table_reads_per_sec:,} reads) and {needed.shards:,} join counters; the gate needs "
        f"{needed.edge_concurrency:,} functions at the edge, for {needed.edge_requests_per_sec:,} requests a second."
    )
    (near, _), (far, _) = ceiling(), ceiling(FAR_FROM_VISITORS)
    yield f"An account that never asked for more takes {near:,} joins a second, {far:,} where no visitor is near."
    yield ""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
