"""`wr preflight`: each check against answers as AWS gives them (botocore checks both sides), and what is said to do."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from scripts.deployment.names import Names
from scripts.deployment.sizing import (
    FAR_FROM_VISITORS,
    MOST_JOINS_PER_SEC,
    OTHER_FUNCTIONS,
    QUOTAS,
    ceiling,
    most_admitted_per_min,
    needs,
)
from scripts.operator_cli import examine
from scripts.operator_cli.checks.findings import Finding, State, all_fine, lines, run
from scripts.operator_cli.checks.preflight import Preflight, Quota, made_clients, summary
from scripts.operator_cli.cli import main
from tests.support.tools import require_tool

REGION = "eu-west-1"
SIZING = Path(__file__).resolve().parents[3] / "terraform" / "sizing.tf"
SNAPSHOT_KEY = ".waiting-room/gate-0123456789abcdef0123456789abcdef.json"


class Account:
    """Clients that answer what a test told them to, and nothing else."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self.clients = clients
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def looks(self, joins_per_sec: int = 10_000, region: str = REGION) -> Preflight:
        return Preflight(self.clients, Names("tickets"), region, needs(joins_per_sec))

    def has_published(self, key: str, document: Any) -> None:
        body = json.dumps(document).encode()
        variables = {"SITE_BUCKET": "tickets-site", "SNAPSHOT_KEY": SNAPSHOT_KEY}
        self.stubs["lambda"].add_response(
            "get_function_configuration",
            {"Environment": {"Variables": variables}},
            {"FunctionName": "tickets-publisher"},
        )
        self.stubs["s3"].add_response(
            "get_object",
            {"Body": StreamingBody(io.BytesIO(body), len(body))},
            {"Bucket": "tickets-site", "Key": key},
        )

    def has_subscriptions(self, *arns: str) -> None:
        told = [{"SubscriptionArn": arn, "Protocol": "email"} for arn in arns]
        self.stubs["sns"].add_response("list_subscriptions_by_topic", {"Subscriptions": told}, {"TopicArn": TOPIC})

    def has_quota(self, client: str, value: float) -> None:
        self.stubs[client].add_response("get_service_quota", {"Quota": {"Value": value}})


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Made once: reading the services' models takes a second."""
    return made_clients(boto3.Session("key", "secret", region_name=REGION))


@pytest.fixture
def account(clients: dict[str, Any]) -> Iterator[Account]:
    account = Account(clients)
    yield account
    for stub in account.stubs.values():
        stub.assert_no_pending_responses()
        stub.deactivate()


def test_a_sale_needs_what_its_visitors_do() -> None:
    small, large = needs(100), needs(10_000)
    assert (small.api_requests_per_sec, large.api_requests_per_sec) == (550, 45_100)
    assert (small.concurrency, large.concurrency) == (200, 3_170)
    assert (small.table_writes_per_sec, large.table_writes_per_sec) == (375, 13_750)
    assert (small.shards, large.shards) == (1, 100)
    assert (small.join_writes_per_sec, large.join_writes_per_sec) == (300, 30_000)
    assert large.edge_concurrency == 1_575
    assert (small.table_reads_per_sec, large.table_reads_per_sec) == (375, 37_500)
    assert (small.edge_requests_per_sec, large.edge_requests_per_sec) == (300, 15_750)
    assert (small.cold_sec, large.cold_sec) == (1, 22)


def test_how_far_an_account_gets_without_asking_follows_from_what_sales_need() -> None:
    """By hand: API 4.5 J + 100 <= 10,000; Lambda 0.3 J + 170, and 0.15 (J + 500) for the gate, <= 1,000."""
    assert {quota.name: quota.most_joins_per_sec for quota in QUOTAS} == {
        "API Gateway, throttle rate, requests/s": 2_200,
        "Lambda, concurrent executions, with the gate's share": 1_676,
        "DynamoDB, writes/s of a table": 13_333,
        "DynamoDB, reads/s of a table": 10_666,
        "Lambda at the edge, requests/s in each Region": 6_166,
        "Lambda at the edge, concurrent executions in each Region": 6_166,
    }
    (near, first), (far, first_there) = ceiling(), ceiling(FAR_FROM_VISITORS)
    assert (near, first.code, far, first_there.code) == (1_676, "L-B99A9384", 2_200, "L-8A5B8E43")
    for quota in QUOTAS:
        most = quota.most_joins_per_sec
        assert quota.needed(needs(most)) <= quota.given < quota.needed(needs(most + 1))
    assert most_admitted_per_min(0) == 30_000
    assert most_admitted_per_min(MOST_JOINS_PER_SEC) == 0


@pytest.mark.skipif(not SIZING.exists(), reason="there is no terraform/ to agree with")
@pytest.mark.parametrize("file", ["README.md", "terraform/README.md", "terraform/checks.tf"])
def test_what_is_said_of_it_is_what_follows(file: str) -> None:
    text = (SIZING.parents[1] / file).read_text(encoding="utf-8")
    assert all(f"{most:,}" in text for most, _ in (ceiling(), ceiling(FAR_FROM_VISITORS)))
    assert f"{ceiling()[0]:,} joins a second" in "\n".join(summary(needs(2_000)))


@pytest.mark.parametrize(
    ("identity", "zones", "state"),
    [
        ("none", [], State.OK),
        ("none", ["sale"], State.ACT),
        ("arn:aws:sms-voice:x", ["sale"], State.OK),
        (None, ["sale"], State.ACT),
    ],
)
def test_zones_that_want_codes_need_a_deployment_that_sends_them(
    account: Account, identity: str | None, zones: list[str], state: State
) -> None:
    variables = {} if identity is None else {"CODES_IDENTITY": identity}
    account.stubs["lambda"].add_response(
        "get_function_configuration", {"Environment": {"Variables": variables}}, {"FunctionName": "tickets-bouncer"}
    )
    account.stubs["dynamodb"].add_response("scan", {"Items": [{"zone_id": {"S": zone}} for zone in zones]})
    found = account.looks().codes()
    assert (found.state, all(zone in found.found for zone in zones)) == (state, True)


STAND_IN = """
variable "expected_joins_per_sec" { type = number }
output "found" {
  value = [
    local.api_requests_per_sec, local.bouncer_concurrency, local.warm_instances, local.edge_concurrency,
    local.write_units_per_sec, local.read_units_per_sec, local.join_write_units_per_sec, local.shards
  ]
}
"""


@pytest.mark.skipif(not SIZING.exists(), reason="there is no terraform/ to agree with")
def test_terraform_sizes_the_same(tmp_path: Path) -> None:
    require_tool("terraform", shutil.which("terraform"), "install it to compare wr preflight with terraform/sizing.tf")
    shutil.copy(SIZING, tmp_path)
    tmp_path.joinpath("stand_in.tf").write_text(STAND_IN, encoding="utf-8")
    checks = SIZING.with_name("checks.tf").read_text(encoding="utf-8")
    assert f"local.bouncer_concurrency + {OTHER_FUNCTIONS}" in checks
    for joins_per_sec in (1, 100, 700, 10_000, MOST_JOINS_PER_SEC):
        run_terraform = [
            ["init", "-backend=false"],
            ["apply", "-auto-approve", f"-var=expected_joins_per_sec={joins_per_sec}"],
        ]
        for arguments in run_terraform:
            subprocess.run(["terraform", *arguments], cwd=tmp_path, check=True, capture_output=True)
        shown = subprocess.run(["terraform", "output", "-json", "found"], cwd=tmp_path, check=True, capture_output=True)
        size = needs(joins_per_sec)
        bouncers = size.concurrency - OTHER_FUNCTIONS
        functions = [bouncers, size.warm_instances, size.edge_concurrency]
        tables = [size.table_writes_per_sec, size.table_reads_per_sec, size.join_writes_per_sec, size.shards]
        own = [size.api_requests_per_sec, *functions, *tables]
        assert json.loads(shown.stdout) == own, joins_per_sec


def test_a_quota_that_is_too_low_comes_with_the_request_for_more(account: Account) -> None:
    for value, state in ((21_500.0, State.OK), (10_000.0, State.ACT)):
        account.has_quota("service-quotas", value)
        finding = account.looks().quota(Quota("API requests/s", "apigateway", "L-8A5B8E43", 21_500))
        assert (finding.state, finding.found) == (state, f"{value:,.0f} of 21,500 needed")
    assert "--service-code apigateway --quota-code L-8A5B8E43 --desired-value 21500" in finding.to_do
    assert REGION in finding.to_do


def test_the_gate_takes_from_the_same_functions_wherever_visitors_are_near(account: Account) -> None:
    size = needs(10_000)
    for region in ("us-east-1", REGION):
        assert account.looks(region=region).quotas()[0].needed == size.concurrency + size.edge_concurrency
    account.has_quota("edge-quotas", 1_000)
    assert account.looks().edge_quota().state is State.ACT


@pytest.mark.parametrize(
    ("warm", "state"),
    [
        ({"WriteUnitsPerSecond": 30_000, "ReadUnitsPerSecond": 37_500}, State.OK),
        ({"WriteUnitsPerSecond": 30_000, "ReadUnitsPerSecond": 37_499}, State.ACT),
        ({"WriteUnitsPerSecond": 13_000, "ReadUnitsPerSecond": 90_000}, State.ACT),
        ({}, State.ACT),
    ],
)
def test_tables_must_be_warm_for_the_rush(account: Account, warm: dict[str, int], state: State) -> None:
    for key in ("joins", "queue"):
        account.stubs["dynamodb"].add_response(
            "describe_table", {"Table": {"WarmThroughput": warm}}, {"TableName": f"tickets-{key}"}
        )
    assert [finding.state for finding in account.looks().warm_throughput()] == [state, state]


def test_a_table_is_never_told_to_be_less_warm_than_it_is(account: Account) -> None:
    warm = {"WriteUnitsPerSecond": 13_000, "ReadUnitsPerSecond": 90_000}
    for _ in range(2):
        account.stubs["dynamodb"].add_response("describe_table", {"Table": {"WarmThroughput": warm}})
    joins, queue = (finding.to_do for finding in account.looks().warm_throughput())
    assert "--table-name tickets-joins --warm-throughput ReadUnitsPerSecond=90000,WriteUnitsPerSecond=30000" in joins
    assert "--table-name tickets-queue --warm-throughput ReadUnitsPerSecond=90000,WriteUnitsPerSecond=13750" in queue


@pytest.mark.parametrize(
    ("versions", "state", "to_do"),
    [
        ({"VersionIdsToStages": {"v" * 36: ["AWSCURRENT"]}}, State.OK, ""),
        ({"VersionIdsToStages": {"v" * 36: ["AWSPREVIOUS"]}}, State.ACT, "Create a zone"),
        ({}, State.ACT, "Create a zone"),
    ],
)
def test_keys_are_there(account: Account, versions: dict[str, Any], state: State, to_do: str) -> None:
    account.stubs["secretsmanager"].add_response("describe_secret", versions, {"SecretId": "tickets/signing-keys"})
    finding = account.looks().signing_keys()
    assert finding.state is state
    assert to_do in finding.to_do
    assert "tickets/signing-keys" in finding.found


def test_a_secret_that_is_not_there_is_told_with_what_makes_it(account: Account) -> None:
    account.stubs["secretsmanager"].add_client_error("describe_secret", "ResourceNotFoundException")
    finding = account.looks().signing_keys()
    assert (finding.state, finding.found) == (State.ACT, "tickets/signing-keys: missing")


@pytest.mark.parametrize(("age_sec", "state"), [(90, State.OK), (280, State.ACT)])
def test_an_old_snapshot_is_told_before_the_gate_closes(account: Account, age_sec: int, state: State) -> None:
    published_at_ms = time.time_ns() // 1_000_000 - age_sec * 1000
    account.has_published(SNAPSHOT_KEY, {"published_at_ms": published_at_ms})
    finding = account.looks().snapshot()
    assert finding.state is state
    assert finding.found in (f"{age_sec} s old", f"{age_sec + 1} s old")


@pytest.mark.parametrize(("left_out", "state"), [(0, State.OK), (1, State.ACT)])
def test_revocations_that_the_gate_does_not_know_are_told(account: Account, left_out: int, state: State) -> None:
    account.has_published(SNAPSHOT_KEY, {"published_at_ms": 2**53, "left_out": left_out})
    finding = account.looks().snapshot()
    assert finding.state is state
    assert ("1 revoked sessions or visitors have no room" in finding.found) == bool(left_out)


@pytest.mark.parametrize(("count", "state"), [(0, State.ACT), (1, State.ACT), (2, State.OK)])
def test_the_next_key_is_published_before_it_is_needed(account: Account, count: int, state: State) -> None:
    account.has_published(".waiting-room/jwks.json", {"keys": [{"kid": str(number)} for number in range(count)]})
    finding = account.looks().published_keys()
    assert finding.state is state
    assert ("wr keys rotate" in finding.to_do) == (state is State.ACT)


@pytest.mark.parametrize("limited", ["Read", "Write"])
@pytest.mark.parametrize(("most", "states"), [(-1, []), (40_000, [State.OK]), (500, [State.ACT])])
def test_a_limit_somebody_set_on_a_table_is_told(
    account: Account, limited: str, most: int, states: list[State]
) -> None:
    limits = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1, f"Max{limited}RequestUnits": most}
    table = {"WarmThroughput": {"WriteUnitsPerSecond": 40_000}, "OnDemandThroughput": limits}
    for _ in ("joins", "queue"):
        account.stubs["dynamodb"].add_response("describe_table", {"Table": table})
    found = [finding for finding in account.looks().warm_throughput() if finding.name.startswith("limit")]
    assert [finding.state for finding in found] == states * 2


TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-duty"


def test_ringing_alarms_are_named_and_missing_ones_missed(account: Account) -> None:
    ringing = {"AlarmName": "tickets-ticks", "StateValue": "ALARM", "StateReason": "no data", "AlarmActions": ["a"]}
    quiet = {"AlarmName": "tickets-errors", "StateValue": "OK", "AlarmActions": ["a"]}
    account.stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": [ringing, quiet]})
    found = list(account.looks().alarms())
    assert [finding.state for finding in found] == [State.OK, State.ACT]
    assert "tickets-ticks rings: no data" in found[1].found
    account.stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": []}, {"AlarmNamePrefix": "tickets-"})
    assert [finding.state for finding in account.looks().alarms()] == [State.ACT]


def test_alarms_that_would_tell_nobody_are_named(account: Account) -> None:
    alarms = [
        {"AlarmName": "tickets-a", "StateValue": "OK"},
        {"AlarmName": "tickets-b", "StateValue": "OK", "AlarmActions": [TOPIC], "ActionsEnabled": False},
        {"AlarmName": "tickets-c", "StateValue": "OK", "AlarmActions": [TOPIC], "ActionsEnabled": True},
    ]
    account.stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": alarms})
    account.has_subscriptions("PendingConfirmation")
    _, silent, topic = account.looks().alarms()
    assert (silent.state, silent.found) == (State.ACT, "2 would tell nobody: tickets-a, tickets-b")
    assert (topic.state, topic.found) == (State.ACT, "on-duty: 0 of 1 subscriptions confirmed")


def test_one_confirmed_subscription_is_enough(account: Account) -> None:
    alarm = {"AlarmName": "tickets-c", "StateValue": "OK", "AlarmActions": [TOPIC], "ActionsEnabled": True}
    account.stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": [alarm]})
    account.has_subscriptions("PendingConfirmation", f"{TOPIC}:1")
    assert [finding.state for finding in account.looks().alarms()] == [State.OK, State.OK]


def distributions(*aliases: str, certificate: str = "") -> dict[str, Any]:
    """A page of CloudFront's list with one distribution; what is not looked at is only there for its shape."""
    viewer = {"ACMCertificateArn": certificate} if certificate else {"CloudFrontDefaultCertificate": True}
    empty = {"Quantity": 0}
    target = {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https"}
    distribution = {
        "Id": "E1",
        "ARN": "arn:aws:cloudfront::123456789012:distribution/E1",
        "Status": "Deployed",
        "LastModifiedTime": datetime(2026, 1, 1, tzinfo=UTC),
        "DomainName": "d111.cloudfront.net",
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        "Origins": {"Quantity": 1, "Items": [{"Id": "site", "DomainName": "origin.example.com"}]},
        "DefaultCacheBehavior": target,
        "CacheBehaviors": empty,
        "CustomErrorResponses": empty,
        "Comment": "",
        "PriceClass": "PriceClass_All",
        "Enabled": True,
        "ViewerCertificate": viewer,
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", **empty}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "Staging": False,
    }
    listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 1, "Items": [distribution]}
    return {"DistributionList": listed}


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"


@pytest.mark.parametrize(
    ("host", "status", "days", "state"),
    [
        ("tickets.example.com", "ISSUED", 100, State.OK),
        ("shop.example.org", "ISSUED", 100, State.OK),
        ("tickets.example.com", "ISSUED", 5, State.ACT),
        ("tickets.example.com", "PENDING_VALIDATION", 100, State.ACT),
    ],
)
def test_the_certificate_of_the_distribution_that_answers_for_the_host(
    account: Account, host: str, status: str, days: int, state: State
) -> None:
    page = distributions("tickets.example.com", "*.example.org", certificate=CERTIFICATE)
    account.stubs["cloudfront"].add_response("list_distributions", page)
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    account.stubs["acm"].add_response(
        "describe_certificate", {"Certificate": {"Status": status, "NotAfter": ends}}, {"CertificateArn": CERTIFICATE}
    )
    finding = account.looks().certificate(host)
    assert finding.state is state
    assert f"{days} days left" in finding.found


@pytest.mark.parametrize(
    ("host", "state"),
    [("d111.cloudfront.net", State.OK), ("example.org", State.ACT), ("a.b.example.org", State.ACT)],
)
def test_a_host_nobody_answers_for(account: Account, host: str, state: State) -> None:
    account.stubs["cloudfront"].add_response("list_distributions", distributions("*.example.org"))
    assert account.looks().certificate(host).state is state


def test_a_check_that_may_not_look_says_which_right_it_needs_and_hinders_no_other(account: Account) -> None:
    account.stubs["secretsmanager"].add_client_error("describe_secret", "AccessDeniedException")
    fine = Finding("b", State.OK, "looked")
    found = run([("signing keys", lambda: [account.looks().signing_keys()]), ("b", lambda: [fine])])
    assert [finding.state for finding in found] == [State.UNKNOWN, State.OK]
    assert "the right to call DescribeSecret" in found[0].to_do
    assert not all_fine(found)
    shown = lines(found)
    assert shown[0] == "?    signing keys  DescribeSecret was refused: AccessDeniedException"
    assert shown[-1] == "1 fine, 0 to act on, 1 not known"


def test_every_check_is_made_and_the_exit_code_says_whether_all_is_fine(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(examine, "made_clients", lambda _session: account.clients)
    monkeypatch.setenv("AWS_REGION", REGION)
    for _ in range(5):
        account.has_quota("service-quotas", 1_000_000)
    account.has_quota("edge-quotas", 1_000_000)
    for _ in ("joins", "queue"):
        table = {"Table": {"WarmThroughput": {"WriteUnitsPerSecond": 40_000, "ReadUnitsPerSecond": 40_000}}}
        account.stubs["dynamodb"].add_response("describe_table", table)
    versions = {"VersionIdsToStages": {"v" * 36: ["AWSCURRENT"]}}
    account.stubs["secretsmanager"].add_response("describe_secret", versions)
    account.has_published(".waiting-room/jwks.json", {"keys": [{"kid": "a"}, {"kid": "b"}]})
    account.stubs["lambda"].add_client_error("get_function_configuration", "ResourceNotFoundException")
    account.stubs["lambda"].add_response("get_function_configuration", {"Environment": {"Variables": {}}})
    account.stubs["dynamodb"].add_response("scan", {"Items": []})
    alarm = {"AlarmName": "tickets-a", "StateValue": "OK", "AlarmActions": [TOPIC]}
    account.has_subscriptions(f"{TOPIC}:1")
    account.stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": [alarm]})
    account.stubs["cloudfront"].add_response("list_distributions", distributions("tickets.example.com"))
    assert main(["--site-url", "https://tickets.example.com", "preflight", "10000", "--name", "tickets"]) == 1
    shown = capsys.readouterr().out
    assert "10,000 joins a second need 45,100 API requests a second" in shown
    assert "14 fine, 0 to act on, 1 not known" in shown


@pytest.mark.parametrize("rate", ["0", "ten", "100001", "-5"])
def test_a_rate_that_cannot_be_is_refused(rate: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["preflight", rate])
    assert ended.value.code == 2


def test_without_a_region_it_is_said_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert main(["preflight", "100"]) == 2
    assert "--region" in capsys.readouterr().err
