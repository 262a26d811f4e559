"""What tells whether a source changed since it was read, apart from what it yields."""

from typing import Any


def fingerprint_of(source: object) -> Any:
    """Return ``source.fingerprint()``; None for a source whose settings say everything."""
    take = getattr(source, "fingerprint", None)
    return None if take is None else take()


def without_place(resolved: dict[str, Any], group: str) -> tuple[dict[str, Any], Any]:
    """Part a variant's ``path`` from the settings: equal text elsewhere is equal content.

    Returns:
        the settings without it, and the path.
    """
    variant = dict(resolved.get(group) or {})
    place = variant.pop("path", None)
    return ({**resolved, group: variant} if group in resolved else dict(resolved)), place
