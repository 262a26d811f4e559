"""Manifests: every damage and every wrong type is one line of the error tree."""

import json
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.folder.manifest import (
    ENTRIES,
    MANIFEST,
    kind_in,
    looks_like_ours,
    parse_manifest,
    seal,
    sibling,
)
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the manifest of an artifact with one file and one leftover."""
    output = tmp_path_factory.mktemp("manifest") / "a"
    made = Stage(verb="mine", kind="spans", output=output, config={}, inputs={})
    with made.writing() as folder:
        (folder / "data").write_text("x")
        made.finish(counts={"n": 1}, details={"x": [1, 2.5, None, True]}, leftovers=["state"])
    read: dict[str, Any] = json.loads((output / MANIFEST).read_bytes())
    return read


def parse(value: Any) -> dict[str, Any]:
    return parse_manifest(json.dumps(value).encode(), Path("work/spans/manifest.json"))


def test_a_sealed_manifest_is_read(manifest: dict[str, Any]) -> None:
    assert parse(manifest) == manifest
    assert seal(manifest) == manifest
    assert kind_in(json.dumps(manifest).encode()) == "spans"


@pytest.mark.parametrize("entry", [*ENTRIES, "schema", "checksum"])
@pytest.mark.parametrize("value", [None, 3, "x", [], ["x"], {"a": 1}, {"a": {"path": 3}}, "absent"])
def test_a_value_of_another_type_is_one_line(
    entry: str, value: Any, manifest: dict[str, Any]
) -> None:
    changed = {**manifest, entry: value}
    if value == "absent":
        del changed[entry]
    for candidate in (changed, seal(changed)):
        if candidate == manifest or (entry == "checksum" and candidate == seal(manifest)):
            continue
        if candidate != changed and isinstance(value, ENTRIES.get(entry, str)):
            # of the right type and sealed: somebody wrote it on purpose
            continue
        with pytest.raises(ArtifactError) as caught:
            parse(candidate)
        assert "\n" not in str(caught.value)


def test_every_flipped_bit_is_noticed(manifest: dict[str, Any]) -> None:
    data = json.dumps(manifest, indent=2).encode()
    for place in range(0, len(data), 3):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        try:
            read = parse_manifest(bytes(flipped), Path("a/manifest.json"))
        except ArtifactError:
            continue
        # white space and the form of a number or a letter are no content
        assert read == manifest


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b'{"schema": 1}', b"NaN"]
)
def test_what_is_no_manifest_is_one_line(data: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"manifest") as caught:
        parse_manifest(data, Path("a/manifest.json"))
    assert "\n" not in str(caught.value)
    assert not looks_like_ours(data)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b", "a/b.old"), (".", f"{Path.cwd()}.old"), ("/", "/.old"), ("b", "b.old")],
)
def test_the_folder_beside_an_artifact(path: str, expected: str) -> None:
    assert str(sibling(Path(path), "old")) == expected
