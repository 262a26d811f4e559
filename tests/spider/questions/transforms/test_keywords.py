import pytest

from spider.errors import ConfigError
from spider.questions.transforms.keywords import Keywords
from tests.spider.questions.transforms.span_passages import of, query


def test_keywords_are_the_rarest() -> None:
    assert query(Keywords(minimum=3, maximum=3), of()).text == "stone opened 1849"


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="minimum"):
        Keywords(minimum=0)
