import pytest

from spider.sources.formats.identities import RowIds

ROWS = [({}, "T", "one"), ({}, "", "two"), ({}, "T", "one"), ({}, "T", "three"), ({}, "Ton", "e")]


def ids(rows, field=None):
    given = RowIds(field, "source.id_field")
    return [given.id_of(*row) for row in rows], given.made


def test_ids_of_the_rows_come_first() -> None:
    rows = [({"id": 3}, "", "a"), ({"_id": "x"}, "", "b"), ({"id": None, "_id": "y"}, "", "c")]
    assert ids(rows) == (["3", "x", "y"], 0)


def test_ids_from_the_content_do_not_depend_on_the_order() -> None:
    forward, made = ids(ROWS)
    backward, _ = ids(ROWS[::-1])
    assert made == 5
    assert len(set(forward)) == 5
    assert sorted(forward) == sorted(backward)
    assert forward[2] == f"{forward[0]}-2"
    assert ids(ROWS[1:2])[0] == forward[1:2]


def test_a_named_field_must_be_there(caplog: pytest.LogCaptureFixture) -> None:
    assert ids([({"doc": "x"}, "", "a")], "doc") == (["x"], 0)
    with pytest.raises(ValueError, match=r"no field 'doc'; .*source\.id_field=NAME"):
        ids([({"id": "x"}, "", "a")], "doc")
    with pytest.raises(ValueError, match="expected an id, got null"):
        ids([({"doc": None}, "", "a")], "doc")


def test_made_ids_are_told(caplog: pytest.LogCaptureFixture) -> None:
    given = RowIds(None, "source.id_field")
    given.tell()
    assert not caplog.records
    given.id_of({}, "", "a")
    given.tell()
    assert "1 row without an id" in caplog.text
    assert "source.id_field=NAME" in caplog.text
