"""DetailsRecord: the base of the typed, validated records of an artifact's details.

A kind of artifact is one file of that name in :mod:`spider.artifacts.records`. The file says which
verb writes the kind (``WRITER``), and defines a frozen dataclass for the manifest's ``details``,
which also declares the kind's files (``PAYLOAD``).
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from spider.artifacts.artifact import Artifact
from spider.artifacts.folder.file_table import EVERYTHING
from spider.errors import ArtifactError

# typing.Self means the same, but beartype refuses it in a class that it does not decorate
Record = TypeVar("Record", bound="DetailsRecord")


class DetailsRecord:
    """Base of the frozen dataclasses that read and write a manifest's ``details``.

    Fields are ``int``, ``float``, ``bool``, ``str``, a ``Literal`` of strings, ``tuple[str, ...]``,
    a ``Mapping``, another record, or one of these or None. A field whose default is None is left
    out of the JSON where it is None; a field without a default is always there.
    """

    KIND: ClassVar[str] = ""
    #: the files of an artifact of the kind; see :func:`spider.artifacts.folder.file_table.matches`
    PAYLOAD: ClassVar[tuple[str, ...]] = (EVERYTHING,)

    @classmethod
    def from_manifest(cls: type[Record], artifact: Artifact) -> Record:
        """Read the details of an opened artifact.

        Raises:
            ArtifactError: the artifact is of another kind, or its details do not fit.
        """
        if artifact.kind != cls.KIND:
            raise ArtifactError(
                f"{artifact.path}: this is a {artifact.kind} artifact, expected a {cls.KIND}"
            )
        return cls.from_details(artifact.details, where=artifact.path)

    @classmethod
    def from_details(cls: type[Record], details: Mapping[str, Any], *, where: Path | str) -> Record:
        """Read a JSON object.

        Args:
            details: the JSON object.
            where: the artifact, for errors.

        Raises:
            ArtifactError: an entry is missing, unknown, or of another type.
        """
        return cls._read(details, f"{where}: details")

    def to_details(self) -> dict[str, Any]:
        """Return the JSON object that :meth:`from_details` reads."""
        found = {}
        for entry in _entries(type(self)):
            value = getattr(self, entry.name)
            if value is None and entry.default is None:
                continue
            found[entry.name] = _to_json(value)
        return found

    @classmethod
    def _read(cls: type[Record], details: Mapping[str, Any], where: str) -> Record:
        entries = {entry.name: entry for entry in _entries(cls)}
        unknown = sorted(details.keys() - entries.keys())
        if unknown:
            raise ArtifactError(
                f"{where} hold unknown entries {unknown}, expected some of {list(entries)}; make "
                "the artifact again, or use the version that made it"
            )
        hints = get_type_hints(cls)
        values = {}
        for name, entry in entries.items():
            if name in details:
                values[name] = _from_json(details[name], hints[name], f"{where}.{name}")
            elif entry.default is MISSING:
                raise ArtifactError(f"{where} lack {name!r}; make the artifact again")
        return cls(**values)


def _entries(record: type[DetailsRecord]) -> tuple[Field[Any], ...]:
    return fields(record)  # type: ignore[arg-type]


def _from_json(value: Any, hint: Any, where: str) -> Any:
    """Return a value of the annotated type.

    Raises:
        ArtifactError: the JSON value has another type.
    """
    for option in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if isinstance(option, type) and issubclass(option, DetailsRecord):
            if isinstance(value, Mapping):
                return option._read(value, where)
        elif _fits(value, option):
            return tuple(value) if get_origin(option) is tuple else value
    raise ArtifactError(
        f"{where}: got {value!r}, expected {_in_words(hint)}; make the artifact again"
    )


def _fits(value: Any, option: Any) -> bool:
    origin = get_origin(option)
    if origin is Literal:
        return value in get_args(option)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return option is bool
    return isinstance(value, (int, float) if option is float else origin or option)


def _in_words(hint: Any) -> str:
    if isinstance(hint, type) and get_origin(hint) is None:
        return "an object" if issubclass(hint, DetailsRecord) else hint.__name__
    return str(hint).replace("typing.", "").replace("collections.abc.", "")


def _to_json(value: Any) -> Any:
    if isinstance(value, DetailsRecord):
        return value.to_details()
    if isinstance(value, Mapping):
        return {name: _to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value
