import pytest

from spider.sources.extraction.decoding import SNIFFED, decode
from spider.sources.extraction.extracted import NotExtractedError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding):
    assert decode("é🦎\r\nb\rc".encode(encoding)) == "é🦎\nb\nc"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\0\0", "binary"),
        (b"caf\xe9", "not_utf8"),
        (b"\xff\xfea\xd8\0", "not_utf8"),
    ],
)
def test_what_is_no_text(data, reason):
    with pytest.raises(NotExtractedError, match=reason):
        decode(data)


def test_a_zero_byte_counts_only_at_the_beginning() -> None:
    assert decode(b"a" * SNIFFED + b"\0").endswith("\0")
