import pytest
import torch

from spider.encoders.transformer.engine.reference import states
from spider.encoders.transformer.engine.weights import read_weights, supports

MODELS = ("bert", "roberta", "xlm-roberta", "distilbert", "mpnet")
WORDS, LONGEST = 100, 512


@pytest.mark.parametrize("length", [1, 2, 45, LONGEST])
@pytest.mark.parametrize("name", MODELS)
def test_the_formulas_are_those_of_transformers(name, length, models):
    model = models[name]
    ids = torch.randint(2, WORDS, (length,), generator=torch.Generator().manual_seed(length))
    weights = read_weights(model)
    assert weights.longest == LONGEST
    with torch.no_grad():
        expected = model(input_ids=ids[None]).last_hidden_state[0]
    torch.testing.assert_close(states(ids, weights), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("hidden_act", "relu"), ("is_decoder", True), ("hidden_size", 40), ("model_type", "electra")],
)
def test_what_the_engine_does_not_compute_is_refused(setting, value, models, monkeypatch):
    model = models["bert"]
    assert supports(model)
    monkeypatch.setattr(type(model.config), setting, value, raising=False)
    monkeypatch.setitem(model.config.__dict__, setting, value)
    assert not supports(model)
