"""``spider workspaces``: the list, and a removal that asks first."""

import io
import json
import os
from pathlib import Path

import pytest

from spider.artifacts.stage import Stage
from spider.artifacts.workspace import last_workspace, remember, user_pointer
from spider.errors import ArtifactError, ConfigError
from spider.verbs.workspaces import WorkspacesSettings, main


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    config = {"source": {"_target_": "spider.sources.python_documentation.PythonDocumentation"}}
    for name, place in (("notes", "/home/me/no\x1btes"), ("demo", None)):
        stage = Stage(
            verb="prepare",
            kind="corpus",
            output=tmp_path / name / "corpus",
            config=config,
            inputs={},
        )
        with stage.writing() as folder:
            (folder / "payload").write_bytes(b"x" * 60_000)
            stage.finish(counts={}, details={}, volatile={"place": place})
    return tmp_path


def test_name_size_date_source_and_content(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(WorkspacesSettings(root=root))
    demo, inside, notes, _, hint = capsys.readouterr().out.splitlines()
    assert demo.startswith("demo  0.1 MB  20")
    assert demo.endswith("  PythonDocumentation")
    assert inside == "    corpus"
    assert notes.endswith(r"  /home/me/no\x1btes")
    assert "--remove NAME" in hint
    main(WorkspacesSettings(root=root, json=True))
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["name"] for record in records] == ["demo", "notes"]
    assert records[1]["source"] == "/home/me/no\x1btes"
    assert records[1]["artifacts"] == ["corpus"]
    main(WorkspacesSettings(root=root / "none"))
    assert "spider quickstart [FOLDER] makes one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "removed"), [("yes\n", True), ("y\n", False), ("\n", False), ("no\n", False)]
)
def test_it_asks_first(
    root: Path, answer: str, removed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    main(WorkspacesSettings(root=root, remove="notes"))
    assert (root / "notes").exists() != removed
    assert (root / "demo" / "corpus" / "payload").exists()


def test_without_a_terminal_yes_is_needed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(ConfigError, match="only with --yes"):
        main(WorkspacesSettings(root=root, remove="notes"))
    assert (root / "notes" / "corpus").exists()
    (root / "notes" / "mine.txt").write_text("mine")
    main(WorkspacesSettings(root=root, remove="notes", yes=True))
    assert not (root / "notes" / "corpus").exists()
    assert f"left, since this program did not write it: {root}/notes/mine.txt" in "".join(
        capsys.readouterr().out.split("\n")
    )


@pytest.mark.parametrize("yes", [False, True])
@pytest.mark.parametrize("name", ["NOPE", "photos", "linked", "note.txt"])
def test_what_is_no_workspace_is_said_at_once(root: Path, name: str, yes: bool) -> None:
    (root / "photos").mkdir()
    (root / "note.txt").write_text("x")
    (root / "linked").symlink_to(root / "notes")
    expected = {"photos": "no artifact of this program", "linked": "a symbolic link"}
    with pytest.raises(ArtifactError, match=expected.get(name, "no such workspace")):
        main(WorkspacesSettings(root=root, remove=name, yes=yes))
    assert (root / "notes" / "corpus").exists()


def test_another_workspace_is_the_last_one_after_a_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for time, (name, kind) in enumerate(
        [("first", "index"), ("second", "index"), ("third", "corpus"), ("last", "index")]
    ):
        output = Path("spider-work") / name / kind
        stage = Stage(verb="build", kind=kind, output=output, config={}, inputs={})
        with stage.writing() as folder:
            (folder / "payload").write_bytes(b"x")
            stage.finish(counts={}, details={})
        os.utime(output, (time, time))
    remember(Path("spider-work/last"))
    main(WorkspacesSettings(remove="first", yes=True))
    assert last_workspace() == "spider-work/last"
    assert "last workspace" not in capsys.readouterr().out
    main(WorkspacesSettings(remove="last", yes=True))
    assert last_workspace() == "spider-work/second"
    assert "spider-work/second is the last workspace now" in capsys.readouterr().out
    assert user_pointer().read_text() == f"{tmp_path}/spider-work/second\n"
    main(WorkspacesSettings(remove="second", yes=True))
    assert last_workspace() == "spider-work/default"
    assert not user_pointer().exists()
    assert [entry.name for entry in Path("spider-work").iterdir()] == ["third"]


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../notes", "/etc", "demo/corpus", "a\0b"])
def test_a_name_that_names_no_workspace(root: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="expected the name of a workspace"):
        main(WorkspacesSettings(root=root, remove=name, yes=True))
