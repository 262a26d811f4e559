"""The tokens, fast and slow, and DPR's rule written again from its description, agree."""

import unicodedata

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.text.dpr_tokens import join_tokens, tokenize

# letters whose case, marks, or width are awkward; spaces, controls and signs between them
ALPHABET = "aAbB1 \n\t.-'’\"$éÉßẞΣσςİıǅⅣⒶª²́ͅ\u00ad\u200b\u00a0\u2028_가漢𝔸\ud800"
ASCII = st.text(alphabet=[chr(code) for code in range(128)], max_size=30)
TEXTS = st.text(alphabet=ALPHABET, max_size=30) | st.text(max_size=30) | ASCII


def dpr_tokens(text: str) -> list[str]:
    """DPR's SimpleTokenizer as `reference/spider.md` 5.1 describes it, two groups and all."""
    pattern = regex.compile(
        r"([\p{L}\p{N}\p{M}]+)|([^\p{Z}\p{C}])",
        flags=regex.IGNORECASE + regex.UNICODE + regex.MULTILINE,
    )
    normalized = unicodedata.normalize("NFD", text)
    return [match.group().lower() for match in pattern.finditer(normalized)]


def test_tokens_hand_computed() -> None:
    assert tokenize("Ma\u00f1ana, U.S. 3.5\u00a0km_h") == [
        *["man\u0303ana", ",", "u", ".", "s", ".", "3", ".", "5", "km", "_", "h"]
    ]
    assert join_tokens("To be!") == "\nto\nbe\n!\n"
    assert join_tokens(" \x00\n") == "\n"


@settings(deadline=None)
@given(TEXTS)
def test_joined_tokens_are_dprs_tokens(text: str) -> None:
    tokens = dpr_tokens(text)
    assert tokenize(text) == tokens
    assert join_tokens(text) == "".join(["\n", *(f"{token}\n" for token in tokens)])


def test_every_character_between_two_letters_is_cut_as_dpr_does() -> None:
    for code in range(128):
        assert join_tokens(f"a{chr(code)}b").split("\n")[1:-1] == dpr_tokens(f"a{chr(code)}b")
    for start in range(0, 0x30000, 0x1000):
        text = " ".join(f"a{chr(code)}B" for code in range(start, start + 0x1000))
        assert join_tokens(text).split("\n")[1:-1] == dpr_tokens(text)
