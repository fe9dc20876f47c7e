"""Names and form of our cookies, for the gate and the API alike."""

from __future__ import annotations

__all__ = ["COOKIE_PREFIX", "clear_cookie", "cookie_name", "set_cookie"]

COOKIE_PREFIX = "__Host-wr-"


def cookie_name(kind: str, zone_id: str) -> str:
    """Name of the cookie that holds a token of this kind (`visitor`, `access`, `bypass`)."""
    return f"{COOKIE_PREFIX}{kind}-{zone_id}"


def set_cookie(name: str, value: str, max_age_sec: int) -> str:
    """A Set-Cookie value; `__Host-` demands Secure, Path=/ and no Domain."""
    return f"{name}={value}; Max-Age={max(0, max_age_sec)}; Path=/; Secure; HttpOnly; SameSite=Lax"


def clear_cookie(name: str) -> str:
    """A Set-Cookie value that removes a cookie."""
    return set_cookie(name, "", 0)
