"""Rows of files with CSV's quoting, without it, and with marks that are neither."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import DataError
from spider.sources.formats.tab_separated import SAMPLE_LINES, read_tab_separated


def rows(path, text, **settings):
    path.write_bytes(text.encode())
    return [row.fields for row in read_tab_separated(path, **settings)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.tsv"


STRAY = [
    '"Silt is gold, the farmers say.',
    'Never again a flood" wrote the mayor.',
    '"Silt is gold", he said',
    'who sang "Solveig',
    '"Nora" and "Hedda"',
    '"',
]


@pytest.mark.parametrize("field", STRAY)
def test_marks_that_are_no_quoting_stay(path, field):
    text = f"1\t{field}\tA\n2\tnext\tB\n"
    expected = [["1", field, "A"], ["2", "next", "B"]]
    assert rows(path, text, quoted=None) == rows(path, text, quoted=False) == expected


def test_marks_around_a_whole_field_stay_in_a_file_without_quoting(path):
    text = '1\t"Heroes"\n2\t"Heroes" is a song\n'
    assert rows(path, text, quoted=None) == [["1", '"Heroes"'], ["2", '"Heroes" is a song']]


def test_quoted_fields_are_read_without_their_quotes(path):
    text = '"id"\t"text"\n1\t"say ""hi"""\n2\t"""Nora"" is it"\n3\t"all"\n4\tplain\n'
    expected = [["id", "text"], ["1", 'say "hi"'], ["2", '"Nora" is it'], ["3", "all"]]
    assert (
        rows(path, text, quoted=None)
        == rows(path, text, quoted=True)
        == [
            *expected,
            ["4", "plain"],
        ]
    )


def test_a_stray_mark_in_a_quoted_file_stays(path):
    text = '1\t"say ""hi"""\n2\t"Silt is gold", he said\n3\t"all"\n'
    assert rows(path, text, quoted=None) == [
        *(["1", 'say "hi"'], ["2", '"Silt is gold", he said'], ["3", "all"])
    ]
    with pytest.raises(DataError, match=r"rows\.tsv:2: a field opens .* closes before its end"):
        rows(path, text, quoted=True)


def test_a_tab_in_a_quoted_field(path):
    assert rows(path, '1\tb\n2\t"x\ty"\n', quoted=None) == [["1", "b"], ["2", "x\ty"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id\ttext\ttitle\n1\t"Rivers carry\nsilt"\tRivers\n', 2),
        ('id\ttitle\ttext\n1\tRivers\t"carry\nsilt ""gold"""\n', 2),
        ('id\ttext\ttitle\n1\t"a ""b"" c"\tA\n2\t"Rivers\ncarry silt"\tRivers\n', 3),
    ],
)
@pytest.mark.parametrize("quoted", [None, True])
def test_a_field_over_several_lines_is_refused_by_its_line(path, text, line, quoted):
    with pytest.raises(DataError, match=rf"(in line |tsv:){line}\b.*several lines"):
        rows(path, text, quoted=quoted)


def test_a_lone_carriage_return_is_text(path):
    assert rows(path, "1\ta\rb\r\n2\tc\r\n", quoted=None) == [["1", "a\rb"], ["2", "c"]]
    with pytest.raises(DataError, match=r"tsv:2: expected 2 fields .* got 3; .* carriage return"):
        rows(path, "1\ta\n2\tb\r3\tc\n", quoted=None)


def test_a_long_field_is_read(path):
    long = "x" * 140_000
    assert rows(path, f"a\tb\n{long}\ty\n", quoted=None)[1][0] == long


def test_the_number_of_fields_is_that_of_the_first_row(path):
    with pytest.raises(DataError, match=r"rows\.tsv:3: expected 2 fields separated by tabs, got 1"):
        rows(path, "a\tb\n\nc\n")
    with pytest.raises(DataError, match=r"rows\.tsv:1: expected 3 fields .* got 2"):
        rows(path, "a\tb\n", columns=3)


def test_rows_before_damage_are_given(path):
    path.write_bytes(b'a\t"b\n\xff')
    found = read_tab_separated(path, quoted=None)
    assert next(found) == (1, ["a", '"b'])
    with pytest.raises(DataError, match="tsv:2: not UTF-8"):
        next(found)


def test_lines_after_the_sample_are_read_too(path):
    text = "".join(f"{n}\tt\n" for n in range(SAMPLE_LINES + 5)) + 'last\t"q"\n'
    found = rows(path, text, quoted=None)
    assert len(found) == SAMPLE_LINES + 6
    assert found[-1] == ["last", "q"]


cells = st.text(alphabet='ab"\t ,', max_size=6)


@given(table=st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_what_the_csv_module_writes_comes_back(table, tmp_path_factory):
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(table)
    path = tmp_path_factory.mktemp("csv") / "rows.tsv"
    written = [list(row) for row in table]
    assert rows(path, text.getvalue(), columns=2, quoted=True) == written
    assert rows(path, text.getvalue(), columns=2, quoted=None) == written
