"""Texts, and a small untrained encoder of each variant."""

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
