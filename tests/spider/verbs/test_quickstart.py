import pytest

from spider.errors import SettingError
from spider.verbs.quickstart import QuickstartSettings


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("inf")])
def test_a_training_time_has_to_be_above_zero(minutes: float) -> None:
    with pytest.raises(SettingError, match="setting minutes"):
        QuickstartSettings(documentation={}, own_files={}, minutes=minutes)
