"""Readings of a path: whatever an origin may make of it, the gate has thought of it."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waiting_room.domain.gate import paths
from waiting_room.domain.gate.paths import DECODING_ROUNDS, MOST_READINGS, BadPath, fold, readings

TARGET = "/events/midnight-sun"


@pytest.mark.parametrize(
    "path",
    ["/", "/events/midnight-sun", "/a/b.c/d~e", "/a/", "/a,b/c=d/@e/(f)/$g!h'*:"],
)
def test_an_ordinary_path_has_one_reading(path):
    assert readings(path) == (path,)


@pytest.mark.parametrize(
    ("path", "reading"),
    [
        ("/%65vents/midnight-sun", TARGET),
        ("/events%2Fmidnight-sun", TARGET),
        ("/events%2fmidnight%2Dsun", TARGET),
        ("/%2565vents/midnight-sun", TARGET),
        ("/%252565vents/midnight-sun", TARGET),
        ("/events\\midnight-sun", TARGET),
        ("/events%5cmidnight-sun", TARGET),
        ("/events%255Cmidnight-sun", TARGET),
        ("/events;v=1/midnight-sun;jsessionid=2", TARGET),
        ("/events%3bv=1/midnight-sun", TARGET),
        ("//events///midnight-sun", TARGET),
        ("/./events/./midnight-sun", TARGET),
        ("/x/../events/midnight-sun", TARGET),
        ("/x/%2e%2e/events/midnight-sun", TARGET),
        ("/x/.%2E/events/midnight-sun", TARGET),
        ("/x/..;/events/midnight-sun", TARGET),
        ("/x/..%3b/events/midnight-sun", TARGET),
        ("/x/..%3bv/events/midnight-sun", TARGET),
        ("/../../events/midnight-sun", TARGET),
        ("/a//../events/midnight-sun", TARGET),
        ("/x%2f..%2fevents/midnight-sun", TARGET),
        ("/x%2fy/%2e%2e/events/midnight-sun", TARGET),
        ("/x%252fy/%252e%252e/events/midnight-sun", TARGET),
        ("/x/.. /events/midnight-sun", TARGET),
        ("/x/..%20/events/midnight-sun", TARGET),
        ("/events/midnight-sun.", TARGET),
        ("/events/midnight-sun%20", TARGET),
        ("/events./midnight-sun", TARGET),
        ("/%20/events/midnight-sun", TARGET),
        ("/events/midnight-sun%3Fa=b", TARGET),
        ("/events/midnight-sun%23top", TARGET),
        ("/%u0065vents/midnight-sun", TARGET),
        ("/events%u002fmidnight-sun", TARGET),
        ("/%EF%BD%85vents/midnight-sun", TARGET),
        ("/events%EF%BC%8Fmidnight-sun", TARGET),
        ("/%%36%35vents/midnight-sun", TARGET),
        ("/events/./midnight-sun/.", TARGET + "/"),
        ("/events/midnight-sun/x/..", TARGET + "/"),
        ("/events/x/..;/midnight-sun", TARGET),
        ("/caf%65%CC%81", "/café"),
        ("/events/midnight-s%C3%BAn", TARGET),
        ("/events/midnight-s%75%CC%81n", TARGET),
        ("/events/midnight%C2%AD-sun", TARGET),
        ("/%E2%80%8Bevents/midnight-sun%EF%BB%BF", TARGET),
        ("/events/midnight%E2%80%91sun", TARGET),
        ("/events%E2%88%95midnight-sun", TARGET),
        ("/events/midnight%C2%A0sun", "/events/midnight sun"),
        ("/shows/%D9%A1%D9%A2", "/shows/12"),
        ("/events/midnight+sun", "/events/midnight sun"),
        ("/events/midnight-sun+", TARGET),
        ("/events/midnight-sun&a=b", TARGET),
        ("/events/midnight-sun%26a=b", TARGET),
        ("/events&a/midnight-sun%23b", "/events&a/midnight-sun"),
        ("/events%23a/midnight-sun%3Fb", "/events#a/midnight-sun"),
        ("/(S(a1b2))/events/midnight-sun", TARGET),
        ("/events/(A(1)F(x-2))/midnight-sun", TARGET),
        ("/%28S%28a%29%29/events/midnight-sun", TARGET),
        ("/ev/(S(a))ents/midnight-sun", TARGET),
        ("/index.php/events/midnight-sun", TARGET),
        ("/events.php/midnight-sun", TARGET),
        ("/_next/data/build-1/events/midnight-sun", TARGET),
        ("/_next/data//events/midnight-sun", TARGET),
        ("/base/_next/data/b/events/x", "/base/events/x"),
        ("/page-data/events/midnight-sun", TARGET),
    ],
)
def test_what_some_server_reads_is_among_the_readings(path, reading):
    assert reading in readings(path)


@pytest.mark.parametrize(
    "path", ["/events/Midnight-Sun", "/EVENTS/MIDNIGHT-SUN", "/event%C5%BF/m%C4%B1dnight-%C5%BFun"]
)
def test_case_is_folded_as_widely_as_any_server_does(path):
    assert TARGET in map(fold, readings(path))


def test_climbing_above_the_root_stays_at_the_root():
    assert "/a" in readings("/../../../../a")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "events",
        "https://tickets.example.com/events",
        "/é",
        "/%ff",
        "/%C0%AE%C0%AE/events",
        "/%E2%82",
        "/%25ff",
        "/a%00b",
        "/a%0d%0aset-cookie:x",
        "/a%2500",
        "/a%7f",
        "/a\tb",
        "/%C2%85",
        "/%u0000",
        "/" + "a" * 8192,
        "/%2525252565vents",
    ],
)
def test_a_path_without_a_safe_reading_is_refused(path):
    with pytest.raises(BadPath):
        readings(path)


def test_three_rounds_of_encoding_are_read_and_a_fourth_is_refused():
    path = "/é"
    for _ in range(DECODING_ROUNDS):
        path = quote(path)
        assert "/é" in readings(path)
    with pytest.raises(BadPath, match="too often"):
        readings(quote(path))


def test_a_path_with_too_many_readings_is_refused_rather_than_searched():
    crowded = "/a%2fb%252fc%25252fd/%2e%2e/x;%3b%253b//%5c%255c/..%20/%EF%BC%8F%u002f/.;./e%3f%23"
    with pytest.raises(BadPath, match="too many ways"):
        readings(crowded)


def test_invalid_escapes_stay_as_they_are():
    assert readings("/100%/x%zz") == ("/100%/x%zz",)


@pytest.mark.parametrize(
    "piece", ["/a;b", "%2541", "/%2e%2e", "%E2%80%AD", "%EF%B7%BA", "/(S(a))", "/x.php", "//", "/.", "\\", "+", "%%36"]
)
def test_all_readings_of_a_path_together_are_within_the_budget(piece):
    longest = ("/" + piece * 8192)[: paths.LONGEST_PATH]
    with pytest.raises(BadPath):
        readings(longest)
    assert sum(map(len, readings("/" + piece * 5))) <= paths.READING_BUDGET


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="/.;%2ef5cE \\?#ab", min_size=0, max_size=40).map(lambda text: "/" + text))
def test_readings_are_few_closed_and_free_of_control_bytes(path):
    try:
        found = readings(path)
    except BadPath:
        return
    assert found[0] == path
    assert len(found) == len(set(found)) <= MOST_READINGS
    assert {other for text in found for other in paths._read_otherwise(text)} <= set(found)
    assert all(ord(character) >= 32 for text in found for character in text)


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"\A/[\w!$()*,=:@~./+&%;-]*\Z", fullmatch=True).filter(str.isascii))
def test_the_short_cut_for_ordinary_paths_leaves_no_reading_out(path):
    if paths._is_plain(path):
        assert {paths._decode(path), *paths._read_otherwise(path)} <= {path}


def test_every_way_to_percent_encode_each_character_is_read():
    for index, character in enumerate(TARGET):
        for digits in (f"%{ord(character):02x}", f"%{ord(character):02X}", f"%25{ord(character):02x}"):
            if index:
                assert TARGET in readings(TARGET[:index] + digits + TARGET[index + 1 :])


def test_random_mixtures_of_encodings_are_read():
    rng = random.Random(20260601)
    for _ in range(5_000):
        assert TARGET in readings(_encoded(rng, TARGET))


def _encoded(rng: random.Random, path: str) -> str:
    """The path with some characters escaped once, twice or three times."""
    parts = [path[0]]
    for character in path[1:]:
        depth = rng.choice((0, 0, 1, 1, 2, 3))
        text = character
        if depth:
            digits = f"{ord(character):02x}"
            text = "%" + "25" * (depth - 1) + (digits.upper() if rng.random() < 0.5 else digits)
        parts.append(text)
    return "".join(parts)
