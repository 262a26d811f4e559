"""Streaming against the text in one piece, for any cut into tokens."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.tokenization.text_stream import TextStream
from spider.errors import ConfigError

TEXT = st.text(alphabet="abcé東🎉", max_size=24)
STOPS = st.lists(st.text(alphabet="abcé東", min_size=1, max_size=4), max_size=3)
CUTS = st.lists(st.integers(0, 96), max_size=12)


def pieces(text: str, cuts: list[int]) -> list[bytes]:
    whole = text.encode()
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[a:b] for a, b in pairwise(places)]


def cut_at_first_stop(text: str, stops: list[str], *, include: bool) -> tuple[str, bool]:
    """Read character by character: the first moment at which any stop string is complete."""
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            return text[: end if include else end - max(map(len, complete))], True
    return text, False


@settings(max_examples=400)
@given(TEXT, STOPS, CUTS, st.booleans())
def test_any_cut_gives_the_text_up_to_the_first_stop(
    text: str, stops: list[str], cuts: list[int], include: bool
) -> None:
    stream = TextStream(stops, include_stop=include)
    expected, stopped = cut_at_first_stop(text, stops, include=include)
    emitted = ""
    read = b""
    for piece in pieces(text, cuts):
        emitted += stream.push(piece)
        read += piece
        assert expected.startswith(emitted), "what was shown is never taken back"
        # nothing more is held back than what may still become a stop string
        if not stream.stopped:
            seen = read.decode(errors="ignore")
            held = seen[len(emitted) :]
            assert not held or any(stop.startswith(held) for stop in stops)
    assert emitted + stream.finish() == expected
    assert stream.stopped == stopped


def test_of_two_at_the_same_end_the_longest_counts() -> None:
    stream = TextStream(["b", "ab"])
    assert stream.push(b"xab") == "x"
    assert stream.stopped
    assert stream.push(b"more") == ""
    assert stream.finish() == ""


def test_a_stop_string_within_another_ends_first() -> None:
    stream = TextStream(["abcd", "bc"])
    assert stream.push(b"xab") == "x"
    assert stream.push(b"c") == "a"
    assert stream.stopped


def test_half_a_character_waits_and_is_replaced_at_the_end() -> None:
    stream = TextStream()
    assert stream.push("é".encode()[:1]) == ""
    assert stream.push("é".encode()[1:] + b"\xe6\x9d") == "é"
    assert stream.finish() == "\ufffd"


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty"):
        TextStream(["a", ""])
