import pytest

from spider.errors import ConfigError
from spider.launch.composition import compose_verb, unknown_setting


@pytest.mark.parametrize(
    ("verb", "overrides", "parts"),
    [
        ("prepare", ["source=foldr"], ["source=foldr", "did you mean folder?", "wikiextractor"]),
        ("build", ["sparse=luceen"], ["did you mean lucene?", "there are: auto, bm25s, lucene"]),
        ("train", ["+pairing@pairings.title=titel"], ["pairing=titel", "did you mean title?"]),
        ("train", ["architecture.dimensoin=3"], ["architecture.dimensoin", "mean dimension?"]),
        ("train", ["architecture=bert", "architecture.layrs=3"], ["did you mean layers?"]),
        ("train", ["pairings.recurring_span.xyz=3"], ["unknown setting pairings.recurring_span"]),
        ("train", ["stepz=3"], ["unknown setting stepz", "did you mean steps?"]),
        ("search", ["fusion.weight=3"], ["fusion holds no settings here", "fusion=VARIANT"]),
        ("search", ["a=b"], ["unknown setting a", "free text goes after --"]),
        ("search", ["k=["], ["cannot read 'k=['"]),
    ],
)
def test_what_hydra_rejects_is_answered_in_one_line(
    verb: str, overrides: list[str], parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        compose_verb(verb, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert "verb_module" not in message
    for part in parts:
        assert part in message


def test_a_setting_that_is_not_there_is_found_before_a_sweep() -> None:
    assert "did you mean seed?" in unknown_setting("train", ["steps=1,2", "seedd=1,2"])
    swept = ["architecture=bert,static", "seed=1,2", "+weights.x=1", "hydra/launcher=basic"]
    assert unknown_setting("train", swept) == ""
