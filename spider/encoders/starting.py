"""Checks the encoder that a pipeline is to begin with, before any document is read."""

from spider.encoders.start.names import AUTO, STATIC, check_start_name
from spider.encoders.start.wheel import installed_encoder, installed_name


def check_start(start: str) -> None:
    """Refuse a start that cannot be used, before documents are read.

    Raises:
        SettingError: it has no name.
        DataError: there is no such folder, and the hub gives no such name.
        CheckpointError: it is of an unknown kind, or damaged.
        ConfigError: its weights do not fit in memory.
    """
    check_start_name(start)
    if start == STATIC:
        return
    if start != AUTO:
        # its kind is read with libraries that a start from scratch does not need
        from spider.encoders.bert import BertSettings

        BertSettings(start=start).check()
    elif (name := installed_name()) is not None:
        installed_encoder(name)
