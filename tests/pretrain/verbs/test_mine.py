import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pretrain.spans.span_shards as span_shards
from pretrain.spans.recurring_spans_reference import find_clusters_reference
from pretrain.spans.span_filters import SpanFilter
from pretrain.spans.span_shards import cut_shards
from pretrain.verbs.mine import MineSettings, main
from spider.artifacts.artifact import open_artifact
from spider.errors import ConfigError
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import SpanStore

ROOT = Path(__file__).parents[3]
# mines the first shard, then stands still in the second until it is killed
CHILD = """
import sys, time
from pathlib import Path
import pretrain.spans.span_shards as span_shards
from pretrain.verbs.mine import MineSettings, main
from pretrain.spans.span_filters import SpanFilter
from spider.questions.transforms.random_window import RandomWindow

mine = span_shards.mine_shard

def stand_still(task, folder):
    if task.first:
        time.sleep(600)
    return mine(task, folder)

span_shards.mine_shard = stand_still
main(MineSettings(corpus=Path(sys.argv[1]), output=Path(sys.argv[2]), span_filter=SpanFilter(),
                query_transform=RandomWindow(), shard_passages=12))
"""


def documents(total=12):
    rng = np.random.default_rng(5)
    words = ["the", "of", *(f"w{chr(97 + n)}" for n in range(12)), "Zoë", "in", ",", "."]
    return [
        (f"Title {number}", [" ".join(rng.choice(words, size=30)) for _ in range(4)])
        for number in range(total)
    ]


def mine(corpus, output, **settings):
    config = MineSettings(
        corpus=corpus.path,
        output=output,
        span_filter=settings.pop("span_filter", SpanFilter()),
        query_transform=RandomWindow(),
        **{"shard_passages": 12, **settings},
    )
    main(config)
    return open_artifact(output, kind="spans")


def payload(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def test_store_holds_the_reference_clusters_at_the_right_places(make_corpus, tmp_path, capsys):
    corpus = make_corpus(documents())
    mine(corpus, tmp_path / "spans")
    store = SpanStore.open(tmp_path / "spans")
    found = 0
    for number in range(corpus.n_documents):
        places = corpus.document_passages(number)
        expected = find_clusters_reference(
            corpus.texts(places), title=corpus.title(places.start), span_filter=SpanFilter()
        )
        clusters = store.clusters_of(number)
        assert len(clusters) == len(expected)
        for cluster, (span, where) in zip(clusters, expected, strict=True):
            occurrences = store.occurrences(cluster)
            assert store.words[cluster] == len(span)
            assert (occurrences.positions - places.start).tolist() == [o.passage for o in where]
            for position, start, end in zip(*occurrences, strict=True):
                assert corpus.text(position)[start:end].lower() == " ".join(span)
            found += 1
    assert found == len(store) > 50
    assert "Recurring spans" in capsys.readouterr().out


def test_killed_run_resumes_to_the_same_bytes(make_corpus, tmp_path):
    corpus = make_corpus(documents())
    killed = tmp_path / "killed"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(corpus.path), str(killed)],
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as child:
        shard = tmp_path / "killed.partial" / "shards" / "shard-00000"
        deadline = time.monotonic() + 60
        while not shard.exists() and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
    assert shard.exists()
    assert not killed.exists()
    seen = []
    original = span_shards.mine_shard

    def counted(task, folder):
        seen.append(task.first)
        return original(task, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(span_shards, "mine_shard", counted)
        resumed = mine(corpus, killed)
    assert seen
    assert 0 not in seen
    whole = mine(corpus, tmp_path / "whole")
    assert payload(killed) == payload(tmp_path / "whole")
    assert resumed.content_hash == whole.content_hash


@pytest.mark.parametrize(
    "place",
    [
        "spider.artifacts.folder.file_table.hash_file",
        "spider.artifacts.folder.replacement.shutil.rmtree",
    ],
)
def test_a_run_killed_while_it_finishes_goes_on(make_corpus, tmp_path, place):
    corpus = make_corpus(documents())
    whole = mine(corpus, tmp_path / "whole")

    def killed(path, **_):
        if path.is_dir():
            (path / "shard-00001" / "words.npy").unlink()
        raise KeyboardInterrupt

    def mined_again(task, folder):
        raise AssertionError("every shard was whole")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, killed)
        with pytest.raises(KeyboardInterrupt):
            mine(corpus, tmp_path / "killed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(span_shards, "mine_shard", mined_again)
        resumed = mine(corpus, tmp_path / "killed")
    assert payload(tmp_path / "killed") == payload(tmp_path / "whole")
    assert resumed.content_hash == whole.content_hash


def test_shard_size_and_processes_do_not_change_the_bytes(make_corpus, tmp_path):
    corpus = make_corpus(documents())
    mine(corpus, tmp_path / "one", shard_passages=10_000)
    mine(corpus, tmp_path / "many", shard_passages=1)
    mine(corpus, tmp_path / "two", processes=2)
    assert payload(tmp_path / "one") == payload(tmp_path / "many") == payload(tmp_path / "two")


def test_second_run_is_up_to_date(make_corpus, tmp_path, caplog):
    corpus = make_corpus(documents(4))
    mine(corpus, tmp_path / "spans")
    with caplog.at_level("INFO"):
        mine(corpus, tmp_path / "spans", processes=2)
    assert "up to date" in caplog.text


def test_yield_is_reported(make_corpus, tmp_path, capsys):
    corpus = make_corpus([*documents(), ("short", ["one two", "one two"])])
    artifact = mine(corpus, tmp_path / "spans")
    found = json.loads((tmp_path / "spans" / "yield.json").read_text())
    store = SpanStore.open(tmp_path / "spans")
    assert found["documents"] == 13
    assert found["documents_too_short"] == 1
    assert found["documents_usable"] == 12 == artifact.counts["documents_usable"]
    assert found["documents_by_split"] == {"train": 9, "validation": 1, "test": 2}
    assert found["clusters"] == len(store) == sum(found["span_words"].values())
    assert found["training_pairs"] == len(store.train_clusters())
    pairs = sum(
        n * (n - 1)
        for n in (len(set(store.occurrences(int(c)).positions)) for c in store.train_clusters())
    )
    assert found["training_passage_pairs"] == pairs
    assert 0.2 < found["heldout_share_kept"] < 0.8
    assert len(found["examples"]) == 10
    assert "| documents usable | 12 |" in (tmp_path / "spans" / "yield.md").read_text()
    assert "documents usable" in capsys.readouterr().out


def test_json_is_the_yield_on_one_line_also_where_it_is_up_to_date(make_corpus, tmp_path, capsys):
    corpus = make_corpus(documents())
    for _ in range(2):
        mine(corpus, tmp_path / "spans", json=True)
        (line,) = capsys.readouterr().out.splitlines()
        assert json.loads(line) == json.loads((tmp_path / "spans" / "yield.json").read_text())


def test_no_usable_document_is_said_and_a_valid_empty_store(make_corpus, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="pretrain")
    corpus = make_corpus([("a", ["alpha beta", "gamma delta", "epsilon"]), ("b", ["x"])])
    artifact = mine(corpus, tmp_path / "spans")
    assert "nothing to train on" in caplog.text
    store = SpanStore.open(tmp_path / "spans")
    assert len(store) == 0
    assert artifact.counts["documents_usable"] == 0
    assert store.heldout("test").questions == ()


def test_drop_last_is_a_setting(make_corpus, tmp_path):
    texts = ["red fox a", "b red fox", "c d", "red fox e"]
    padded = make_corpus([("t", texts)], last_passage_padded=True)
    for setting, sizes in (("auto", [2]), (False, [3]), (True, [2])):
        mine(padded, tmp_path / f"spans-{setting}", drop_last=setting)
        store = SpanStore.open(tmp_path / f"spans-{setting}")
        assert np.diff(store.offsets).tolist() == sizes


def test_shards_cover_the_documents_in_order(make_corpus):
    corpus = make_corpus(documents(5))
    assert cut_shards(corpus, 6) == [range(2), range(2, 4), range(4, 5)]
    assert cut_shards(corpus, 1000) == [range(5)]
    with pytest.raises(ConfigError, match="shard_passages"):
        cut_shards(corpus, 0)
