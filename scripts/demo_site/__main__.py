"""The sample site alone: `python -m scripts.demo_site --edge-url http://localhost:8080 --site-key midnight-sun=...`."""

from __future__ import annotations

import argparse
import os

import uvicorn

from foyer_origin import BadSettings
from scripts.demo_site.app import create_app
from scripts.demo_site.events import EVENTS

_NO_KEY = "no key was given for this zone"
"""What the waiting room refuses."""


def main() -> None:
    """Serve the site on 127.0.0.1 until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo_site", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="port on 127.0.0.1 (default 8090)")
    parser.add_argument("--edge-url", default="http://localhost:8080", help="where visitors reach the site")
    parser.add_argument(
        "--site-key", action="append", default=[], metavar="ZONE=KEY", help="key of a zone; without it nothing is sold"
    )
    parser.add_argument("--issuer", default="foyer", help="the deployment's name (default foyer)")
    parser.add_argument(
        "--origin-secret",
        default=os.environ.get("FOYER_ORIGIN_SECRET"),
        help="what the edge sends with every request, FOYER_ORIGIN_SECRET unless said; without it staff do not come in",
    )
    arguments = parser.parse_args()
    given = dict(each.partition("=")[::2] for each in arguments.site_key)
    keys = dict.fromkeys(EVENTS, _NO_KEY) | given
    try:
        app = create_app(
            arguments.edge_url, keys, issuer=arguments.issuer, origin_secret=arguments.origin_secret or None
        )
    except BadSettings as error:
        parser.error(str(error))
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
