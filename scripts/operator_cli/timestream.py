"""The questions of schemas/timestream.json asked of Timestream for LiveAnalytics, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from string import Template
from typing import Any

import botocore.config
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from scripts.operator_api.errors import BadInput, OperatorError, Refused, Unreachable
from waiting_room import schemas
from waiting_room.domain.zone.zones import ZONE_ID

SERVICE = "timestream-query"
MOST_PAGES = 1_000
"""More than any question brings; a service that hands out pages for ever must end somewhere."""
PAGE_ROWS = 1_000
_DATABASE = re.compile(r"\A[a-zA-Z0-9._-]{3,64}\Z")

Row = dict[str, Any]


def questions() -> dict[str, Any]:
    """Every question by name: what it answers, what beside the zone it has to be told, its text."""
    known: dict[str, Any] = schemas.load("timestream")["questions"]
    return known


def text_of(question: str, database: str, zone_id: str, run: int | None, since_ms: int) -> str:
    """The SQL of a question; raises BadInput for one there is not, and for what could change its meaning."""
    asked = questions().get(question)
    if asked is None:
        raise BadInput(f"There is no question {question!r}; ask one of: {', '.join(questions())}.")
    if not ZONE_ID.match(zone_id):
        raise BadInput(f"{zone_id!r} is no zone id: lower-case letters, digits and hyphens.")
    if not _DATABASE.match(database):
        raise BadInput(f"{database!r} is no name of a deployment.")
    if "run" in asked["parameters"] and run is None:
        raise BadInput(f"Say which run: --run N. `wr metrics {zone_id} runs` lists them.")
    table = f'"{database}"."{schemas.load("metrics")["table"]}"'
    values = {"table": table, "zone_id": zone_id, "run": str(run), "since_ms": str(int(since_ms))}
    return Template("\n".join(asked["sql"])).substitute(values)


class Timestream:
    """Answers from the table that Terraform makes with `metrics = { backend = "timestream" }`."""

    def __init__(self, client: Any, database: str) -> None:
        self._client = client
        self._database = database

    def ask(self, question: str, zone_id: str, run: int | None, since_ms: int) -> list[Row]:
        """The rows of an answer, by column.

        Raises BadInput, Refused when Timestream says no, OperatorError when it is too busy, Unreachable.
        """
        text = text_of(question, self._database, zone_id, run, since_ms)
        try:
            return [row for page in self._pages(text) for row in _rows(page)]
        except ClientError as error:
            raise self._refusal(error) from error
        except BotoCoreError as error:
            raise Unreachable(f"Timestream cannot be asked: {error}") from error

    def _pages(self, text: str) -> Iterator[Mapping[str, Any]]:
        """Pages of an answer. One without rows is not the last: Timestream is still looking."""
        more: dict[str, Any] = {}
        page: Mapping[str, Any] = {}
        for _ in range(MOST_PAGES):
            page = self._client.query(QueryString=text, MaxRows=PAGE_ROWS, **more)
            yield page
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}
        # Whoever stops reading has to say so: what runs on is charged.
        self._client.cancel_query(QueryId=page["QueryId"])
        raise OperatorError("The answer is too long: ask about fewer --days.")

    def _refusal(self, error: ClientError) -> OperatorError:
        code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        where = f"{self._database}.{schemas.load('metrics')['table']}"
        match code:
            case "ThrottlingException" | "InternalServerException" | "ServiceUnavailable":
                return OperatorError(f"Timestream is too busy ({code}). Nothing was changed; ask again in a minute.")
            case "ValidationException" | "ResourceNotFoundException":
                return Refused(
                    f"Timestream does not take the question: {said} Is there a table {where} in this Region? Terraform "
                    'makes it with metrics = { backend = "timestream" }.'
                )
            case "AccessDeniedException":
                return Refused(
                    f"You may not ask Timestream: {said} The rights needed are timestream:DescribeEndpoints, and "
                    f"timestream:Select on the table {where}."
                )
            case "QueryExecutionException":
                return OperatorError(f"Timestream gave up: {said} Ask about fewer --days.")
            case _:
                return Refused(f"Timestream refused ({code}): {said}")


def timestream_client(region: str | None, profile: str | None) -> Any:
    """A client with the operator's own credentials, which asks again on its own when it is told to slow down.

    Raises BadInput without region or credentials.
    """
    settings = botocore.config.Config(connect_timeout=3, retries={"mode": "standard", "total_max_attempts": 4})
    try:
        session = botocore.session.Session(profile=profile)
        return session.create_client(SERVICE, region_name=region, config=settings)
    except BotoCoreError as error:
        raise BadInput(f"{error} Give --profile and --region, or set AWS_PROFILE and AWS_REGION.") from None


def _rows(page: Mapping[str, Any]) -> Iterator[Row]:
    columns = [(each["Name"], each["Type"].get("ScalarType", "VARCHAR")) for each in page["ColumnInfo"]]
    for row in page["Rows"]:
        yield {name: _value(kind, datum) for (name, kind), datum in zip(columns, row["Data"], strict=True)}


def _value(kind: str, datum: Mapping[str, Any]) -> Any:
    """A value as Python has it; moments in UTC, to the second."""
    text = datum.get("ScalarValue")
    if datum.get("NullValue") or text is None:
        return None
    match kind:
        case "DOUBLE":
            return float(text)
        case "BIGINT" | "INTEGER":
            return int(text)
        case "TIMESTAMP":
            # Timestream writes nanoseconds, and no time zone because it knows UTC alone.
            moment = datetime.fromisoformat(text.partition(".")[0]).replace(tzinfo=UTC)
            return moment.isoformat().replace("+00:00", "Z")
        case _:
            return text
