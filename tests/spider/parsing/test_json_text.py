import json

import pytest

from spider.parsing.json_text import RepeatedKeyError, parse


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "b": {"a": 2}}', '[{"a": 1}, {"a": 2}]', b'{"a": "\xc3\xa9"}', "null", '{"": 1}'],
)
def test_is_pythons_parser_where_keys_are_unique(text):
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('{"a": 1, "a": 1}', "a", 1),
        ('[\n{"a": 1},\n{"b": 1,\n"c": {"a": 1}, "b": 2}]', "b", 3),
        ('{"a":\n{"b": 1, "b": 2}, "a": 2}', "b", 2),
        ('{"a": 1, "\\u0061": 2}', "a", 1),
        ('\n{"": 1, "": 2}'.encode("utf-16"), "", 2),
        ("\n" + "[" * 500 + '{"a": 1, "a": 2}' + "]" * 500, "a", None),
    ],
)
def test_a_repeated_key_is_named_with_its_line(text, key, line):
    with pytest.raises(RepeatedKeyError, match="stands twice in one object") as raised:
        parse(text)
    assert raised.value.key == key
    # where the text is nested too deeply for the slow parser, there is no line
    assert raised.value.lineno in (line, 2 if line is None else line)


@pytest.mark.parametrize("text", ['{"a": 1, "a"', "[" * 100_000])
def test_other_faults_are_those_of_pythons_parser(text):
    with pytest.raises((json.JSONDecodeError, RecursionError)):
        parse(text)
