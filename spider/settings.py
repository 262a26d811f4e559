"""Roles of settings: whether a setting decides an output's content, or only how a run is done.

A setting is a field of a settings dataclass, or a keyword argument of a variant's constructor. Its
annotation states its role, and nothing else does: what is not marked is part of the content.
"""

from typing import Annotated, TypeVar

Value = TypeVar("Value")
EXECUTION = "execution"
"""The mark within an annotation; :mod:`spider.launch.typed.content` looks for it."""

Execution = Annotated[Value, EXECUTION]
"""``device: Execution[str]``: another value gives the same content (devices, processes, paths).

Artifacts that a verb reads are paths too: the manifest records the hashes of what they hold.
"""
