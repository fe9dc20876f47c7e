"""What would have gone to telephones: a stand-in for AWS End User Messaging, which no local engine has.

It takes the requests that the product's own clients send, holds them to the service's rules, and keeps the messages.
"""

from __future__ import annotations

import html
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import botocore.session
from botocore.validate import ParamValidator

from scripts.local.codes import PATH, Codes

SERVICE = "pinpoint-sms-voice-v2"
ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"
CODES_ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_ENDUSERMESSAGING"
"""Tell the SDK where those two services are."""

OPERATIONS = ("SendTextMessage", "SendVoiceMessage")
MOST = 1_000


class Outbox:
    """Serves on 127.0.0.1 while it is open; `messages` are the newest first."""

    def __init__(self, port: int = 0) -> None:
        """On this port if it is free, otherwise on another: functions that were set up before know the old one."""
        self._port = port
        self.messages: list[dict[str, Any]] = []
        self.codes = Codes()
        self._shapes = botocore.session.get_session().get_service_model(SERVICE)
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        except OSError:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, target: str, body: bytes) -> tuple[int, dict[str, str]]:
        """Status and answer to a request of the SDK, by its X-Amz-Target."""
        operation = target.rpartition(".")[2]
        if operation not in OPERATIONS:
            return 400, {"__type": "ValidationException", "message": f"{operation} is not known here."}
        asked = json.loads(body)
        faults = ParamValidator().validate(asked, self._shapes.operation_model(operation).input_shape)
        if faults.has_errors():
            return 400, {"__type": "ValidationException", "message": faults.generate_report()}
        self._keep(operation, asked)
        return 200, {"MessageId": str(uuid.uuid4())}

    def verify(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and answer to a request about a passcode; whatever is sent stands among the messages."""
        asked = json.loads(body)
        status, answer, message = self.codes.answer(path, asked)
        if message:
            channel = {"DestinationPhoneNumber": asked["destinationIdentity"], "MessageBody": message}
            life_sec = 60 * asked["overrideCodeConfigurationParameters"]["validityPeriodMinutes"]
            self._keep(asked["channel"], {**channel, "TimeToLive": life_sec})
        return status, answer

    def _keep(self, operation: str, asked: dict[str, Any]) -> None:
        self.messages.insert(0, {"operation": operation, "at": time.strftime("%H:%M:%S"), **asked})
        del self.messages[MOST:]

    def page(self) -> str:
        """The messages, for people."""
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in _cells(message)) + "</tr>"
            for message in list(self.messages)
        )
        heads = "".join(f"<th scope='col'>{name}</th>" for name in ("At", "Over", "To", "Text", "Good for"))
        return (
            "<!doctype html><html lang='en'><meta charset='utf-8'><meta http-equiv='refresh' content='5'>"
            "<meta name='viewport' content='width=device-width'><title>Outbox</title><h1>Outbox</h1>"
            "<p>Messages that a deployment would have sent. Nothing here goes anywhere.</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></html>"
        )


_OVER = {"SendVoiceMessage": "call", "VOICE": "call", "WHATSAPP": "WhatsApp"}


def _cells(message: dict[str, Any]) -> tuple[str, ...]:
    over = _OVER.get(message["operation"], "SMS")
    life = f"{message.get('TimeToLive', 0)} s"
    return message["at"], over, message["DestinationPhoneNumber"], message["MessageBody"], life


def _handler(outbox: Outbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            of_codes = self.path.startswith(PATH)
            told = (
                outbox.verify(self.path, body) if of_codes else outbox.take(self.headers.get("x-amz-target", ""), body)
            )
            status, answer = told
            text = json.dumps(answer).encode()
            self.send_response(status)
            if of_codes and status >= 400:
                # Where a rest-json service names its error.
                self.send_header("x-amzn-errortype", answer["__type"])
            self.send_header("content-type", "application/json" if of_codes else "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a line would have a number in it."""

    return Handler
