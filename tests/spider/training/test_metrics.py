from pathlib import Path

import pytest

from spider.training.metrics import METRICS, MetricsLog, read_metrics


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, resume_step=0)
    for step in range(1, 6):
        log.write(step, "train", {"loss": float(step)})
    log.close()
    with (tmp_path / METRICS).open("a", encoding="utf-8") as file:
        file.write('{"step": 6, "spl')  # torn by a kill

    resumed = MetricsLog(tmp_path, resume_step=3)
    resumed.write(4, "train", {"loss": 40.0})
    resumed.close()

    measured = [(line["step"], line["loss"]) for line in read_metrics(tmp_path)]
    assert measured == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0)]


def test_not_a_number_never_reaches_the_file(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, resume_step=0)
    with pytest.raises(ValueError):
        log.write(1, "train", {"loss": float("nan")})
    log.close()
