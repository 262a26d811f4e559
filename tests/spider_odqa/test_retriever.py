"""The Python API, as a person uses it."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spider.errors import ArtifactError, ConfigError, DataError
from spider_odqa import ProgressEvent, RankedPassage, Retriever

TEXTS = ["Herons stand in shallow water.", "The ferry leaves at nine.", "Bread needs salt."]
PLACES = ["harbour wall", "old lighthouse", "stone bridge", "market square", "north meadow"]
BIRDS = ["grey heron", "barn owl", "little egret", "common tern", "red kite"]


def write_notes(folder: Path, count: int = 16) -> None:
    rng = random.Random(0)  # noqa: S311
    folder.mkdir()
    filler = [
        "we",
        "walked",
        "slowly",
        "along",
        "the",
        "water",
        "and",
        "wrote",
        "down",
        "what",
        "there",
        "was",
        "to",
        "see",
    ]
    for number in range(count):
        bird, place = BIRDS[number % 5], PLACES[number % 3]
        sentences = []
        for _ in range(40):
            words = rng.sample(filler, 9)
            sentences.append(f"The {bird} {number} was near the {place}, {' '.join(words)}.")
        (folder / f"note-{number:02d}.md").write_text(f"# Day {number}\n\n" + " ".join(sentences))


@pytest.fixture(scope="module")
def three() -> Retriever:
    retriever = Retriever.from_texts(
        TEXTS, titles=["Birds", "", "Kitchen"], bm25="bm25s", start="static"
    )
    yield retriever
    retriever.close()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_notes(folder / "notes")
    events: list[ProgressEvent] = []
    with Retriever.from_folder(
        folder / "notes",
        workspace=folder / "work",
        start="static",
        minutes=0.02,
        bm25="bm25s",
        progress=events.append,
    ) as retriever:
        assert retriever.systems == ("bm25", "dense", "hybrid")
    labels = [event.label for event in events]
    assert {"prepare", "mine", "train", "embed"} <= set(labels)
    assert all(event.total is None or event.done <= event.total for event in events)
    return folder / "work"


def test_three_texts_get_bm25_and_work(three: Retriever) -> None:
    assert three.systems == ("bm25",)
    (hit,) = three.search("When does the ferry leave?", k=1)
    assert isinstance(hit, RankedPassage)
    assert (hit.text, hit.title, hit.source, hit.rank) == (TEXTS[1], "", "1", 1)
    assert hit.score > 0
    assert three.search("salt")[0].title == "Kitchen"
    assert three.search("unheard-of") == []


def test_many_questions_are_answered_as_one_by_one(three: Retriever) -> None:
    questions = ["salt and bread", "a heron in the water", "nine"]
    assert three.search_many(questions, k=2) == [three.search(q, k=2) for q in questions]
    assert three.search_many([]) == []


def test_a_temporary_folder_goes_on_closing() -> None:
    retriever = Retriever.from_texts(TEXTS, bm25="bm25s", start="static")
    folder = retriever._index.artifact.path.parent  # type: ignore[union-attr]
    assert folder.is_dir()
    retriever.close()
    retriever.close()
    assert not folder.exists()
    with pytest.raises(ConfigError, match="closed"):
        retriever.search("salt")


def test_a_folder_is_opened_again_with_equal_results(workspace: Path) -> None:
    with Retriever.open(workspace) as retriever:
        assert retriever.systems[-1] == "hybrid"
        hits = retriever.search("the barn owl near the harbour wall", k=3)
        assert hits[0].source.startswith("note-")
        assert sum(hits[0].shares.values()) == pytest.approx(1)
        assert [hit.rank for hit in hits] == [1, 2, 3]
        by_words = retriever.search("the barn owl near the harbour wall", k=3, system="bm25")
        assert by_words[0].shares == {"bm25": 1.0}
    assert (workspace / "index" / "manifest.json").is_file()


def test_threads_may_search_at_once(workspace: Path) -> None:
    questions = [f"{bird} near the {place}" for bird in BIRDS for place in PLACES]
    with Retriever.open(workspace) as retriever:
        expected = [retriever.search(question, k=5) for question in questions]
        found: dict[int, list[RankedPassage]] = {}

        def work(number: int) -> None:
            found[number] = retriever.search(questions[number], k=5)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(questions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [found[number] for number in range(len(questions))] == expected


def test_bad_input_is_one_line(tmp_path: Path, three: Retriever) -> None:
    for texts, options, message in (
        ([], {}, "texts: got none"),
        ("one text", {}, "got one string"),
        (TEXTS, {"titles": ["a"]}, "titles: got 1, expected one for each of 3"),
        (TEXTS, {"ids": ["a", "a", "b"]}, "ids must be unique"),
        (TEXTS, {"minutes": -1.0}, "setting minutes: got -1.0, expected more than 0"),
        ([" ", ""], {}, "no document with text|nothing to read"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            Retriever.from_texts(texts, **options)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no such folder"):
        Retriever.from_folder(tmp_path / "none")
    with pytest.raises(ArtifactError, match="no such index"):
        Retriever.open(tmp_path)
    with pytest.raises(ConfigError, match="k: got 0"):
        three.search("salt", k=0)
    with pytest.raises(ConfigError, match="question is empty"):
        three.search(" ")
    with pytest.raises(ConfigError, match="dense"):
        three.search("salt", system="dense")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Retriever.from_texts(TEXTS, bm25="bm25s", start="static").close()
    printed = capfd.readouterr()
    assert printed.out == ""


@pytest.mark.parametrize("name", ["index", "eval", "conf"])
def test_a_module_that_hides_a_package_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("")
    root = Path(__file__).parents[2]
    code = f"import sys; sys.path.append({str(root)!r}); import spider_odqa"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: spider_odqa: ")
    assert f"{name}.py hides the package '{name}'" in last


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, spider_odqa; heavy = {'torch', 'faiss', 'transformers', 'jnius', 'hydra'};"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_few_passages_of_one_document(tmp_path: Path) -> None:
    texts = [f"{'The heron waits. ' * 120}", "A heron flew.", "No heron came."]
    with Retriever.from_texts(
        texts, workspace=tmp_path / "w", bm25="bm25s", start="static"
    ) as retriever:
        free = [hit.source for hit in retriever.search("heron", k=3, system="bm25")]
        limited = retriever.search("heron", k=3, system="bm25", per_document=1)
        assert len(set(free)) < 3
        assert sorted(hit.source for hit in limited) == ["0", "1", "2"]
        assert [hit.rank for hit in limited] == [1, 2, 3]
        assert retriever.search_many(["heron"], k=3, system="bm25", per_document=1) == [limited]


def test_places_and_doubt_are_those_of_the_command(workspace: Path) -> None:
    with Retriever.open(workspace) as retriever:
        found = retriever.find("grey heron near the harbour wall", k=2)
        assert len(found.found) == 2
        assert not found.match.probably_none
        place = found.found[0].place
        assert place is not None
        assert place.shown().endswith(".md:3")
        assert retriever.find("zygomorphic quaternions").match.probably_none


WRONG = """
from pathlib import Path
import sys
import numpy as np
from spider_odqa import Retriever
from spider.errors import ConfigError

r = Retriever.from_texts(["A heron.", "The ferry leaves."], bm25="bm25s", start="static")
assert r.search("ferry", k=np.int64(1)) == r.search("ferry", k=1)
for call in Path(sys.argv[1]).read_text().splitlines():
    try:
        eval(call)
    except ConfigError as error:
        assert "\\n" not in str(error) and str(error), (call, error)
    else:
        raise SystemExit(f"{call}: no error")
"""
CALLS = [
    *("r.search(None)", "r.search(3)", "r.search(['a'])", "r.search(b'a')", "r.search('a', k=0)"),
    *("r.search('a', k=True)", "r.search('a', k='5')", "r.search('a', k=2.0)", "r.find(None)"),
    *("r.search('a', k=None)", "r.search('a', per_document=-1)", "r.search('a', system=3)"),
    *("r.search('a', per_document=False)", "r.search_many(None)", "r.search_many(7)"),
    *("r.search_many(['a', None])", "r.find('a', k='5')", "Retriever.open(None)"),
    *("Retriever.from_folder(3)", "Retriever.from_texts(None)", "Retriever.from_texts(3)"),
    *("Retriever.from_texts(['a'], titles='b')", "Retriever.from_texts(['a'], minutes='5')"),
    *("Retriever.from_texts(['a'], start=3)", "Retriever.from_texts(['a'], start=' ')"),
    "Retriever.from_texts(['a'], workspace=3)",
]


def test_wrong_arguments_are_one_line(tmp_path: Path) -> None:
    # in another process, where no checker of types comes first
    (tmp_path / "calls").write_text("\n".join(CALLS))
    done = subprocess.run(
        [sys.executable, "-P", "-c", WRONG, str(tmp_path / "calls")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
