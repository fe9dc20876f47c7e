"""The sample site alone: `python -m scripts.demo_site --edge-url http://localhost:8080 --site-key midnight-sun=...`."""

from __future__ import annotations

import argparse

import uvicorn

from scripts.demo_site.app import create_app
from scripts.demo_site.events import EVENTS


def main() -> None:
    """Serve the site on 127.0.0.1 until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo_site", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="port on 127.0.0.1 (default 8090)")
    parser.add_argument("--edge-url", default="http://localhost:8080", help="where visitors reach the site")
    parser.add_argument(
        "--site-key", action="append", default=[], metavar="ZONE=KEY", help="key of a zone; without it nothing is sold"
    )
    arguments = parser.parse_args()
    given = dict(each.partition("=")[::2] for each in arguments.site_key)
    app = create_app(arguments.edge_url, dict.fromkeys(EVENTS, "") | given)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
