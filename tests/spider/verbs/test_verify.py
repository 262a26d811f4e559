"""``spider verify``: what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from spider.errors import ArtifactError
from spider.verbs.verify import VerifySettings, main


def test_it_names_what_is_damaged_and_ends_with_an_error(
    make_corpus: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        make_corpus([("A fox", ["The fox sleeps."])], name=name)
    main(VerifySettings(folder=tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "ok", "artifacts:"]
    text = tmp_path / "two" / "text.utf8"
    text.write_bytes(text.read_bytes().replace(b"fox", b"box"))
    with pytest.raises(ArtifactError, match=r"damaged: 1 of 2 artifacts: .*two; the lines"):
        main(VerifySettings(workspace=tmp_path))
    out = capsys.readouterr().out.replace("\n", "")
    assert "DAMAGED" in out
    assert "text.utf8 is damaged" in out
    assert "fix: make it again (spider prepare" in out


def test_each_artifact_is_one_object(
    make_corpus: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_corpus([("A fox", ["The fox sleeps."])], name="one")
    main(VerifySettings(folder=tmp_path, json=True))
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["path"], found["kind"], found["damage"]) == (str(tmp_path / "one"), "corpus", [])


def test_a_place_without_artifacts_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no artifact here; give a workspace"):
        main(VerifySettings(folder=tmp_path))
