"""Crash states of the artifact writer; ``make attack`` enumerates all of them."""

from pathlib import Path

import pytest

from tests.attack import attack_run, crash_states

#: of the states of a writer one in so many is attacked here
STRIDE = 11


@pytest.mark.parametrize("name", ["plain, replacing", "sharded, first"])
def test_after_a_kill_nothing_is_lost_and_the_same_bytes_are_made(
    name: str, tmp_path: Path
) -> None:
    found = attack_run.crash_situation(name, tmp_path, stride=STRIDE)
    assert found["attacks"] > 10
    assert not found["failures"], found["failures"]


def test_a_writer_that_does_not_flush_is_caught(tmp_path: Path) -> None:
    """The attack itself can fail: a shard whose files are not flushed is torn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spider.artifacts.shards.flush_tree", lambda _: None)
        found = attack_run.crash_situation("sharded, first", tmp_path, stride=5)
    assert found["failures"]


def test_a_state_knows_what_was_not_flushed(tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()

    def write(desk: Path) -> None:
        (desk / "a").write_text("a")
        (desk / "b").write_text("b")

    states = crash_states.enumerate_states(write, tmp_path / "start", tmp_path)
    assert states[-1].unflushed == ("a", "b")
    assert len(list(crash_states.tears(states[-1]))) == 4
