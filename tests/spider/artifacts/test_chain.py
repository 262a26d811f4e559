"""An input that nobody named is the one that the manifest names, wherever it is."""

from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.chain import find_input
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


def make(folder: Path, kind: str, text: str, **inputs: Artifact) -> Artifact:
    stage = Stage(verb="x", kind=kind, output=folder, config={}, inputs=inputs)
    with stage.writing() as place:
        (place / "payload").write_text(text)
        return stage.finish(counts={}, details={})


def test_a_named_input_comes_first_then_the_recorded_one_then_the_workspace(
    tmp_path: Path,
) -> None:
    far = make(tmp_path / "far" / "corpus", "corpus", "far")
    near = make(tmp_path / "w" / "corpus", "corpus", "near")
    named = make(tmp_path / "named", "corpus", "named")
    spans = make(tmp_path / "far" / "spans", "spans", "s", corpus=far)
    alone = make(tmp_path / "alone", "spans", "s")

    def found(given: Path | None, through: Artifact | None) -> Any:
        return find_input("corpus", given, through=through, workspace=tmp_path / "w").content_hash

    assert found(named.path, spans) == named.content_hash
    assert found(None, spans) == far.content_hash
    assert found(None, alone) == found(None, None) == near.content_hash


def test_a_named_input_of_another_kind_is_refused(tmp_path: Path) -> None:
    spans = make(tmp_path / "spans", "spans", "s")
    with pytest.raises(ArtifactError, match="this is a spans artifact, expected a corpus"):
        find_input("corpus", spans.path, through=None, workspace=tmp_path)
