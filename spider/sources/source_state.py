"""The state of a source: a value that changes with its content, and its path."""

import os
from typing import Any


def fingerprint_of(source: object) -> Any:
    """Return ``source.fingerprint()``; None for a source without this method."""
    take = getattr(source, "fingerprint", None)
    return None if take is None else take()


def place_of(source: object) -> Any:
    """Return a source's ``path`` as a JSON value; None for a source that has none.

    The same documents under another path are the same content, so the path is not part of a content
    hash. It is recorded in the volatile part of the manifest, absolute where there is such a file
    or folder, so that it is found from another current folder too.
    """
    path = getattr(source, "path", None)
    if path is None:
        return None
    return [_absolute(one) for one in path] if isinstance(path, list | tuple) else _absolute(path)


def _absolute(path: Any) -> str:
    # Path.expanduser raises where ~NAME is no user; a name on a hub is no file
    place = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111
    return place if os.path.exists(place) else str(path)  # noqa: PTH110
