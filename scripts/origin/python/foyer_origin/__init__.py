"""What a site's own servers do behind Foyer, the virtual waiting room: check who comes in, confirm what is bought.

room = WaitingRoom.from_env()
visit = room.check(request.headers)                 # raises NotAdmitted
confirmation = room.confirm(visit, order.number)    # sell if .verdict is Verdict.CONFIRMED
"""

from foyer_origin.confirmations import Confirmation, Verdict, end_visit_cookies
from foyer_origin.errors import BadReference, BadSettings, FoyerOriginError, KeysUnavailable, NotAdmitted
from foyer_origin.middleware import VISIT, AsgiMiddleware, WsgiMiddleware
from foyer_origin.room import WaitingRoom
from foyer_origin.settings import Settings
from foyer_origin.visits import ORIGIN_SECRET_HEADER, Visit

__all__ = [
    "ORIGIN_SECRET_HEADER",
    "VISIT",
    "AsgiMiddleware",
    "BadReference",
    "BadSettings",
    "Confirmation",
    "FoyerOriginError",
    "KeysUnavailable",
    "NotAdmitted",
    "Settings",
    "Verdict",
    "Visit",
    "WaitingRoom",
    "WsgiMiddleware",
    "end_visit_cookies",
]
