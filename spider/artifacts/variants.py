"""Finds the variant that a manifest names: a module with ``load`` in its family's package."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spider.errors import ArtifactError


def variant_of(details: Mapping[str, Any], *, where: Path | str) -> str:
    """Return the variant that a part's details in a manifest name.

    Raises:
        ArtifactError: they name no variant.
    """
    variant = details.get("variant")
    if not isinstance(variant, str):
        raise ArtifactError(
            f"{where}: got variant {variant!r}, expected the name of one; make the artifact again"
        )
    return variant


def load_variant(
    package: str, variant: str, *, what: str, where: Path | None = None
) -> Callable[..., Any]:
    """Return the ``load`` function of a variant's file.

    Args:
        package: the family, such as ``index.dense``.
        variant: the file's name in it, from a manifest, so it is checked.
        what: the family as errors call it.
        where: the artifact that is opened, for errors.

    Raises:
        ArtifactError: the family has no such file, or the file has no ``load``. If a library that
            the file imports is missing, this is a normal ``ImportError``.
    """
    name = f"{package}.{variant}"
    module = import_module(name) if variant.isidentifier() and find_spec(name) else None
    load: Callable[..., Any] | None = getattr(module, "load", None)
    if load is None:
        place = "" if where is None else f"{where}: "
        raise ArtifactError(
            f"{place}no {what} variant {variant!r} in this version; make it again, or use the "
            "version that made it"
        )
    return load
