"""Whether a beacon's value was signed by drand: BLS12-381 on "quicknet", scheme bls-unchained-g1-rfc9380.

The value is the SHA-256 of the round's signature, the signature one of SHA-256(round as 8 bytes, big-endian), on G1 by
RFC 9380. Key and scheme are those of https://api.drand.sh/v2/beacons/quicknet/info.
"""

from __future__ import annotations

import hashlib

import httpx

from scripts.operator_api.errors import Refused, Unreachable
from waiting_room.adapters.beacon import ADDRESS, CHAIN

PUBLIC_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
MISSING = "The beacon's signature is checked with py_ecc: `.venv/bin/pip install 'py_ecc>=8,<9'` installs it."


def check_beacon(number: int, value: str, http: httpx.Client) -> None:
    """Raise Refused unless drand signed `value` as that of round `number`; Unreachable without drand or py_ecc."""
    url = f"{ADDRESS}/{CHAIN}/public/{number}"
    try:
        signature = bytes.fromhex(http.get(url).raise_for_status().json()["signature"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise Unreachable(f"{url} does not tell the signature: try again, or ask another of drand's servers.") from None
    if hashlib.sha256(signature).hexdigest() != value:
        raise Refused(f"Round {number} of the beacon has another value than the record says.")
    if not is_signed(number, signature):
        raise Refused(f"The signature of round {number} is not drand's.")


def is_signed(number: int, signature: bytes) -> bool:
    """Whether a signature of a round is by drand's key; raises Unreachable without py_ecc."""
    try:
        from py_ecc import optimized_bls12_381 as curve
        from py_ecc.bls.hash_to_curve import hash_to_G1
        from py_ecc.bls.point_compression import decompress_G1, decompress_G2
    except ImportError:
        raise Unreachable(MISSING) from None
    if len(signature) != len(PUBLIC_KEY) // 2:
        return False
    message = hash_to_G1(hashlib.sha256(number.to_bytes(8, "big")).digest(), DOMAIN, hashlib.sha256)
    halves = int.from_bytes(PUBLIC_KEY[:48], "big"), int.from_bytes(PUBLIC_KEY[48:], "big")
    try:
        point = decompress_G1(int.from_bytes(signature, "big"))
    except ValueError:
        return False
    # In the right subgroup, and e(signature, generator) = e(message, key): the product with one negated is 1.
    if not curve.is_inf(curve.multiply(point, curve.curve_order)):
        return False
    product = curve.pairing(curve.G2, point, final_exponentiate=False)
    product *= curve.pairing(decompress_G2(halves), curve.neg(message), final_exponentiate=False)
    return bool(curve.final_exponentiate(product) == curve.FQ12.one())
