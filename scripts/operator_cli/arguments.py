"""How `wr` reads its command line: the options every command takes, before or after it, and numbers in bounds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

Commands = argparse._SubParsersAction


class Command(argparse.ArgumentParser):
    """The parser of a command, of its actions and theirs; each takes the options of all commands too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Said once, in `wr --help`. Without a value they leave alone what was given before the command.
        for name, each in _OPTIONS.items():
            self.add_argument(name, **{**each, "default": argparse.SUPPRESS, "help": argparse.SUPPRESS})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of all commands, with their defaults and what they mean."""
    everywhere = parser.add_argument_group("options of every command, before or after it")
    for name, each in _OPTIONS.items():
        everywhere.add_argument(name, **each)
    parser.set_defaults(api_url=os.environ.get("FOYER_API_URL"), site_url=os.environ.get("FOYER_SITE_URL"))


_OPTIONS: dict[str, dict[str, Any]] = {
    "--api-url": {
        "metavar": "URL",
        "help": "execute-api address of the deployment (or FOYER_API_URL); without it, the demo on this machine",
    },
    "--site-url": {
        "metavar": "URL",
        "help": "address of the guarded site (or FOYER_SITE_URL), for links and the public status document",
    },
    "--profile": {"help": "profile of your AWS configuration"},
    "--region": {"help": "AWS region, if it cannot be told from --api-url"},
    "--json": {"action": "store_true", "help": "answer in JSON, for programs"},
}


def whole_number(least: int, most: int, what: str = "a whole number") -> Callable[[str], int]:
    """A type of argument: a whole number from `least` to `most`, both included; `what` names it in the refusal."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"give {what} from {least} to {most}")
        return int(text)

    return read
