"""What the console prints for a prompt; the verb's test covers the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jamba_reader.constraints.contract import Quote
from jamba_reader.generation.console import Console, open_console
from jamba_reader.generation.console_settings import ConsoleSettings
from jamba_reader.generation.language_model import LanguageModel
from jamba_reader.generation.results import Generation, Piece
from jamba_reader.generation.settings import GenerationSettings
from spider.errors import DataError


def finished(sample: int, text: str, *quotes: Quote) -> Generation:
    return Generation(0, sample, (1,), text, (0.0,), "length", tuple(quotes))


class Fixed(LanguageModel):
    """A language model that generates the same pieces for every prompt."""

    def __init__(self, *pieces: Piece):
        self.pieces = pieces

    def encode(self, text: str) -> list[int]:
        return [7, 8]

    def stream(self, prompts: Any, *, settings: Any = None, **options: Any) -> Iterator[Piece]:
        assert prompts == [[7, 8]]
        assert options["progress"] is (settings.chunk_tokens < 2)
        yield from self.pieces


def test_one_text_is_printed_piece_by_piece() -> None:
    pieces = [Piece(0, 0, 1, "a b"), Piece(0, 0, 2, "c", finished(0, "a bc"))]
    console = Console(Fixed(*pieces), console_settings(chunk_tokens=1))
    assert list(console.answer("?")) == ["a b", "c", "\n"]


def console_settings(**changes: Any) -> ConsoleSettings:
    return ConsoleSettings(model="none", generation=GenerationSettings(**changes))


def test_several_texts_are_printed_one_after_the_other() -> None:
    pieces = [
        Piece(0, 0, 1, "x"),
        Piece(0, 1, 1, "y", finished(1, "y")),
        Piece(0, 0, 2, "z", finished(0, "xz")),
    ]
    console = Console(Fixed(*pieces), console_settings(samples=2, temperature=1.0))
    assert "".join(console.answer("?")) == "[2] y\n[1] xz\n"


def test_a_quote_is_printed_with_its_place() -> None:
    quotes = [Quote(1, 3, 5, "he", 1, True), Quote(0, 0, 4, "a\nb'", 12, False)]
    console = Console(
        Fixed(Piece(0, 0, 1, "", finished(0, "", *quotes))),
        console_settings(),
        files=[Path("one.txt"), Path("two.txt")],
    )
    assert "".join(console.answer("?")) == (
        "\n  two.txt:3-5: 'he'\n  one.txt:0-4, 12 times in all, cut off: \"a\\nb'\"\n"
    )


def test_documents_are_checked_before_the_model_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 \(byte 0xf6 at 2\)"):
        open_console(
            ConsoleSettings(model=str(tmp_path / "none"), documents=(tmp_path / "latin.txt",))
        )
