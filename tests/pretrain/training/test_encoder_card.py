"""The model card says how to encode as this encoder does."""

from dataclasses import replace

import pytest

from pretrain.training.encoder_card import _usage
from spider.artifacts.records.encoder import EncoderPrompts, EncoderRecord

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
