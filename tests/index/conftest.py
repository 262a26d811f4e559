"""A small undertaking on disk: corpus, static encoder, embeddings, spans with held-out queries."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from index.embeddings.run import embed_corpus
from index.embeddings.settings import EmbeddingSettings
from spider.artifacts.artifact import Artifact
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.corpus.split import VALIDATION
from spider.encoders.static import StaticSettings
from spider.question import Question, QuestionSet
from spider.spans.writer import SpanStoreWriter

BIRDS = ["heron", "osprey", "raven", "plover"]
ANIMALS = [*BIRDS, "otter", "badger", "lynx", "marten", "adder", "newt"]
PLACES = ["quarry", "meadow", "estuary", "orchard", "moorland", "harbour"]


class Undertaking(NamedTuple):
    folder: Path
    corpus: Corpus
    questions: tuple[Question, ...]


def write_encoder(path: Path, corpus: Corpus, *, seed: int) -> Artifact:
    stage = Stage(verb="train", kind="encoder", output=path, config={"seed": seed}, inputs={})
    with stage.writing() as folder:
        settings = StaticSettings(dimension=32, vocabulary_size=300)
        texts = [*corpus.titles(range(len(corpus))), *corpus.texts(range(len(corpus)))]
        work = path.parent / f"tokenizer-{seed}"
        work.mkdir()
        model = settings.build(settings.tokenizer(texts, work), seed=seed)
        return stage.finish(counts={}, variant="static", details=model.export(folder))


def write_spans(path: Path, corpus: Corpus, questions: tuple[Question, ...]) -> Artifact:
    stage = Stage(
        verb="mine", kind="spans", output=path, config={}, inputs={"corpus": corpus.artifact}
    )
    with stage.writing() as folder:
        writer = SpanStoreWriter(folder)
        for number in range(corpus.n_documents):
            writer.add(number, corpus.document_passages(number), None)
        writer.close()
        np.save(folder / "split.npy", np.full(corpus.n_documents, VALIDATION, dtype=np.uint8))
        for name in ("validation", "test"):
            (folder / "heldout" / name).mkdir(parents=True)
            held = QuestionSet(name=f"held-out {name}", questions=questions, match="passage")
            held.save(folder / "heldout" / name)
        return stage.finish(counts={})


@pytest.fixture
def make_encoder() -> Callable[..., Artifact]:
    """Return ``write_encoder(path, corpus, seed=…)``."""
    return write_encoder


@pytest.fixture
def undertaking(tmp_path: Path, make_corpus: Callable[..., Corpus]) -> Undertaking:
    documents = [
        (
            f"The {animal}",
            [
                f"An old {animal} was seen at the {place} in {1900 + 7 * n}."
                for n, place in enumerate(PLACES)
            ],
        )
        for animal in ANIMALS
    ]
    corpus = make_corpus(documents)
    questions = tuple(
        Question(
            id=f"q{number}",
            text=f"where was the {animal} seen, at the {PLACES[number % 3]}?",
            relevant=(f"d{number}#{(number + 1) % 6}", f"d{number}#{(number + 2) % 6}"),
            excluded=(f"d{number}#{number % 3}",),
            cluster=f"d{number}",
        )
        for number, animal in enumerate(ANIMALS)
    )
    write_encoder(tmp_path / "encoder", corpus, seed=0)
    embed_corpus(
        EmbeddingSettings(shard_size=16),
        corpus=corpus.path,
        encoder=tmp_path / "encoder",
        output=tmp_path / "embeddings",
    )
    write_spans(tmp_path / "spans", corpus, questions)
    return Undertaking(tmp_path, corpus, questions)
