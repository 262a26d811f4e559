import pytest

from spider.errors import ConfigError
from spider.launch.composition import compose_verb, plain


def test_needed_setting_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"^setting data must be given: data=VALUE$"):
        plain(compose_verb("pipeline", ["pipeline=wiki"]))


@pytest.mark.parametrize(("full", "expected"), [("true", None), ("false", 100)])
def test_either_chooses_by_a_setting(full: str, expected: int | None) -> None:
    values = plain(compose_verb("pipeline", ["pipeline=wiki", "data=x", f"full={full}"]))
    stage = values["pipeline"]["stages"]["read_EntityQuestions"]
    assert stage["settings"]["question_set.questions_per_relation"] == expected
    assert stage["settings"]["question_set.path"] == "x/qa/entityquestions-dev"
