"""The state of a source, by which a stage finds out whether its output is up to date."""

from typing import Any


def fingerprint_of(source: object) -> Any:
    """Return ``source.fingerprint()``; None for a source without this method."""
    take = getattr(source, "fingerprint", None)
    return None if take is None else take()


def without_place(resolved: dict[str, Any], group: str) -> tuple[dict[str, Any], Any]:
    """Remove a variant's ``path`` from the settings: a moved folder has the same content.

    Returns:
        the settings without it, and the path.
    """
    variant = dict(resolved.get(group) or {})
    place = variant.pop("path", None)
    return ({**resolved, group: variant} if group in resolved else dict(resolved)), place
