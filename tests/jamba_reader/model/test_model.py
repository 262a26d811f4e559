import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from spider.errors import ConfigError, DataError


def tiny(**changes: object) -> JambaConfig:
    settings = {
        "vocab_size": 31,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_experts": 4,
        "attn_layer_period": 4,
        "attn_layer_offset": 1,
        "mamba_d_state": 4,
        "mamba_dt_rank": 3,
    }
    return JambaConfig(**{**settings, **changes})


@pytest.fixture
def model() -> JambaLanguageModel:
    torch.manual_seed(0)
    return JambaLanguageModel(tiny()).eval()


def test_logits_are_of_the_last_token_of_each_sequence_that_has_any(
    model: JambaLanguageModel,
) -> None:
    tokens = torch.tensor([3, 5, 7, 2])
    every = model(tokens, Segments([3, 0, 1]), rows=torch.arange(4)).logits
    last = model(tokens, Segments([3, 0, 1])).logits
    torch.testing.assert_close(last, every[[2, 3]])


def test_a_padded_batch_has_zeros_at_its_padding(model: JambaLanguageModel) -> None:
    ids = torch.tensor([[0, 3, 4], [5, 6, 0]])
    mask = torch.tensor([[0, 1, 1], [1, 1, 0]])
    logits = model.forward_padded(ids, mask)
    assert not logits[0, 0].any()
    assert not logits[1, 2].any()
    alone = model(torch.tensor([5, 6]), Segments([2]), rows=torch.arange(2)).logits
    torch.testing.assert_close(logits[1, :2], alone)


def test_tied_embeddings_are_one_parameter() -> None:
    model = JambaLanguageModel(tiny(tie_word_embeddings=True), device="meta")
    assert model.lm_head.weight is model.model.embed_tokens.weight


@pytest.mark.parametrize("with_cache", [False, True])
def test_gradient_checkpointing_changes_no_gradient(
    model: JambaLanguageModel, with_cache: bool
) -> None:
    model.train()
    tokens, segments = torch.arange(10), Segments([6, 4])
    gradients = []
    for checkpointing in (False, True):
        model.gradient_checkpointing = checkpointing
        assert model.gradient_checkpointing is checkpointing
        model.zero_grad()
        cache = model.new_cache(2) if with_cache else None
        # two calls, so that the second goes back through what the first carried over
        for _ in range(2):
            logits = model(tokens, segments, cache=cache, rows=torch.arange(10)).logits
        logits.square().sum().backward()
        gradients.append({n: p.grad.clone() for n, p in model.named_parameters()})
    for name, plain in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], plain, msg=name)


def test_the_decay_kept_between_calls_follows_the_weights(model: JambaLanguageModel) -> None:
    mixer = model.model.layers[0].mamba
    with torch.no_grad():
        before = mixer.decay()
        assert mixer.decay() is before
        mixer.A_log += 0.5
        torch.testing.assert_close(mixer.decay(), -mixer.A_log.exp())


def test_bad_calls_are_one_line(model: JambaLanguageModel) -> None:
    with pytest.raises(DataError, match="3 tokens in segments of 4"):
        model(torch.tensor([1, 2, 3]), Segments([4]))
    with pytest.raises(DataError, match="2 prompts for a cache of 1"):
        model.prefill([[1], [2]], model.new_cache(1))
    with pytest.raises(DataError, match="is empty"):
        model.prefill([[]], model.new_cache(1))
    with pytest.raises(DataError, match="token id 31, expected 0 to 30"):
        model.prefill([[31]], model.new_cache(1))
    with pytest.raises(DataError, match="token id -1, expected 0 to 30"):
        model.step(torch.tensor([-1]), model.new_cache(1))


def test_a_progress_line_changes_nothing(model: JambaLanguageModel) -> None:
    quiet = model.prefill([[1, 2, 3]], model.new_cache(1), chunk_tokens=2)
    shown = model.prefill([[1, 2, 3]], model.new_cache(1), chunk_tokens=2, progress=True)
    torch.testing.assert_close(quiet, shown)


def test_more_tokens_than_memory_allows_is_said_before_starting(
    model: JambaLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jamba_reader.model.memory_budget.device_memory", lambda _: 1 << 20)
    cache = model.new_cache(1)
    with pytest.raises(ConfigError, match="1 MiB are available"):
        model.prefill([[1] * 1000], cache)
    assert cache.lengths == [0]
