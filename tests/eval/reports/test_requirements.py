import pytest

from eval.reports.requirements import check_requirements, parse_requirements
from spider.errors import ConfigError, MetricMissedError

REPORT = {"systems": {"v1.5": {"top_20": {"value": 0.5}}, "bm25": {"top_20": {"value": 0.4}}}}
SYSTEMS, MEASURES = ["v1.5", "bm25"], ["top_20"]


def test_reached() -> None:
    for require in ({"v1.5.top_20": 0.5}, {"bm25": {"top_20": 0.4}}, {}):
        check_requirements(parse_requirements(require, SYSTEMS, MEASURES), REPORT)


def test_missed_ones_are_all_named() -> None:
    wanted = parse_requirements({"v1.5.top_20": 0.51, "bm25.top_20": 0.9}, SYSTEMS, MEASURES)
    with pytest.raises(MetricMissedError) as missed:
        check_requirements(wanted, REPORT)
    assert str(missed.value) == (
        "v1.5.top_20 is 0.5000, required 0.5100; bm25.top_20 is 0.4000, required 0.9000"
    )
    assert missed.value.exit_code == 6


@pytest.mark.parametrize(
    "require", [{"bm25.top_2": 0.1}, {"dense.top_20": 0.1}, {"top_20": 0.1}, {"bm25.top_20": 40.0}]
)
def test_typos_are_found_before_any_work(require) -> None:
    with pytest.raises(ConfigError, match="require"):
        parse_requirements(require, SYSTEMS, MEASURES)
