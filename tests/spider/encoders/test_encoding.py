import pytest

from spider.encoders.encoding import EncodingSettings
from spider.errors import SettingError


def test_a_batch_has_a_token_or_the_devices_number() -> None:
    assert EncodingSettings().padded_tokens is None
    assert EncodingSettings(padded_tokens=1).padded_tokens == 1
    with pytest.raises(SettingError, match="padded_tokens: got 0, expected at least 1"):
        EncodingSettings(padded_tokens=0)
