"""A tiny pretrained encoder: a folder as sentence-transformers writes it, with random weights."""

from pathlib import Path

import pytest

from spider.encoders.bert import BertSettings


@pytest.fixture(scope="session")
def tiny_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "start"
    folder.mkdir()
    settings = BertSettings(
        hidden=16, layers=1, heads=2, vocabulary_size=200, pooling="mean", normalize=True
    )
    texts = ["amber basalt cedar delta ember fjord garnet harbor iris jasper kelp lagoon maple"]
    settings.build(settings.tokenizer(texts, folder), seed=0).export(folder)
    return folder
