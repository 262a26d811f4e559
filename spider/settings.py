"""Roles of settings: whether a setting decides an output's content, or only how a run is done.

A setting is a field of a settings dataclass, or a keyword argument of a variant's constructor. Only
its annotation states its role: a setting without a mark is part of the content.
"""

from typing import Annotated, TypeVar

Value = TypeVar("Value")
EXECUTION = "execution"
"""The mark in an annotation; :mod:`spider.launch.typed.content` searches for it."""

Execution = Annotated[Value, EXECUTION]
"""``device: Execution[str]``: another value gives the same content (devices, processes, paths).

Artifacts that a verb reads are paths too: the manifest records their content hashes.
"""
