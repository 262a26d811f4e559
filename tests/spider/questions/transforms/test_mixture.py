import numpy as np
import pytest

from spider.errors import ConfigError
from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.keywords import Keywords
from spider.questions.transforms.mixture import Mixture
from tests.spider.questions.transforms.span_passages import of


def test_a_mixture_takes_turns_and_keeps_both_kinds() -> None:
    mixture = Mixture(transforms=[Cloze(), Keywords(), Heading()])
    rng = np.random.default_rng(0)
    forms = {made.form for _ in range(30) if (made := mixture.span_query(of(), rng))}
    assert forms == {"cloze", "keywords"}
    assert mixture.document_queries("Ada", ["One.", "Two."])[0].form == "title"
    assert Mixture(transforms=[Heading()]).span_query(of(), rng) is None


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="transforms"):
        Mixture(transforms=[])
