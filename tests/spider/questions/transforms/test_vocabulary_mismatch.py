import numpy as np
import pytest

from spider.errors import ConfigError
from spider.questions.transforms.vocabulary_mismatch import VocabularyMismatch
from tests.spider.questions.transforms.span_passages import TEXT, of, query


def test_words_of_relevant_passages_are_left_out() -> None:
    passage = of(title="York", relevant=("Bridges were opening", "STONES"))
    none_shared = VocabularyMismatch(minimum=99, maximum=99, shared=0.0, titled=0.0)
    # "bridges", "opening" and "stones" have the stems of words of the passage
    assert query(none_shared, passage).text == "old wide river spring 1849"
    all_shared = VocabularyMismatch(minimum=99, maximum=99, shared=1.0, titled=1.0)
    assert query(all_shared, passage).text == (
        "York old stone bridge wide river opened spring 1849"
    )
    assert query(all_shared, of(title="Old Bridges")).text.startswith("old stone")


def test_no_word_is_left() -> None:
    passage = of(relevant=(TEXT,))
    assert VocabularyMismatch(shared=0.0).span_query(passage, np.random.default_rng(0)) is None


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="shared"):
        VocabularyMismatch(shared=1.5)
    with pytest.raises(ConfigError, match="titled"):
        VocabularyMismatch(titled=-0.1)
    with pytest.raises(ConfigError, match="minimum"):
        VocabularyMismatch(minimum=11)
