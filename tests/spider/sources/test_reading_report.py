from spider.corpus.document import Document
from spider.sources.reading_report import EXAMPLES, ReadingReport


def test_counts_by_hand() -> None:
    report = ReadingReport("files_read")
    assert report.counts == {"files_read": 0}
    report.add_read()
    report.add("title_alone", 2)
    report.skip("empty", "a.txt")
    report.skip("empty", "b.txt", hint="ignored: the first hint stands")
    report.skip("pdf", "c.pdf", hint="install it")
    assert report.counts == {
        "files_read": 1,
        "title_alone": 2,
        "skipped_empty": 2,
        "skipped_pdf": 1,
    }
    assert report.skipped == {
        "empty": {"count": 2, "hint": "", "examples": ["a.txt", "b.txt"]},
        "pdf": {"count": 1, "hint": "install it", "examples": ["c.pdf"]},
    }


def test_all_are_counted_and_the_first_thousand_named() -> None:
    report = ReadingReport()
    for number in range(EXAMPLES + 5):
        report.skip("empty", str(number))
    entry = report.skipped["empty"]
    assert entry["count"] == EXAMPLES + 5
    assert entry["examples"] == [str(number) for number in range(EXAMPLES)]


def test_rows_without_a_word_are_counted_and_left_out() -> None:
    report = ReadingReport()
    rows = [Document(id=name, title="t", text=text) for name, text in (("a", "x"), ("b", " \n"))]
    assert [row.id for row in report.with_text(rows)] == ["a"]
    assert report.counts == {"rows_read": 1, "skipped_empty": 1}
