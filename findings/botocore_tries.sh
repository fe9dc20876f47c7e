#!/usr/bin/env bash
# How often boto3 tries depends on where the number stands, and on the minor version.
#
# One would guess: max_attempts=2 means two requests, in code as in the environment, and a newer minor version of boto3
#   tries as often as the one before.
# Seen against a server that answers every request with "500":
#
#                                                boto3 1.43.106   1.44.5
#   DynamoDB, nothing said                             10            4
#   another service, nothing said                       5            3
#   DynamoDB, Config(retries={"mode": "standard"})      3            4
#   AWS_MAX_ATTEMPTS=2                                  2            2
#   Config(retries={"max_attempts": 2})                 3            3
#   Config(retries={"total_max_attempts": 2})           2            2
#
# Why: in Config, max_attempts counts the repetitions; AWS_MAX_ATTEMPTS, the configuration file and total_max_attempts
#   count the requests. With 1.44 the default mode became `standard`, in which DynamoDB has one try more than others.
# What to do: where a number matters, say total_max_attempts in code; it wins over the environment.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
cat >run.py <<'PYTHON'
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

requests = []


class Fails(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Fails)
threading.Thread(target=server.serve_forever, daemon=True).start()


def tried(service, call, retries=None, environment=None, **arguments):
    requests.clear()
    os.environ.update(environment or {})
    client = boto3.client(
        service,
        "us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config=Config(retries=retries) if retries else None,
    )
    for name in environment or {}:
        del os.environ[name]
    try:
        getattr(client, call)(**arguments)
    except ClientError:
        return len(requests)
    raise AssertionError("a 500 is an answer?")


def dynamodb(**settings):
    return tried("dynamodb", "list_tables", **settings)


found = [
    dynamodb(),
    tried("ssm", "get_parameter", Name="a"),
    dynamodb(retries={"mode": "standard"}),
    dynamodb(environment={"AWS_MAX_ATTEMPTS": "2"}),
    dynamodb(retries={"max_attempts": 2}),
    dynamodb(retries={"total_max_attempts": 2}),
    dynamodb(retries={"total_max_attempts": 2}, environment={"AWS_MAX_ATTEMPTS": "5"}),
]
print("boto3", boto3.__version__, found)
assert found == [int(number) for number in sys.argv[1:]]
PYTHON
unset AWS_MAX_ATTEMPTS AWS_RETRY_MODE AWS_PROFILE AWS_ENDPOINT_URL
export AWS_CONFIG_FILE=$scratch/none AWS_SHARED_CREDENTIALS_FILE=$scratch/none
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.106 botocore==1.43.106
venv/bin/python run.py 10 5 3 2 3 2 2
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.44.5 botocore==1.44.5
venv/bin/python run.py 4 3 4 2 3 2 2
