"""Settings of mining are refused under their own names, and mark what is no content."""

import pytest

from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from spider.corpus.split import SplitRule
from spider.errors import ConfigError, SettingError
from spider.launch.typed.objects import build
from spider.launch.typed.schema import REQUIRED, settings_of
from spider.questions.transforms.random_window import RandomWindow

GIVEN = {"span_filter": SpanFilter(), "query_transform": RandomWindow()}
PLAIN = {
    "span_filter": {"_target_": "pretrain.spans.span_filters.SpanFilter"},
    "query_transform": {"_target_": "spider.questions.transforms.random_window.RandomWindow"},
}


@pytest.mark.parametrize(
    "name", ["clusters_per_document", "heldout_documents", "shard_passages", "processes"]
)
def test_numbers_below_one_are_refused(name: str) -> None:
    assert getattr(MiningSettings(**GIVEN, **{name: 1}), name) == 1
    for value in (0, -1):
        with pytest.raises(SettingError, match=rf"{name}: got {value}, expected at least 1"):
            MiningSettings(**GIVEN, **{name: value})


def test_processes_are_the_only_setting_that_is_no_content() -> None:
    settings = settings_of(MiningSettings)
    assert [name for name, setting in settings.items() if setting.execution] == ["processes"]


def test_what_decides_spans_and_queries_has_to_be_chosen() -> None:
    settings = settings_of(MiningSettings)
    required = [name for name, setting in settings.items() if setting.default is REQUIRED]
    assert required == ["span_filter", "query_transform"]


@pytest.mark.parametrize("value", ["auto", True, False])
def test_dropping_the_last_passage_is_decided_or_left_open(value: object) -> None:
    assert build(MiningSettings, {**PLAIN, "drop_last": value}).drop_last is value


@pytest.mark.parametrize("value", ["yes", 2, None])
def test_other_answers_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"drop_last: got .*one of 'auto', True, False"):
        build(MiningSettings, {**PLAIN, "drop_last": value})


def test_the_split_is_the_one_that_everything_uses() -> None:
    settings = build(MiningSettings, {**PLAIN, "split": {"test_share": 0.5, "seed": 3}})
    assert settings.split == SplitRule(test_share=0.5, seed=3)
    with pytest.raises(SettingError, match=r"setting split\.test_share: got 0\.95"):
        build(MiningSettings, {**PLAIN, "split": {"test_share": 0.95}})
