"""Texts, a small untrained encoder of each variant, and a teacher with its corpus."""

from pathlib import Path

import numpy as np
import pytest

from spider.encoders.bert import BertSettings
from spider.encoders.static import StaticSettings
from spider.text.vocabulary import train_tokenizer

TITLES = ["Fox", "", "Whale (mammal)", "Dog"] * 3
TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the fox runs.",
    "Whales sing; foxes bark.",
    "The brown whale swims quickly! " * 30,
    "",
] * 3
WORDS = (
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "jasper",
    "kelp", "larch", "moss",
)  # fmt: skip
SMALL = {"hidden": 32, "layers": 2, "heads": 2, "max_query_length": 16, "max_passage_length": 48}


def ids_of(encoder):
    heads, bodies = encoder.tokenizer.encode(TITLES), encoder.tokenizer.encode(TEXTS)
    return [encoder.passage_ids(heads.of(i), bodies.of(i)) for i in range(len(TEXTS))]


@pytest.fixture(scope="session")
def titles():
    return list(TITLES)


@pytest.fixture(scope="session")
def texts():
    return list(TEXTS)


@pytest.fixture(scope="session")
def bert_settings():
    return dict(SMALL)


@pytest.fixture(scope="session")
def bert_tokenizer():
    return train_tokenizer(TEXTS * 3, vocabulary_size=300)


@pytest.fixture
def bert(bert_tokenizer):
    return BertSettings(**SMALL).build(bert_tokenizer, seed=3).eval()


@pytest.fixture
def bert_ids(bert):
    return ids_of(bert)


@pytest.fixture
def static(bert_tokenizer):
    idf = np.random.default_rng(0).uniform(0.0, 5.0, bert_tokenizer.vocabulary_size)
    return StaticSettings(dimension=32).build(bert_tokenizer, seed=3, idf=idf)


@pytest.fixture
def static_ids(static):
    return ids_of(static)


@pytest.fixture(scope="session")
def documents():
    random = np.random.default_rng(0)
    made = []
    for number in range(30):
        passages = [" ".join(random.choice(WORDS, size=12)) + "." for _ in range(3)]
        made.append((f"Title {number}" if number % 3 else "", passages))
    return made


@pytest.fixture
def corpus(make_corpus, documents):
    return make_corpus(documents)


@pytest.fixture(scope="session")
def teacher(tmp_path_factory, documents) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    texts = [text for title, passages in documents for text in (title, *passages)]
    tokenizer = train_tokenizer(texts * 3, vocabulary_size=120)
    settings = BertSettings(**SMALL | {"hidden": 16, "layers": 1})
    settings.build(tokenizer, seed=3).eval().export(folder)
    return folder
