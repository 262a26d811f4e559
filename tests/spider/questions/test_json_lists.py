import gzip
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.questions.json_lists import answer_list, passage_ids, read_json_list


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


def test_answers_are_one_string_or_several_or_none() -> None:
    assert answer_list("a") == ("a",)
    assert answer_list(["a", ""]) == ("a", "")
    assert answer_list([]) == answer_list(None) == ()
    for value in (3, {"text": "a"}, ["a", None], [3]):
        with pytest.raises(ValueError, match="expected a"):
            answer_list(value)


def test_ids_may_be_whole_numbers() -> None:
    assert passage_ids(["a", 7]) == ("a", "7")
    assert passage_ids(7) == ("7",)
    for value in ([None], [" "], [7.0], {"id": 7}):
        with pytest.raises(ValueError, match="expected an id"):
            passage_ids(value)
