"""The commands about signing keys."""

from __future__ import annotations

import argparse
import time
from typing import Any

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_cli.words.moments import show_moment
from scripts.operator_cli.words.tables import table

LONGEST_PAUSE_SEC = 60
"""Between two looks at a rotation: the service may be done earlier than it said."""

_SAID = {
    "introduced": "A next key was made. It can be used in {wait_sec} s: run `wr keys rotate` again, or with --wait.",
    "waiting": "The next key is not known at every edge yet; nothing was changed. Run it again in {wait_sec} s.",
    "switched": "The next key signs now. Retire the old one in a day: `wr keys list`, then `wr keys retire KEY`.",
}


def keys_list(api: OperatorApi, _target: Target, _arguments: argparse.Namespace) -> None:
    """The signing keys, without their private parts."""
    _print_keys(api.keys()["keys"])


def keys_rotate(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Do one step of a rotation; with --wait, all until the next key signs."""
    done = api.rotate_keys()
    while arguments.wait and done["step"] != "switched":
        print(f"waiting until every edge knows the next key, about {done['wait_sec']} s", flush=True)
        time.sleep(max(1, min(done["wait_sec"], LONGEST_PAUSE_SEC)))
        done = api.rotate_keys()
    _print_keys(done["keys"])
    print(_SAID[done["step"]].format(**done))


def keys_retire(api: OperatorApi, _target: Target, arguments: argparse.Namespace) -> None:
    """Take a replaced key away."""
    api.retire_key(arguments.key, force=arguments.force)
    print(f"{arguments.key} is retired; the gate refuses what it signed within about 10 s")


def _print_keys(keys: list[dict[str, Any]]) -> None:
    rows = [(key["kid"], key["state"], key["alg"], show_moment(key["created_at_ms"])) for key in keys]
    print("\n".join(table(("KEY", "STATE", "ALGORITHM", "MADE"), rows)))
