from pathlib import Path

from spider.sources.jsonl import JsonLines
from spider.sources.python_documentation import PythonDocumentation
from spider.sources.source_state import fingerprint_of, place_of


class Sized:
    path = ("a.txt", Path("b.txt"))

    def fingerprint(self) -> list[int]:
        return [1]


def test_the_fingerprint_is_the_sources_own() -> None:
    assert fingerprint_of(Sized()) == [1]
    assert fingerprint_of(object()) is None


def test_a_place_is_json(tmp_path: Path) -> None:
    assert place_of(Sized()) == ["a.txt", "b.txt"]
    assert place_of(JsonLines(path=tmp_path)) == str(tmp_path)
    assert place_of(PythonDocumentation()) is None
