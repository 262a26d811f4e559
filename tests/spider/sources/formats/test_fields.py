import pytest

from spider.sources.formats.fields import (
    filled_field,
    find_field,
    has_field,
    id_field,
    is_whole,
    shown,
    text_field,
    title_field,
)

ROW = {"n": 7, "s": "x", "null": None, "list": ["a"], "o": {"in": "y", "deep": {"er": 1}}, "a.b": 2}


def test_names_with_dots_reach_into_objects() -> None:
    assert find_field(ROW, "o.in") == "y"
    assert find_field(ROW, "o.deep.er") == 1
    assert find_field(ROW, "a.b") == 2
    assert not has_field(ROW, "o.none")
    assert not has_field(ROW, "s.in")
    with pytest.raises(
        ValueError, match=r"no field 'q'; the fields are: n, s, .*; set\.q=NAME says"
    ):
        find_field(ROW, "q", setting="set.q")


def test_texts_and_titles_are_strings_or_whole_numbers() -> None:
    assert (text_field(ROW, "s"), text_field(ROW, "n")) == ("x", "7")
    assert (title_field(ROW, "s"), title_field(ROW, "n")) == ("x", "7")
    assert [title_field(ROW, name) for name in ("null", "none", None)] == ["", "", ""]
    for value in (["Siege", "of"], {"t": 1}, 1.5, True):
        with pytest.raises(ValueError, match="field 'v': expected a string, got"):
            title_field({"v": value}, "v")
        with pytest.raises(ValueError, match="field 'v': expected a string, got"):
            text_field({"v": value}, "v")
    with pytest.raises(ValueError, match="field 'v': expected a string, got null"):
        text_field({"v": None}, "v")


@pytest.mark.parametrize("value", [None, "", " \n", 3, ["q"], float("nan")])
def test_a_question_is_text(value: object) -> None:
    assert filled_field({"q": " who? "}, "q") == " who? "
    with pytest.raises(ValueError, match="field 'q': expected text, got"):
        filled_field({"q": value}, "q")


@pytest.mark.parametrize("value", [None, "", " ", 7.0, True, ["7"], {"id": 7}])
def test_an_id_is_a_string_or_a_whole_number(value: object) -> None:
    assert id_field({"id": 7}, "id") == id_field({"id": "7"}, "id") == "7"
    with pytest.raises(ValueError, match="field 'id': expected an id, got"):
        id_field({"id": value}, "id")


def test_values_in_messages_are_short() -> None:
    assert shown(None) == "null"
    assert len(shown("x" * 1000)) < 50
    assert (is_whole(3), is_whole(True), is_whole(3.0)) == (True, False, False)
