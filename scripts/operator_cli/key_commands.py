"""The commands about signing keys."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from .answers import Answer, tell
from .arguments import Command, Commands
from .words.moments import show_moment
from .words.tables import table

LONGEST_PAUSE_SEC = 60
"""Between two looks at a rotation: the service may be done earlier than it said."""

_SAID = {
    "introduced": "A next key was made. It can be used in {wait_sec} s: run `wr keys rotate` again, or with --wait.",
    "waiting": "The next key is not known at every edge yet; nothing was changed. Run it again in {wait_sec} s.",
    "switched": "The next key signs now. Retire the old one in a day: `wr keys list`, then `wr keys retire KEY`.",
}


def add_commands(found: Commands[Command]) -> None:
    """The arguments of `wr keys`."""
    keys = found.add_parser("keys", help="list, rotate and retire the keys that sign tokens")
    keys.set_defaults(command=keys_list)
    actions = keys.add_subparsers(title="actions", metavar="ACTION")
    listing = actions.add_parser("list", help="the signing keys, public parts only")
    listing.set_defaults(command=keys_list)
    rotate = actions.add_parser(
        "rotate",
        help="put the next key to use",
        description="Put the next key to use, once every edge knows it, and introduce another. Visitors notice "
        "nothing: the old key goes on verifying what it signed, until it is retired.",
    )
    rotate.add_argument("--wait", action="store_true", help="wait as long as it takes (about six minutes)")
    rotate.set_defaults(command=keys_rotate)
    retire = actions.add_parser(
        "retire",
        help="take a replaced key away",
        description="Take a replaced key away, a day after the rotation, when no token of it is valid any more.",
    )
    retire.add_argument("key", metavar="KEY")
    retire.add_argument(
        "--force",
        action="store_true",
        help="the key has leaked: do not wait. Five minutes after the rotation at the earliest; lock the zones "
        "meanwhile. Visitors whose token it signed lose their place",
    )
    retire.set_defaults(command=keys_retire)


def keys_list(api: OperatorApi, _target: Target, _arguments: argparse.Namespace) -> Answer:
    """The signing keys, without their private parts."""
    keys = api.keys()["keys"]
    return Answer({"keys": keys}, _key_lines(keys))


def keys_rotate(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Do one step of a rotation; with --wait, all until the next key signs."""
    done = api.rotate_keys()
    while arguments.wait and done["step"] != "switched":
        tell(arguments, f"waiting until every edge knows the next key, about {done['wait_sec']} s")
        time.sleep(max(1, min(done["wait_sec"], LONGEST_PAUSE_SEC)))
        done = api.rotate_keys()
    return Answer(done, [*_key_lines(done["keys"]), _SAID[done["step"]].format(**done)])


def keys_retire(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> Answer:
    """Take a replaced key away."""
    api.retire_key(arguments.key, force=arguments.force)
    said = f"{arguments.key} is retired; the gate refuses what it signed within about 10 s"
    return Answer({"retired": arguments.key}, [said])


def _key_lines(keys: list[dict[str, Any]]) -> list[str]:
    rows = [(key["kid"], key["state"], key["alg"], show_moment(key["created_at_ms"])) for key in keys]
    return table(("KEY", "STATE", "ALGORITHM", "MADE"), rows)
