"""A corpus with recurring spans, mined for real, small enough for every test."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pretrain.spans.recurring_spans import find_clusters
from pretrain.spans.span_filters import SpanFilter
from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import save_array
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.corpus.document import Document, PassageBounds
from spider.corpus.split import NOT_USABLE, TRAIN, VALIDATION
from spider.corpus.writer import CorpusWriter
from spider.question import Question, QuestionSet
from spider.spans.span_store import HELDOUT, SpanStore
from spider.spans.writer import SpanStoreWriter
from spider.text.token_store import TokenStore, build_token_store
from spider.text.tokenizer import Tokenizer
from spider.text.vocabulary import train_tokenizer

WORDS = [
    "amber",
    "basalt",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "harbor",
    "iris",
    "jasper",
    "kelp",
    "lagoon",
    "maple",
    "nectar",
    "onyx",
    "pepper",
]


class TrainingCorpus(NamedTuple):
    corpus: Corpus
    spans: SpanStore
    tokenizer: Tokenizer
    tokens: TokenStore


def _stage(verb: str, kind: str, output: Path, inputs: dict[str, Artifact]) -> Stage:
    return Stage(verb=verb, kind=kind, output=output, config={}, inputs=inputs)


def _write_corpus(output: Path) -> Corpus:
    stage = _stage("prepare", "corpus", output, {})
    with stage.writing() as folder:
        writer = CorpusWriter(folder)
        for number, (title, texts) in enumerate(_documents(12)):
            bounds, start = [], 0
            for place, text in enumerate(texts):
                bounds.append(PassageBounds(f"d{number}#{place}", start, start + len(text)))
                start += len(text) + 1
            text = "\n".join(texts)
            document = Document(id=f"d{number}", title=title, text=text, passages=tuple(bounds))
            writer.add(document)
        stage.finish(counts=writer.close())
    return Corpus.open(output)


def _documents(n_documents: int) -> list[tuple[str, list[str]]]:
    """Documents of four passages: three hold one two-word name of the document, two another."""
    rng = np.random.default_rng(1)
    documents = []
    for number in range(n_documents):
        names = [" ".join(rng.choice(WORDS, 2, replace=False)) for _ in range(2)]
        passages = []
        for place in range(4):
            filler = [str(word) for word in rng.choice(WORDS, 12)]
            filler[4:4] = [names[place % 2]]
            if place == 1:
                filler[9:9] = [names[0]]
            text = " , ".join(filler).capitalize() + ". The end of it all."
            passages.append(f"Part {number}\n{text}" if place == 2 else text)
        documents.append((f"Title {names[0]} {number}", passages))
    return documents


def _write_spans(folder_of: Stage, corpus: Corpus, split: np.ndarray) -> None:
    with folder_of.writing() as folder:
        writer = SpanStoreWriter(folder)
        questions = []
        for number in range(corpus.n_documents):
            candidates = corpus.document_passages(number)
            clusters, _ = find_clusters(
                corpus.texts(candidates),
                title=corpus.title(candidates[0]),
                first_position=candidates[0],
                span_filter=SpanFilter(),
            )
            writer.add(number, candidates, clusters)
            if split[number] == VALIDATION and len(clusters.words):
                questions.append(_question(corpus, number, clusters.occurrences.positions))
        writer.close()
        save_array(folder / "split.npy", split)
        heldout = folder / HELDOUT / "validation"
        heldout.mkdir(parents=True)
        QuestionSet(name="validation", questions=tuple(questions), match="passage").save(heldout)
        folder_of.finish(counts={})


def _question(corpus: Corpus, number: int, positions: np.ndarray) -> Question:
    own = int(positions[0])
    other = int(positions[positions != own][0])
    return Question(
        id=f"q{number}",
        text=" ".join(corpus.text(own).split()[4:14]),
        relevant=(corpus.passage_id(other),),
        excluded=(corpus.passage_id(own),),
        cluster=corpus.document_id(number),
        tags={"span": "removed"},
    )


@pytest.fixture(scope="session")
def training_corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    """Return a corpus of twelve documents with its spans and tokens; made once, only read.

    The first document is a validation document, the second has no part, the others train.
    """
    folder = tmp_path_factory.mktemp("training_corpus")
    corpus = _write_corpus(folder / "corpus")
    split = np.full(corpus.n_documents, TRAIN, dtype=np.uint8)
    split[:2] = (VALIDATION, NOT_USABLE)
    stage = _stage("mine", "spans", folder / "spans", {"corpus": corpus.artifact})
    _write_spans(stage, corpus, split)
    tokenizer = train_tokenizer(corpus.texts(range(len(corpus))), vocabulary_size=1000)
    tokens = build_token_store(corpus, tokenizer, folder / "tokens", shard_size=7)
    return TrainingCorpus(corpus, SpanStore.open(folder / "spans"), tokenizer, tokens)
