"""Run by `cold_start.py` in a process of its own: import `handler`, answer one event twice, say what that took."""

import json
import socket
import sys
import time
from types import SimpleNamespace


def main():
    event = json.load(sys.stdin)
    # In Lambda's runtime these are there before any code of a function.
    began = time.perf_counter()
    import handler

    init_ms = (time.perf_counter() - began) * 1000
    known = set(sys.modules)
    made, opened = _recorded()
    context = SimpleNamespace(aws_request_id="1", function_name="")
    began = time.perf_counter()
    answer = handler.handler(event, context)
    first_ms = (time.perf_counter() - began) * 1000
    imported, clients, connections = sorted(set(sys.modules) - known), list(made), len(opened)
    began = time.perf_counter()
    second = handler.handler(event, context)
    second_ms = (time.perf_counter() - began) * 1000
    told = {"answer": answer, "second": second, "imported": imported, "clients": clients, "connections": connections}
    print(json.dumps({**told, "init_ms": init_ms, "first_ms": first_ms, "second_ms": second_ms}))


def _recorded():
    """Lists that fill with the clients that boto3 makes and the connections that are opened."""
    made, opened = [], []
    connect = socket.socket.connect

    def noted(self, address):
        opened.append(address)
        return connect(self, address)

    socket.socket.connect = noted
    if "botocore.session" in sys.modules:
        session = sys.modules["botocore.session"].Session
        create = session.create_client

        def create_client(self, name, *args, **more):
            made.append(name)
            return create(self, name, *args, **more)

        session.create_client = create_client
    return made, opened


main()
