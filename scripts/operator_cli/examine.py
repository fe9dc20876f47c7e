"""The `wr` commands that change nothing: `cost`, `preflight`, `verify-deploy`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import boto3
import botocore.exceptions
import httpx

from ..costs import command as cost
from ..deployment.names import Names
from ..deployment.sizing import MOST_JOINS_PER_SEC, needs
from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target, environment_region
from ..operator_api.errors import BadInput
from .answers import Answer, tell
from .arguments import Command, Commands
from .checks.findings import Finding, all_fine, lines, run
from .checks.preflight import Preflight, made_clients, summary
from .checks.verify_deploy import TIMEOUT_SEC, SeenDeployment, checks


def add_commands(found: Commands[Command]) -> None:
    """The arguments of the three commands."""
    preflight = found.add_parser(
        "preflight",
        help="what the account needs for a sale of a given size",
        description="Compare the account's quotas, the tables, the keys, the gate snapshot, the alarms and (with "
        "--site-url) the certificate with what a sale needs, and say what to ask AWS for. Changes nothing.",
    )
    preflight.add_argument("joins_per_sec", metavar="JOINS_PER_SEC", type=_rate, help="as expected_joins_per_sec")
    preflight.set_defaults(alone=preflight_account)
    verify = found.add_parser(
        "verify-deploy",
        help="look at a deployment from outside, in a minute or two",
        description="Check what a mistake in a deployment would break or let through: certificate, operator's routes, "
        "origin secret, prefix, WebSocket path, gate snapshot, keys, and one zone's cookies, page, line and gate. "
        "Changes nothing and takes no place in line.",
    )
    verify.add_argument("url", metavar="URL", nargs="?", help="the site's address; without it, --site-url")
    verify.set_defaults(command=verify_deploy)
    for examining in (preflight, verify):
        examining.add_argument("--name", default="foyer", help="name of the deployment in Terraform (default foyer)")
    table = found.add_parser(
        "cost", help="what a waiting room costs, idle and in use", description="What a waiting room costs."
    )
    cost.add_arguments(table)
    table.set_defaults(alone=show_cost)


def _rate(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_JOINS_PER_SEC:
        raise argparse.ArgumentTypeError(
            f"give whole joins a second, from 1 to {MOST_JOINS_PER_SEC}; more are for several deployments"
        )
    return int(text)


def show_cost(arguments: argparse.Namespace) -> Answer:
    """The cost table."""
    return Answer(cost.document(arguments), [cost.report(arguments).rstrip("\n")])


def preflight_account(arguments: argparse.Namespace) -> Answer:
    """Say whether the account can take a sale of this size, and what to ask AWS for; 1 unless all is fine."""
    needed = needs(arguments.joins_per_sec)
    try:
        region = arguments.region or environment_region()
        session = boto3.Session(profile_name=arguments.profile, region_name=region)
        clients = made_clients(session)
    except botocore.exceptions.BotoCoreError as error:
        raise BadInput(f"{error} Give --profile and --region, or set AWS_PROFILE and AWS_REGION.") from None
    looks = Preflight(clients, Names(arguments.name), session.region_name, needed)
    tell(arguments, *summary(needed))
    return _told(run(looks.checks(_host(arguments.site_url))), needs=asdict(needed))


def verify_deploy(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> Answer:
    """Look at a deployment from outside and say what is wrong with it; 1 unless all is fine."""
    site_url = (arguments.url or target.site_url or "").rstrip("/")
    if not _host(site_url):
        raise BadInput("Name the site's address: wr verify-deploy https://tickets.example.com")
    with httpx.Client(timeout=TIMEOUT_SEC, trust_env=False) as http:
        found = SeenDeployment(site_url, target.api_url, http, api, _snapshot_key(target, arguments))
        return _told(run(checks(found)))


def _told(findings: list[Finding], **more: Any) -> Answer:
    fine = all_fine(findings)
    found = [{**asdict(finding), "state": finding.state.name.lower()} for finding in findings]
    return Answer({**more, "fine": fine, "findings": found}, lines(findings), 0 if fine else 1)


def _host(url: str | None) -> str | None:
    try:
        return httpx.URL(url).host or None if url else None
    except httpx.InvalidURL as error:
        raise BadInput(f"{url} is not a URL: {error}.") from None


def _snapshot_key(target: Target, arguments: argparse.Namespace) -> str | None:
    """Where the gate snapshot lies; on AWS only those know who may read the publisher's settings."""
    if target.snapshot_key is not None:
        return target.snapshot_key
    try:
        session = boto3.Session(profile_name=arguments.profile, region_name=target.region)
        settings = session.client("lambda").get_function_configuration(
            FunctionName=Names(arguments.name).function("publisher")
        )
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return None
    return str(settings["Environment"]["Variables"]["SNAPSHOT_KEY"])
