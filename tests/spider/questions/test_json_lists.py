import gzip
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.questions.json_lists import answer_list, read_json_list, string_value


def test_plain_compressed_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf[{"x": "\xc3\xa9"}]')
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'[{"x": "\xc3\xa9"}]'))
    assert read_json_list(tmp_path / "a.json") == [{"x": "é"}]
    assert read_json_list(tmp_path / "a.json.gz") == [{"x": "é"}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[\n1,\n}", r"a\.json:3: not JSON"),
        (b'["\xff"]', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"x"', "expected a JSON list, got a str"),
        (b"[{}, []]", "entry 2: expected an object, got a list"),
    ],
)
def test_what_is_no_list_of_objects(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_json_list(tmp_path / "a.json")


def test_a_string_must_hold_text() -> None:
    assert string_value({"q": " who? "}, "q") == " who? "
    for record in ({}, {"q": " "}, {"q": 3}, {"q": None}):
        with pytest.raises(ValueError, match="field 'q': expected text"):
            string_value(record, "q")


def test_answers_are_one_string_or_several() -> None:
    assert answer_list("a") == ("a",)
    assert answer_list(["a", ""]) == ("a", "")
    for value in ([], None, 3, {"text": "a"}, ["a", None]):
        with pytest.raises(ValueError, match="expected a"):
            answer_list(value)
