"""Whatever is wrong with a command line or a workspace: one line, the documented exit code, and
nothing written.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import seal
from spider.errors import ArtifactError
from spider.launch.verbs import verbs

pytestmark = pytest.mark.slow

VERBS = sorted(verbs())
#: a verb that reads the artifact, and its words
READERS = {
    "corpus": ["mine"],
    "spans": ["train", "architecture.dimension=16", "training.steps=1"],
    "encoder": ["embed"],
    "embeddings": ["build", "sparse=bm25s"],
    "index": ["search", "anything"],
    "run": ["evaluate-retrieval"],
    "language-model": ["quantize-reader", "@language-model"],
    "reader": ["generate", "anything", "--model=@reader"],
}


def state_of(folder: Path) -> dict[str, int]:
    """Return every path below a folder with its modification time."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def words_of(name: str, workspace: Path) -> list[str]:
    """Return a command that reads an artifact."""
    words = [word.replace("@", f"{workspace}/", 1) for word in READERS[name]]
    return [*words, f"--workspace={workspace}"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_and_configuration_load_nothing_heavy(
    verb: str, tmp_path: Path, run_light: Any
) -> None:
    for flag, expected in (("--help", "settings:"), ("--cfg", "verb_module: ")):
        done = run_light(verb, flag, cwd=tmp_path, loaded=tmp_path / "loaded")
        assert done.code == 0, done.err
        assert done.err == ""
        assert expected in done.out
        assert json.loads((tmp_path / "loaded").read_text()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["loaded"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_bad_word_is_one_line_and_code_two(verb: str, tmp_path: Path, run_light: Any) -> None:
    key = "checks" if verb == "doctor" else "workspace"
    for words, said in (
        (["worksapce=x"], "unknown setting worksapce"),
        (["--worksapce", "x"], "unknown flag --worksapce"),
        ([f"{key}={{a:1}}"], key),
    ):
        done = run_light(verb, *words, cwd=tmp_path)
        assert done.code == 2, done.err
        assert said in done.only_line()
        assert done.err.startswith(f"spider {verb}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["workspace=[1,"], "cannot read 'workspace=[1,'"),
        (["--workspace"], "--workspace needs a value"),
        (["--config-dir", "nowhere"], "nowhere"),
        (["split.sede=1"], "did you mean split.seed?"),
        (["split.seed=one"], "split.seed: got 'one'"),
        (["split.seed=1.5"], "split.seed: got 1.5"),
        (["processes=null"], "processes: got None"),
        (["span_filter=nothing"], "span_filter"),
        (["mine"], "unexpected word 'mine'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_setting_is_named_as_it_is_typed(
    words: list[str], said: str, tmp_path: Path, run_light: Any
) -> None:
    done = run_light("mine", *words, cwd=tmp_path)
    assert done.code == 2, done.err
    assert said in done.only_line()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_parent_names_the_verb_that_writes_it(
    command: Any, desk: Path, workspace: Path, run: Any
) -> None:
    shutil.rmtree(workspace / command.output)
    for name in command.reads:
        away = workspace / name
        away.rename(desk / "put away")
        before = state_of(workspace)
        try:
            done = run(*command.line(workspace), cwd=desk)
        finally:
            (desk / "put away").rename(away)
        if command.verb in ("build", "train-language-model") and name == "spans":
            # held-out queries and the split of documents may be missing
            shutil.rmtree(workspace / command.output, ignore_errors=True)
            continue
        assert done.code in (2, 3, 5), done.err
        assert f"{name}: no such" in done.line or str(away) in done.line
        assert {path: before[path] for path in before if path in state_of(workspace)} == before
        assert not (workspace / command.output).exists()


@pytest.mark.parametrize("name", READERS)
def test_a_truncated_file_is_named_with_both_sizes(
    name: str, desk: Path, workspace: Path, run: Any
) -> None:
    table = open_artifact(workspace / name).files
    files = {name: entry.size for name, entry in table.items() if entry.size}
    for number, (file, size) in enumerate(files.items()):
        path = workspace / name / file
        whole = path.read_bytes()
        path.write_bytes(whole[: size // 2])
        said = f"{path} has {size // 2} bytes, expected {size} bytes"
        with pytest.raises(ArtifactError, match=re.escape(said)):
            open_artifact(workspace / name)
        # one by the command line too, which reads the configuration of a model first
        if number == len(files) // 2:
            done = run(*words_of(name, workspace), cwd=desk)
            assert done.code == 5, f"{file}: {done.err}"
            assert said in done.line or f"{path}: not JSON" in done.line
        path.write_bytes(whole)
    path.unlink()
    done = run(*words_of(name, workspace), cwd=desk)
    assert done.code == 5
    assert f"{path} is missing" in done.line


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda text: text.replace('"kind"', '"kjnd"', 1), "lacks ['kind']"),
        (lambda text: text.replace('"kind": "', '"kind": "x', 1), "is damaged or was edited"),
    ],
    ids=["half", "a byte of a key", "another kind"],
)
def test_a_damaged_manifest_is_one_line(
    name: str, damage: Any, said: str, desk: Path, workspace: Path, run: Any
) -> None:
    manifest = workspace / name / "manifest.json"
    manifest.write_text(damage(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    before = state_of(workspace)
    done = run(*words_of(name, workspace), cwd=desk)
    assert done.code == 5, done.err
    assert said in done.line
    assert str(workspace / name) in done.line
    assert state_of(workspace) == before


def test_a_damaged_question_set_is_one_line(desk: Path, workspace: Path, run: Any) -> None:
    """A question set may be a plain folder, so its files and not its manifest are checked."""
    words = ("search", f"--questions={workspace / 'questions'}", f"--workspace={workspace}")
    for name, damage, said in (
        ("question_set.json", lambda text: text[: len(text) // 2], "not JSON"),
        ("question_set.json", lambda text: "[]", "expected a JSON object"),
        ("question_set.json", lambda text: text.replace('"name"', '"nome"'), "'nome'"),
        (
            "questions.jsonl",
            lambda text: text[:-20],
            "questions.jsonl:4: not JSON: Unterminated string starting at column",
        ),
        ("questions.jsonl", lambda text: text + text, "occurs twice"),
    ):
        file = workspace / "questions" / name
        whole = file.read_text(encoding="utf-8")
        file.write_text(damage(whole), encoding="utf-8")
        done = run(*words, cwd=desk)
        file.write_text(whole, encoding="utf-8")
        assert done.code == 3, done.err
        assert said in done.line


def test_another_content_hash_breaks_the_chain_with_both_values(
    commands: dict[str, Any], desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    hashes = {name: open_artifact(made / name).content_hash for name in ("corpus", "encoder")}
    for name, words in (("corpus", ("search", "x")), ("encoder", ("search", "x"))):
        manifest = workspace / name / "manifest.json"
        text = manifest.read_text(encoding="utf-8")
        other = hashes[name][::-1]
        edited = json.loads(text.replace(hashes[name], other))
        manifest.write_text(json.dumps(seal(edited)), encoding="utf-8")
        done = run(*words, f"--workspace={workspace}", cwd=desk)
        assert done.code == 5
        assert hashes[name] in done.line
        assert other in done.line
        manifest.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["prepare", "nowhere"], 3, "nowhere"),
        (["prepare", "empty"], 3, "empty"),
        (["prepare", "broken.jsonl", "source=jsonl"], 3, "broken.jsonl:2"),
        (["prepare-questions", "nowhere.jsonl"], 3, "nowhere.jsonl"),
        (["prepare-questions", "broken.jsonl"], 3, "broken.jsonl:2"),
        (["prepare-questions", "good.jsonl", "limit=0"], 2, "limit"),
        (["quantize-reader", "empty"], 5, "empty"),
        (["generate", "hello", "--model=empty"], 5, "empty"),
        (["pipeline", "pipeline=wiki"], 2, "data"),
        (["quickstart", "nowhere"], 3, "nowhere: no such folder"),
        (["search", "   "], 2, "the question is empty"),
        (["search", "x", "k=0"], 2, "setting k: got 0"),
        (["search", "x", "systems=[nothing]"], 2, "nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_input_that_cannot_be_used_is_one_line(
    words: list[str], code: int, said: str, made: Path, tmp_path: Path, run: Any
) -> None:
    (tmp_path / "empty").mkdir()
    good = '{"id": "a", "title": "", "text": "some text", "question": "q", "answer": ["x"]}\n'
    (tmp_path / "good.jsonl").write_text(good)
    (tmp_path / "broken.jsonl").write_text(f'{good}{{"id": \n')
    place = made if words[0] == "search" else tmp_path / "work"
    done = run(*words, f"--workspace={place}", cwd=tmp_path)
    assert done.code == code, done.err
    assert said in done.line
    written = list((tmp_path / "work").rglob("manifest.json"))
    assert written == []


def test_an_unknown_verb_suggests_the_nearest(tmp_path: Path, run_light: Any) -> None:
    done = run_light("serach", "x", cwd=tmp_path)
    assert (done.code, done.err) == (2, "spider: no verb 'serach'; did you mean search?\n")
