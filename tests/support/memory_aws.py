"""The AWS services beside DynamoDB that functions call, in memory, and the rights that stand before all of them."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment.names import Names
from scripts.local.codes import PATH, Codes

Right = tuple[str, str]
"""An IAM action and the resource it is used on, written as in schemas/functions.json."""

TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
"""A transaction needs no right of its own, but that of every write in it."""


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


@dataclass
class MemoryBucket:
    """An S3 client that knows one bucket; conditions as S3 has them."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803
        if Key not in self.objects:
            raise refusal("NoSuchKey", "GetObject", 404)
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": _etag(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: Any) -> None:  # noqa: N803
        stored = self.objects.get(Key)
        if more.get("IfNoneMatch") == "*" and stored is not None:
            raise refusal("PreconditionFailed", "PutObject", 412)
        if "IfMatch" in more and (stored is None or _etag(stored) != more["IfMatch"]):
            raise refusal("NoSuchKey" if stored is None else "PreconditionFailed", "PutObject", 412)
        self.objects[Key] = Body


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


@dataclass
class MemoryLambda:
    """A Lambda client that notes what was started, and what was called, as (function name, event)."""

    started: list[tuple[str, Any]] = field(default_factory=list)
    called: list[tuple[str, Any]] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        noted = {"Event": self.started, "RequestResponse": self.called}[InvocationType]
        noted.append((FunctionName, json.loads(Payload)))


@dataclass
class MemoryConnections:
    """The management API of WebSockets: all of them are gone, unless they are `open`."""

    open: bool = False

    def post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        if not self.open:
            raise refusal("GoneException", "PostToConnection", 410)

    def delete_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
        if not self.open:
            raise refusal("GoneException", "DeleteConnection", 410)


@dataclass
class MemoryFirehose:
    """A Firehose client that keeps the rows; `down` makes it fail, `refused` counts rows it will not take yet."""

    lines: list[bytes] = field(default_factory=list)
    down: bool = False
    refused: int = 0
    batches: list[int] = field(default_factory=list)

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[Any]) -> Any:  # noqa: N803
        if self.down:
            raise refusal("ServiceUnavailableException", "PutRecordBatch", 503)
        assert len(Records) <= 500
        assert sum(len(record["Data"]) for record in Records) <= 4 * 2**20
        self.batches.append(len(Records))
        outcomes = []
        for record in Records:
            if self.refused:
                self.refused -= 1
                outcomes.append({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."})
                continue
            self.lines.append(record["Data"])
            outcomes.append({"RecordId": str(len(self.lines))})
        return {"FailedPutCount": sum("ErrorCode" in each for each in outcomes), "RequestResponses": outcomes}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows, as Athena would read them."""
        return [json.loads(line) for line in self.lines]


@dataclass
class MemoryQueue:
    """An SQS client that keeps the messages."""

    messages: list[Any] = field(default_factory=list)
    down: bool = False

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        if self.down:
            raise refusal("ThrottlingException", "SendMessage")
        self.messages.append(json.loads(MessageBody))


@dataclass
class MemoryTimestream:
    """A Timestream client: of records of the same dimensions and time the higher version stays."""

    records: dict[str, Any] = field(default_factory=dict)

    def write_records(self, *, DatabaseName: str, TableName: str, Records: list[Any]) -> None:  # noqa: N803
        assert len(Records) <= 100
        for record in Records:
            key = json.dumps([record["Dimensions"], record["MeasureName"], record["Time"]])
            if key not in self.records or self.records[key]["Version"] < record["Version"]:
                self.records[key] = record


@dataclass
class MemoryKms:
    """Seals by turning letters and writing down what for: opened for another visitor it fails, as it does at AWS."""

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]) -> Any:  # noqa: N803
        sealed = json.dumps([KeyId, Plaintext[::-1].decode(), dict(EncryptionContext)])
        return {"CiphertextBlob": sealed.encode()}

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str]) -> Any:  # noqa: N803
        key, reversed_text, context = json.loads(CiphertextBlob)
        if (key, context) != (KeyId, dict(EncryptionContext)):
            raise refusal("InvalidCiphertextException", "Decrypt")
        return {"Plaintext": reversed_text[::-1].encode()}


class MemoryCodes:
    """Passcodes of the local stand-in, without HTTP."""

    def __init__(self, now_sec: Callable[[], float]) -> None:
        self._codes = Codes(now_sec)
        self.messages: list[str] = []

    def send_notify_code_verification(self, **asked: Any) -> dict[str, Any]:
        return self._answer("send", asked)

    def validate_notify_code_verification(self, **asked: Any) -> dict[str, Any]:
        return self._answer("validate", asked)

    def _answer(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        status, answer, message = self._codes.answer(f"{PATH}{what}", asked)
        assert status == 200, answer
        self.messages += [message] if message else []
        return answer


@dataclass
class MemoryMessaging:
    """End User Messaging: keeps what it was asked to send."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def send_text_message(self, **asked: Any) -> Any:
        self.sent.append(asked)

    def send_voice_message(self, **asked: Any) -> Any:
        self.sent.append(asked)


@dataclass
class Rights:
    """What one function may do, and how often it did what. Everything else is refused as AWS refuses it."""

    granted: frozenset[Right]
    used: Counter[Right] = field(default_factory=Counter)

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Rights:
        """The rights of a function of schemas/functions.json."""
        permissions = spec["permissions"]
        return cls(frozenset((action, each["resource"]) for each in permissions for action in each["actions"]))

    def ask(self, action: str, resource: str, operation: str) -> None:
        """Note the use of a right. Raises AccessDeniedException for one that was not granted."""
        matching = [right for right in self.granted if right[0] == action and fnmatch.fnmatchcase(resource, right[1])]
        if not matching:
            raise refusal("AccessDeniedException", f"{operation} ({action} on {resource})")
        self.used.update(matching)


class Guarded:
    """A client behind one function's rights. `calls` counts what went through, by method."""

    def __init__(self, service: str, client: Any, rights: Rights, names: Names, calls: Counter[str]) -> None:
        self._service = service
        self._client = client
        self._rights = rights
        self._names = names
        self._calls = calls

    def __getattr__(self, method: str) -> Any:
        act = getattr(self._client, method)

        def call(**request: Any) -> Any:
            for action, resource in self._needs(method, request):
                self._rights.ask(action, resource, method)
            self._calls[f"{self._service}.{method}"] += 1
            return act(**request)

        return call

    def _needs(self, method: str, request: Mapping[str, Any]) -> Iterator[Right]:
        """The rights AWS asks for before it looks at the request itself."""
        action = "".join(word.capitalize() for word in method.split("_"))
        match self._service:
            case "dynamodb" if method == "transact_write_items":
                for item in request["TransactItems"]:
                    ((kind, write),) = item.items()
                    yield f"dynamodb:{TRANSACTED[kind]}", self._table(write["TableName"])
            case "dynamodb" if method.startswith("batch_"):
                for table in request["RequestItems"]:
                    yield f"dynamodb:{action}", self._table(table)
            case "dynamodb":
                yield f"dynamodb:{action}", self._table(request["TableName"])
            case "s3":
                yield from self._bucket(action, request)
            case "ssm":
                assert request["Name"] == self._names.signing_keys_parameter
                yield f"ssm:{action}", "parameter:signing_keys"
            case "secretsmanager":
                below = request["SecretId"].startswith(f"{self._names.join_secrets_path}/")
                assert below or request["SecretId"] == self._names.signing_keys
                yield f"secretsmanager:{action}", "secret:join_secrets" if below else "secret:signing_keys"
            case "kms":
                yield f"kms:{action}", "alerts:key"
            case "endusermessaging":
                yield f"end-user-messaging:{action}", "codes:service"
            case "pinpoint-sms-voice-v2":
                yield f"sms-voice:{action}", "alerts:identity"
            case "cloudwatch":
                yield f"cloudwatch:{action}", "alarms"
            case "apigatewaymanagementapi":
                yield "execute-api:ManageConnections", "websocket:connections"
            case "firehose":
                assert request["DeliveryStreamName"] == self._names.archive
                yield f"firehose:{action}", "archive:stream"
            case "sqs":
                yield f"sqs:{action}", "failures:queue"
            case "timestream-write":
                # The client asks where to send records before it does.
                yield "timestream:DescribeEndpoints", "metrics:endpoints"
                yield f"timestream:{action}", "metrics:table"
            case "lambda":
                component = request["FunctionName"].removeprefix(self._names.function(""))
                yield "lambda:InvokeFunction", f"function:{component}"

    def _bucket(self, action: str, request: Mapping[str, Any]) -> Iterator[Right]:
        assert request["Bucket"] == self._names.bucket
        key = f"bucket:{request['Key']}"
        yield f"s3:{action}", key
        if "IfMatch" in request:
            yield "s3:GetObject", key
        if action == "GetObject" and request["Key"] not in self._client.objects:
            # Without the right to list, S3 does not even say that there is no such key.
            yield "s3:ListBucket", "bucket"

    def _table(self, name: str) -> str:
        return f"table:{name.removeprefix(self._names.table('')).replace('-', '_')}"


class MemoryAlarms:
    """CloudWatch alarms by name; a name that is not there does not exist."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str], MaxRecords: int) -> Any:  # noqa: N803
        assert len(AlarmNames) <= MaxRecords <= 100
        assert AlarmTypes == ["MetricAlarm", "CompositeAlarm"]
        known = [{"AlarmName": name, "StateValue": self.states[name]} for name in AlarmNames if name in self.states]
        return {"MetricAlarms": known, "CompositeAlarms": []}
