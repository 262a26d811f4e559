"""The setting ``start`` of a pipeline: a name, or how the encoder to begin with is chosen."""

from spider.errors import SettingError

AUTO, STATIC = "auto", "static"
"""Choose by what is installed and what it costs; train an encoder from scratch."""


def check_start_name(start: str) -> None:
    """Refuse a start without a name.

    Raises:
        SettingError: it is blank.
    """
    if not isinstance(start, str) or not start.strip():
        raise SettingError("start", start, "auto, static, or a transformer's folder or name")


def check_start(start: str) -> None:
    """Refuse a start that cannot be used, before documents are read.

    Raises:
        SettingError: it has no name.
        DataError: there is no such folder, and the hub gives no such name.
        CheckpointError: it is of an unknown kind, or damaged.
        ConfigError: its weights do not fit in memory.
    """
    check_start_name(start)
    from spider.encoders.start.wheel import installed_encoder, installed_name

    if start == STATIC:
        return
    if start != AUTO:
        # its kind is read with libraries that a start from scratch does not need
        from spider.encoders.bert import BertSettings

        BertSettings(start=start).check()
    elif (name := installed_name()) is not None:
        installed_encoder(name)
