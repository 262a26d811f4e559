from spider.sources.source_state import fingerprint_of, without_place


class Files:
    def fingerprint(self) -> list[int]:
        return [1, 2]


def test_a_source_without_files_has_no_fingerprint() -> None:
    assert fingerprint_of(Files()) == [1, 2]
    assert fingerprint_of(object()) is None


def test_the_path_is_taken_from_its_group_alone() -> None:
    resolved = {"source": {"path": "~/notes", "split": True}, "path": "other"}
    settings, place = without_place(resolved, "source")
    assert settings == {"source": {"split": True}, "path": "other"}
    assert place == "~/notes"
    assert resolved["source"]["path"] == "~/notes", "the argument stays as it was"


def test_no_group_and_no_path() -> None:
    assert without_place({"a": 1}, "source") == ({"a": 1}, None)
    assert without_place({"source": None}, "source") == ({"source": {}}, None)
