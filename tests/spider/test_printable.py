"""No text controls the terminal, a spreadsheet or a Markdown reader; what is harmless stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.printable import LINE_FEED, TAB, counted, markdown_text, printable, spreadsheet_cell

CONTROLS = [
    *range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029,
    *range(0x202A, 0x202F), *range(0x2066, 0x2070),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("\x9b31mred\x9d0;title\x9c", r"\x9b31mred\x9d0;title\x9c"),
        ("safe\rhidden", r"safe\rhidden"),
        ("one\nspider: all is well", r"one\nspider: all is well"),
        ("a\x08\x7f\x00\x0b\x0c", r"a\x08\x7f\x00\x0b\x0c"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("\u2066a\u2069\u2028b", r"\u2066a\u2069\u2028b"),
        ("caf\udce9.txt", r"caf\xe9.txt"),
        ("half \ud800", r"half \ud800"),
        ("\x85next", r"\x85next"),
    ],
)
def test_what_controls_a_terminal_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "naïve [red] :smile: \\x1b",
        "שלום \u200f(א)",
        "می\u200cخواهم",
        "👩\u200d💻🏴\U000e0067\U000e007f",
        "e\u0301 日本語\tA\u00a0B",
    ],
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(list(map(chr, CONTROLS))))))
def test_any_text_is_one_safe_line_and_twice_is_once(text: str) -> None:
    shown = printable(text, keep="")
    assert not set(map(ord, shown)) & set(CONTROLS)
    shown.encode()
    assert printable(shown, keep="") == shown
    assert printable(text[:3]) + printable(text[3:]) == printable(text)


def test_lines_are_kept_where_the_caller_writes_lines() -> None:
    assert printable("a\tb\n\x1b", keep=TAB + LINE_FEED) == "a\tb\n\\x1b"


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+1", "-2", "@SUM(1)", "\t=1", "\r=1", "＝1"]
)
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "q=1", "17", "'quoted", "a-b", " x"])
def test_other_cells_are_unchanged(text: str) -> None:
    assert spreadsheet_cell(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[run](javascript:alert)", r"[run\](javascript:alert)"),
        ("<script>", r"\<script\>"),
        ("&lt;b&gt; R&D", r"\&lt;b\&gt; R&D"),
        ("a\nb | `c` $x$", r"a b \| \`c\` \$x\$"),
        ("\x1b[1m", r"\\x1b[1m"),
        ("62.9 [61.2, 64.5]", "62.9 [61.2, 64.5]"),
    ],
)
def test_markdown_shows_the_text(text: str, written: str) -> None:
    assert markdown_text(text) == written


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (counted(0, "document"), "0 documents"),
        (counted(1, "document"), "1 document"),
        (counted(2000, "held-out query", "held-out queries"), "2,000 held-out queries"),
        (counted(1, "entry", "entries"), "1 entry"),
    ],
)
def test_a_number_agrees_with_its_noun(said, expected):
    assert said == expected
