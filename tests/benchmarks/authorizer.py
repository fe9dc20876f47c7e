"""What the authorizer of the AWS Solutions waiting room does with a token, step by step, on the library it uses.

It parses the public key out of its JSON, makes a verifier of it, checks the RS256 signature and then the claims, for
each request anew.
"""

from __future__ import annotations

import json
import time
from typing import Any

ISSUER = "https://issuer.example/api"
AUDIENCE = "event"


def make_authorizer() -> Any:
    """A function that checks one good token once. Raises ImportError where jwcrypto is missing."""
    from jwcrypto import jwk, jwt  # type: ignore[import-not-found, unused-ignore]

    pair = jwk.JWK.generate(kty="RSA", size=2048, kid="key", alg="RS256", use="sig")
    published = pair.export_public()
    now_sec = int(time.time())
    claims = {
        "aud": AUDIENCE,
        "sub": "7f3a5c1e-0000-4000-8000-000000000000",
        "queue_position": 61,
        "token_use": "access",
        "iat": now_sec,
        "nbf": now_sec,
        "exp": now_sec + 3600,
        "iss": ISSUER,
    }
    made = jwt.JWT(header={"alg": "RS256", "kid": "key", "typ": "JWT"}, claims=claims)
    made.make_signed_token(pair)
    token = made.serialize()

    def authorize() -> None:
        key = jwk.JWK(**json.loads(published))
        verified = jwt.JWT(jwt=token, key=key, algs=["RS256"])
        found = json.loads(verified.claims)
        if found["iss"] != ISSUER or found["aud"] != AUDIENCE or found["exp"] < time.time():
            raise AssertionError(found)

    return authorize
