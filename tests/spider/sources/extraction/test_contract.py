"""What holds for every file type; a new one is found here and wants a sample in conftest.py."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.corpus.splitting import WordSplitter
from spider.sources.extraction.extracted import Extracted, NotExtractedError
from spider.sources.extraction.file_types import FileType, file_types
from spider.sources.folder import Folder


def outcome(kind: FileType, data: bytes) -> Extracted | NotExtractedError:
    try:
        return kind.extract(data)
    except NotExtractedError as error:
        return error


TYPES = pytest.mark.parametrize("kind", file_types(), ids=lambda kind: kind.name)


def test_every_sample_is_of_a_type_and_every_type_has_one(samples: dict[str, bytes]) -> None:
    assert [kind.name for kind in file_types()] == sorted(samples)


def test_suffixes_are_disjoint_lower_case_and_dotted() -> None:
    suffixes = [suffix for kind in file_types() for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == f".{suffix[1:].lower()}" and "." not in suffix[1:] for suffix in suffixes)


@TYPES
def test_title_and_text_of_the_sample(kind: FileType, samples: dict[str, bytes]) -> None:
    title, text, encoding = kind.extract(samples[kind.name])
    assert encoding == ""
    assert title == ("" if kind.name == "plain_text" else "Water Engines")
    assert "the turbine turns" in text


@TYPES
def test_extraction_is_deterministic(kind: FileType, samples: dict[str, bytes]) -> None:
    assert kind.extract(samples[kind.name]) == kind.extract(samples[kind.name])


@TYPES
def test_passages_are_slices_of_the_text(kind: FileType, samples: dict[str, bytes]) -> None:
    text = kind.extract(samples[kind.name]).text
    bounds = WordSplitter(words=2, minimum_tail=0).bounds(text)
    assert [word for a, b in bounds for word in text[a:b].split()] == text.split()
    text.encode("utf-8")


@TYPES
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), cut=st.integers(0, 4000))
def test_damaged_bytes_give_text_or_a_reason(
    kind: FileType, samples: dict[str, bytes], data: bytes, cut: int
) -> None:
    sample = samples[kind.name]
    for damaged in (data, sample[:cut], sample[:cut] + data + sample[cut:]):
        found = outcome(kind, damaged)
        if isinstance(found, NotExtractedError):
            assert found.reason
            assert " " not in found.reason
        else:
            assert "\r" not in found.text or kind.package is not None


@TYPES
def test_a_folder_reads_the_sample_and_lists_the_damaged_file(
    kind: FileType, samples: dict[str, bytes], tmp_path: Path
) -> None:
    suffix = kind.suffixes[-1].upper()
    (tmp_path / f"whole{suffix}").write_bytes(samples[kind.name])
    (tmp_path / f"damaged{suffix}").write_bytes(b"\xff\0\xfe")
    source = Folder(path=tmp_path)
    (document,) = source.documents()
    assert document.id == f"whole{suffix}"
    listed = [name for entry in source.skipped.values() for name in entry["examples"]]
    assert listed == [f"damaged{suffix}"]


@TYPES
def test_a_missing_package_gives_the_command_that_installs_it(
    kind: FileType, samples: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind.package is None:
        return
    monkeypatch.setitem(sys.modules, kind.package.module, None)
    with pytest.raises(NotExtractedError) as caught:
        kind.extract(samples[kind.name])
    assert caught.value.reason == kind.suffixes[0][1:]
    assert f"spider-odqa[{kind.package.extra}]" in caught.value.hint
