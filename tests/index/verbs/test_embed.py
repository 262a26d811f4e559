import pickle
import shutil

import numpy as np
import pytest

from index.embeddings.embeddings import Embeddings, save_shard
from index.embeddings.shards import ShardEncoder
from index.verbs.embed import EmbedSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.stage import Stage
from spider.encoders.bert import BertSettings
from spider.encoders.encoding import EncodingSettings
from spider.encoders.loading import load_encoder
from spider.encoders.static import StaticSettings
from spider.encoders.table.checkpoint import FOLDER
from spider.errors import ArtifactError, ConfigError, DataError
from spider.text.vocabulary import train_tokenizer

WORDS = [
    "fox",
    "dog",
    "whale",
    "sings",
    "barks",
    "quick",
    "brown",
    "lazy",
    "ocean",
    "forest",
    "mammal",
    "swims",
    "jumps",
    "over",
]


def passages(seed, count):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(3, 40))) for _ in range(count)]


DOCUMENTS = [("Fox", passages(0, 9)), ("", passages(1, 4)), ("Whale", passages(2, 10))]
TOKENIZER = train_tokenizer([" ".join(WORDS)] * 5, vocabulary_size=200)
VARIANTS = {
    "static": StaticSettings(dimension=16),
    "bert": BertSettings(hidden=16, layers=1, heads=2, max_query_length=8, max_passage_length=20),
}


def write_encoder(path, variant="static", seed=0):
    stage = Stage(
        verb="train", kind="encoder", output=path, config={"seed": seed}, inputs={}, overwrite=True
    )
    with stage.writing() as folder:
        details = VARIANTS[variant].build(TOKENIZER, seed=seed).export(folder)
        stage.finish(counts={}, variant=variant, details=details)
    return path


@pytest.fixture(params=sorted(VARIANTS))
def variant(request):
    return request.param


@pytest.fixture
def embed(tmp_path):
    def run(**changes):
        settings = {
            "corpus": tmp_path / "corpus",
            "encoder": tmp_path / "encoder",
            "output": tmp_path / "embeddings",
            "shard_size": 5,
        } | changes
        main(EmbedSettings(**settings, resolved={"shard_size": settings["shard_size"]}))
        return Embeddings.open(settings["output"])

    return run


def payload(path):
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def test_vectors_are_the_encoders_in_corpus_order(tmp_path, make_corpus, embed, variant):
    corpus = make_corpus(DOCUMENTS)
    # the precision of embed, which is that of other libraries where nothing is said
    place = write_encoder(tmp_path / "encoder", variant)
    encoder = load_encoder(place, encoding=EncodingSettings())
    embeddings = embed()
    everything = range(len(corpus))
    expected = encoder.encode_passages(corpus.titles(everything), corpus.texts(everything))
    assert (
        embeddings.take(everything).astype(np.float16).tobytes()
        == expected.astype(np.float16).tobytes()
    )
    truncated = {"bert": {"passages_truncated": 18}, "static": {}}[variant]
    assert embeddings.artifact.counts == {"passages": 23, "encoded": 23, "reused": 0} | truncated
    assert embeddings.artifact.parent("encoder").path.resolve() == (tmp_path / "encoder").resolve()
    assert embeddings.artifact.manifest["volatile"]["passages_per_second"] > 0
    np.testing.assert_array_equal(embeddings.passage_hashes(), corpus.passage_hashes)


def test_resumed_run_has_the_bytes_of_an_uninterrupted_one(
    tmp_path, make_corpus, embed, variant, monkeypatch
):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder", variant)
    whole = embed(output=tmp_path / "whole")
    calls = []

    def killed(folder, vectors, hashes):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(folder)
        save_shard(folder, vectors, hashes)

    with monkeypatch.context() as patch:
        patch.setattr("index.embeddings.shards.save_shard", killed)
        with pytest.raises(KeyboardInterrupt):
            embed()
    with pytest.raises(ArtifactError, match="unfinished"):
        open_artifact(tmp_path / "embeddings")
    kept = tmp_path / "embeddings.partial" / "shard-00001" / "vectors.npy"
    first = kept.stat().st_mtime_ns
    resumed = embed()
    assert (tmp_path / "embeddings/shard-00001/vectors.npy").stat().st_mtime_ns == first
    assert payload(tmp_path / "embeddings") == payload(tmp_path / "whole")
    assert resumed.artifact.content_hash == whole.artifact.content_hash


def test_a_run_killed_while_it_finishes_loses_no_shard(tmp_path, make_corpus, embed, monkeypatch):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder")
    whole = embed(output=tmp_path / "whole")

    def killed(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("spider.artifacts.folder.file_table.hash_file", killed)
        with pytest.raises(KeyboardInterrupt):
            embed()
    shards = sorted((tmp_path / "embeddings.partial").glob("shard-*/vectors.npy"))
    times = [file.stat().st_mtime_ns for file in shards]
    resumed = embed()
    finished = sorted((tmp_path / "embeddings").glob("shard-*/vectors.npy"))
    assert [file.stat().st_mtime_ns for file in finished] == times
    assert resumed.artifact.content_hash == whole.artifact.content_hash
    assert resumed.artifact.counts == whole.artifact.counts


def test_unchanged_passages_keep_their_vectors(tmp_path, make_corpus, embed, variant):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder", variant)
    embed()
    changed = [("New", passages(7, 3)), DOCUMENTS[2], ("Fox", [*passages(0, 8), "edited text"])]
    make_corpus(changed)
    with pytest.raises(ArtifactError, match="overwrite=true"):
        embed()
    updated = embed(overwrite=True)
    truncated = {"bert": {"passages_truncated": 17}, "static": {}}[variant]
    assert updated.artifact.counts == {"passages": 22, "encoded": 4, "reused": 18} | truncated
    fresh = embed(output=tmp_path / "fresh")
    assert payload(tmp_path / "embeddings") == payload(tmp_path / "fresh")
    assert updated.artifact.content_hash == fresh.artifact.content_hash


def test_another_encoder_reuses_nothing(tmp_path, make_corpus, embed):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder", seed=0)
    before = embed().take(range(23))
    write_encoder(tmp_path / "encoder", seed=1)
    after = embed(overwrite=True)
    assert after.artifact.counts["reused"] == 0
    assert not np.allclose(before, after.take(range(23)))


def test_second_run_does_nothing(tmp_path, make_corpus, embed):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder")
    manifest = (embed().artifact.path / "manifest.json").read_bytes()
    embed()
    assert (tmp_path / "embeddings" / "manifest.json").read_bytes() == manifest


def test_shards_can_be_written_by_another_process(tmp_path, make_corpus, embed):
    # what a spawned worker gets is a pickled copy
    corpus = make_corpus(DOCUMENTS)
    encoder = open_artifact(write_encoder(tmp_path / "encoder"))
    embed()
    work = ShardEncoder(
        corpus=(corpus.path, corpus.artifact.content_hash),
        encoder=(encoder.path, encoder.content_hash),
    )
    (tmp_path / "shard").mkdir()
    counts = pickle.loads(pickle.dumps(work))((5, 10), tmp_path / "shard")
    assert counts == {"passages": 5}
    (tmp_path / "embeddings" / "shard-00001" / "counts.json").unlink()
    assert payload(tmp_path / "shard") == payload(tmp_path / "embeddings" / "shard-00001")


def test_empty_corpus(tmp_path, make_corpus, embed):
    make_corpus([])
    write_encoder(tmp_path / "encoder")
    assert len(embed()) == 0


def test_diverged_encoder_is_named(tmp_path, make_corpus, embed, monkeypatch):
    make_corpus(DOCUMENTS)
    write_encoder(tmp_path / "encoder")
    monkeypatch.setattr(
        "spider.encoders.table.inference.StaticEncoder.encode_passages",
        lambda self, titles, texts: np.full((len(texts), 16), np.nan, np.float32),
    )
    with pytest.raises(DataError, match="passage d0#0 is not finite"):
        embed()


def test_wrong_inputs_are_refused(tmp_path, make_corpus, embed):
    make_corpus(DOCUMENTS)
    with pytest.raises(ArtifactError, match="no such encoder"):
        embed()
    write_encoder(tmp_path / "encoder")
    with pytest.raises(ConfigError, match="shard_size"):
        embed(shard_size=0)
    shutil.rmtree(tmp_path / "encoder" / FOLDER)
    with pytest.raises(ArtifactError, match="is missing"):
        embed()
