from collections.abc import Iterator

from spider.corpus.document import Document
from spider.sources.document_source import DocumentSource, FileSource, skipped_by


class Least:
    counts: dict[str, int] = {}  # noqa: RUF012

    def documents(self) -> Iterator[Document]:
        yield Document(id="a", title="", text="words")


class Reporting(Least):
    skipped = {"empty": {"count": 1}}  # noqa: RUF012


def test_the_least_source_is_one_but_reads_no_files() -> None:
    assert isinstance(Least(), DocumentSource)
    assert not isinstance(Least(), FileSource)


def test_a_source_need_not_report_what_it_skips() -> None:
    assert skipped_by(Least()) == {}
    assert skipped_by(Reporting()) == {"empty": {"count": 1}}
