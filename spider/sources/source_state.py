"""The state of a source: a value that changes with its content, and its path."""

from typing import Any


def fingerprint_of(source: object) -> Any:
    """Return ``source.fingerprint()``; None for a source without this method."""
    take = getattr(source, "fingerprint", None)
    return None if take is None else take()


def place_of(source: object) -> Any:
    """Return a source's ``path`` as a JSON value; None for a source that has none.

    The same documents under another path are the same content, so the path is not part of a content
    hash. It is recorded in the volatile part of the manifest.
    """
    path = getattr(source, "path", None)
    if path is None:
        return None
    return [str(one) for one in path] if isinstance(path, list | tuple) else str(path)
