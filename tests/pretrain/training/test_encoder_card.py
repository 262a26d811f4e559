"""The model card says how to encode as this encoder does."""

from dataclasses import replace

import pytest

from pretrain.training.encoder_card import _usage, encoder_card
from pretrain.training.settings import ContrastiveSettings
from spider.artifacts.records.encoder import (
    EncoderPrompts,
    EncoderRecord,
    EncoderTrainingRecord,
)
from spider.encoders.static import StaticSettings

RECORD = EncoderRecord(
    dimension=8,
    similarity="dot",
    score_scale="unit",
    score_multiplier=20.0,
    pooling="mean, normalise",
    max_length=None,
    casing="lower",
    passage_template="title text",
)
PROMPTS = EncoderPrompts(question='ask "it": ', passage="read: ")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, '"Threads A lock guards a resource."'),
        ({"passage_template": "title [SEP] text"}, '"Threads [SEP] A lock guards'),
        ({"prompts": PROMPTS}, '"read: Threads A lock'),
        ({"prompts": PROMPTS}, r'"ask \"it\": What is a lock?"'),
        ({"towers": "two"}, 'SentenceTransformer("question")'),
    ],
)
def test_its_use_names_prompts_template_and_towers(changes, said):
    text = _usage(replace(RECORD, **changes))
    assert said in text
    compile(text, "card", "exec")


def test_it_says_what_was_trained(training_corpus: tuple) -> None:
    settings = ContrastiveSettings(architecture=StaticSettings(dimension=8), pairings={})
    training = EncoderTrainingRecord(
        pairs={"title": 1234}, batch_size=64, steps=5, validation={"recall_at_20": 0.5}, note="Few."
    )
    corpus = training_corpus[0].artifact
    card = encoder_card(settings, corpus, replace(RECORD, training=training))
    assert "(1,234 title pairs)" in card.training
    assert card.training.endswith("Few.")
    assert (card.settings["batch size"], card.settings["steps"]) == (64, 5)
    assert "Not trained here" in encoder_card(settings, corpus, RECORD).training
