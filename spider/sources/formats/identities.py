"""Ids of rows: those that the rows have, else ids made from their content."""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from spider.printable import counted
from spider.sources.formats.fields import find_field, has_field, id_field

USUAL = ("id", "_id")
DIGEST_BYTES = 10

logger = logging.getLogger(__name__)


class RowIds:
    """Gives each row its id.

    An id that is made from title and text stays the same if rows are added, deleted or reordered.
    Rows with the same title and text get the endings ``-2``, ``-3`` and so on.

    Args:
        field: the field of the id, which every row must have; null takes ``id`` or ``_id``, and
            makes an id for a row that has neither.
        setting: the setting that names the field, for messages.
    """

    def __init__(self, field: str | None, setting: str):
        self._field = field
        self._setting = setting
        self._made: Counter[bytes] = Counter()

    def id_of(self, record: Mapping[str, Any], title: str, text: str) -> str:
        """Return the id of a row.

        Raises:
            ValueError: the field is missing, or is not an id.
        """
        if self._field is not None:
            return id_field(record, self._field, setting=self._setting)
        for name in USUAL:
            if has_field(record, name) and find_field(record, name) is not None:
                return id_field(record, name)
        content = f"{title}\0{text}".encode(errors="surrogatepass")
        digest = hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
        self._made[digest] += 1
        number = self._made[digest]
        return digest.hex() if number == 1 else f"{digest.hex()}-{number}"

    @property
    def made(self) -> int:
        """Number of ids that were made."""
        return self._made.total()

    def tell(self) -> None:
        """Log how many ids were made, and how to name the field that has them."""
        if self.made:
            logger.warning(
                "%s without an id, which is made from title and text; %s=NAME takes a field",
                counted(self.made, "row"),
                self._setting,
            )
