import math

import pytest

from pretrain.training.settings import ContrastiveSettings
from spider.errors import SettingError


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"vocabulary_passages": 0}, "vocabulary_passages"),
        ({"weights": {"title": -0.5}}, "weights.title"),
        ({"weights": {"title": math.nan}}, "weights.title"),
    ],
)
def test_a_bad_value_is_named_by_its_key(values: dict[str, object], key: str) -> None:
    with pytest.raises(SettingError) as caught:
        ContrastiveSettings(architecture=None, pairings={}, **values)  # type: ignore[arg-type]
    assert caught.value.key == key


def test_a_pairing_may_have_no_weight() -> None:
    settings = ContrastiveSettings(architecture=None, pairings={}, weights={"title": 0.0})
    assert settings.weights == {"title": 0.0}
