import logging

import pytest

from spider import progress as module
from spider.console import say, table
from spider.progress import Progress


def test_log_line_has_count_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO), Progress(total=100, unit="passages", label="embed") as bar:
        bar.resume_at(40)
        now[0] = 2.0
        bar.advance(10)
        now[0] = 12.0
        bar.advance(14, note="loss 0.5")
    # 24 of this run's own in 12 seconds; what an earlier run did says nothing about the rate
    assert [record.getMessage() for record in caplog.records] == [
        "embed: 64 of 100 passages, 2.00/s, loss 0.5, 0:18 left",
        "embed: 64 of 100 passages, 2.00/s",
    ]


def test_text_of_a_user_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say("[bold]not markup[/bold] :smile:")
    assert "[bold]not markup[/bold]" in capsys.readouterr().out
    table("t", ["system", "top-1"], [["[x]", "1.0"]], note="n")
    assert "[x]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("total", "unit", "shown"),
    [
        (1, "passages", "1 of 1 passage,"),
        (1, "queries", "1 of 1 query,"),
        (None, "word pieces", "1 word piece,"),
        (2, "passages", "1 of 2 passages,"),
        (1, "MiB", "1 of 1 MiB,"),
    ],
)
def test_one_thing_is_not_in_the_plural(total: int | None, unit: str, shown: str) -> None:
    progress = Progress(total=total, unit=unit, label="work")
    progress.advance()
    assert progress.state().startswith(shown)
