"""The setting ``start``, before anything is read."""

import pytest

import spider.encoders.start.names as module
from spider.encoders.start.names import check_start_name, start_of
from spider.encoders.starting import check_start
from spider.errors import SettingError


@pytest.mark.parametrize("start", ["auto", "static", "x", "./x"])
def test_a_name_is_enough_at_first(start: str) -> None:
    check_start_name(start)


@pytest.mark.parametrize("start", ["", " "])
def test_no_name_is_refused(start: str) -> None:
    with pytest.raises(SettingError, match="setting start: got"):
        check_start(start)


def test_auto_means_the_installed_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_name", lambda: "owner/name")
    assert start_of("auto") == "owner/name"
    assert start_of("other") == "other"
    monkeypatch.setattr(module, "installed_name", lambda: None)
    assert start_of("auto") == ""
