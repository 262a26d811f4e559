from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider.launch.command_line import unknown_setting
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.launch.verbs import settings_class


@pytest.mark.parametrize(
    ("verb", "overrides", "parts"),
    [
        ("prepare", ["source=foldr"], ["source=foldr", "did you mean folder?", "wikiextractor"]),
        ("build", ["sparse=luceen"], ["did you mean lucene?", "there are: auto, bm25s, lucene"]),
        ("train", ["+pairing@pairings.title=titel"], ["pairing=titel", "did you mean title?"]),
        (
            "train",
            ["architecture.dimensoin=3"],
            ["mean architecture.dimension?"],
        ),
        (
            "train",
            ["architecture=bert", "architecture.layrs=3"],
            ["mean architecture.layers?"],
        ),
        ("train", ["pairings.recurring_span.xyz=3"], ["unknown setting pairings.recurring_span"]),
        ("train", ["stepz=3"], ["unknown setting stepz", "did you mean training.steps?"]),
        ("train", ["training.stepz=3"], ["training.stepz", "did you mean training.steps?"]),
        ("search", ["fusion.weight=3"], ["fusion: no variant is chosen", "fusion=VARIANT"]),
        ("search", ["a=b"], ["unknown setting a", "free text goes after --"]),
        ("search", ["k=["], ["cannot read 'k=['"]),
    ],
)
def test_what_hydra_rejects_is_answered_in_one_line(
    verb: str, overrides: list[str], parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        typed_settings(settings_class(verb), plain(compose_verb(verb, overrides)))
    message = str(caught.value)
    assert "\n" not in message
    assert "verb_module" not in message
    for part in parts:
        assert part in message


def test_a_setting_that_is_not_there_is_found_before_a_sweep() -> None:
    cls = settings_class("train")
    assert "did you mean training.seed?" in unknown_setting(cls, ["training.steps=1,2", "seedd=1"])
    swept = [
        "architecture=bert,static",
        "training.seed=1,2",
        "+weights.x=1",
        "hydra/launcher=basic",
    ]
    assert unknown_setting(cls, swept) == ""


def test_defaults_of_constructors_are_there_before_hydra_composes() -> None:
    values = plain(compose_verb("train", ["training.steps=3"]))
    assert values["training"]["steps"] == 3
    assert values["training"]["warmup_share"] == 0.01
    assert values["architecture"]["dimension"] == 768
    assert plain(compose_verb("train", ["experiment=paper"]))["architecture"]["layers"] == 4
    # an interpolation may name a default that no yaml writes
    copied = compose_verb("train", ["architecture.dimension=${training.save_every}"])
    assert plain(copied)["architecture"]["dimension"] == 250


def test_a_group_is_set_to_null() -> None:
    assert plain(compose_verb("build", ["sparse=null"]))["sparse"] is None
    assert plain(compose_verb("search", ["fusion=null"]))["fusion"] is None


def test_a_folder_of_ones_own_yaml_files_is_completed_too(tmp_path: Path) -> None:
    (tmp_path / "sparse").mkdir()
    text = "# mine\n_target_: index.sparse.bm25s_index.Bm25s\nk1: 1.5\n"
    (tmp_path / "sparse" / "mine.yaml").write_text(text, encoding="utf-8")
    values = plain(compose_verb("build", ["sparse=mine", "sparse.b=0.5"], config_dir=tmp_path))
    assert values["sparse"]["k1"] == 1.5
    assert values["sparse"]["b"] == 0.5
    with pytest.raises(ConfigError, match="no such variant"):
        compose_verb("build", ["sparse=mine"])
