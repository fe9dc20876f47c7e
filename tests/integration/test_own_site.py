"""The shop of the Python package's README, as it stands there, behind the local edge: in, bought, repeated, refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from scripts.demo.own import OwnSite, needed, read_own_site
from scripts.demo_site.keys import Keys
from scripts.edge import Edge
from scripts.local import free_port
from tests.integration.guests import Guest, connections
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import ORIGIN_SECRET, SITE_KEY, decides, open_zones, zone
from tests.support.origin_rooms import FOLDER

START_SEC = 20
ZONE_ID = "my-show"
ORDER = "0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's zone and the README's shop."""
    text = (FOLDER / "python" / "README.md").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("my-shop")
    for name, kind in (("my.json", "json"), ("shop.py", "python")):
        block = re.search(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert block
        folder.joinpath(name).write_text(block[1], encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def own(folder: Path) -> OwnSite:
    """The site the demo would read, on a free port."""
    own = read_own_site(f"http://127.0.0.1:{free_port()}", str(folder / "my.json"), 0)
    assert own is not None
    content = (folder / "shop.py").read_text(encoding="utf-8")
    assert content.count("3000") == 1
    (folder / "shop.py").write_text(content.replace("3000", str(urlsplit(own.origin).port)), encoding="utf-8")
    (document,) = own.zones
    return OwnSite(own.origin, [zone(**document)])


@pytest.fixture(scope="module")
def http(foyer: Foyer, folder: Path, own: OwnSite) -> Iterator[httpx.Client]:
    """Connections to an edge with the shop behind it; the shop has what the demo prints, and nothing else of ours."""
    open_zones(foyer, *own.zones)
    keys = Keys(ORIGIN_SECRET, {ZONE_ID: SITE_KEY})
    with Edge(0, foyer.stack, own.origin, site_headers=keys.site_headers) as edge:
        printed = needed(own, f"http://localhost:{edge.port}", foyer.stack.names.deployment, keys)
        variables = dict(re.findall(r"^  export (\w+)=(.*)$", printed, re.MULTILINE))
        environment = {**os.environ, **variables, "PYTHONPATH": str(FOLDER / "python")}
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen([sys.executable, "shop.py"], cwd=folder, env=environment, stdout=log, stderr=log) as shop,
        ):
            try:
                wait_until(lambda: listens(own.origin, shop, folder / "log"), START_SEC, "the shop answers")
                wait_until(lambda: decides(edge.url), START_SEC, "the new gate has its snapshot")
                with connections(edge.url) as http:
                    yield http
            finally:
                shop.terminate()


def listens(origin: str, shop: subprocess.Popen[bytes], log: Path) -> bool:
    assert shop.poll() is None, log.read_text(encoding="utf-8")
    try:
        return httpx.get(origin, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_visit_buys_once(http: httpx.Client, own: OwnSite) -> None:
    assert httpx.get(f"{own.origin}/events/{ZONE_ID}", trust_env=False).status_code == 403
    guest = Guest(http, ZONE_ID)
    assert guest.is_in()
    unanswered, another = guest.another_window(), guest.another_window()
    buy = f"/events/{ZONE_ID}/buy"
    bought = guest.open(buy, {"order": ORDER})
    assert (bought.status_code, bought.text) == (200, f"Order {ORDER}: sold")
    assert f"__Host-wr-access-{ZONE_ID}" not in guest.cookies
    assert guest.place()["status"] == "completed"
    assert not guest.is_in()

    again = unanswered.open(buy, {"order": ORDER})
    assert (str(again.url), again.text) == (str(bought.url), bought.text)
    refused = another.open(buy, {"order": ORDER[::-1]})
    assert (refused.status_code, refused.text) == (409, "This visit has bought already. Nothing was bought twice.")
    assert http.get(f"/thanks/{ORDER[::-1]}").text.endswith("void")
