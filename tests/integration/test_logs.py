"""A whole visit on the running stack; then every log line of every function is searched for what it must not hold."""

from __future__ import annotations

import re

from tests.integration.guests import Guest, connections
from tests.integration.running import Foyer
from tests.integration.zones import path_of, zone

ZONE_ID = "logged"
