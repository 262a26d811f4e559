"""Answers in text without spaces."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.matching.answer_matching import has_answer, matches, prepare_answers, prepare_passage
from eval.matching.character_tokens import has_characters_alone, join_character_tokens
from eval.matching.first_hits import HitFinder
from spider.question import Question, QuestionSet
from spider.text.dpr_tokens import join_tokens

PASSAGES = [
    ("北京", "中国的首都是北京。长江流入东海。", True),
    ("東京", "東京は日本の首都である。", True),
    ("サーバー", "このサーバーは古い", True),
    ("東京", "京東は会社である。", False),
    ("か", "がく", False),
    ("서울", "서울은 대한민국의 수도이다.", True),
    ("가", "각도", False),
    ("กรุงเทพ", "เมืองหลวงคือกรุงเทพครับ", True),
    ("ວຽງຈັນ", "ນະຄອນຫຼວງວຽງຈັນແມ່ນ", True),
    ("ភ្នំពេញ", "ទីក្រុងភ្នំពេញគឺជា", True),
    ("iPhone 15", "苹果的iPhone 15很贵", True),
    ("café", "在Cafe\u0301里", True),
    ("15", "他有150元", False),
]


@pytest.mark.parametrize(("answer", "text", "found"), PASSAGES)
def test_answers_inside_text_without_spaces(answer: str, text: str, found: bool) -> None:
    prepared = prepare_answers([answer], "string", "characters")
    for form in ("NFC", "NFD"):
        passage = prepare_passage(unicodedata.normalize(form, text), "string", "characters")
        assert matches(prepared, passage) == found
    if found and has_characters_alone(answer):
        # published figures depend on DPR's rule, so it stays
        assert not has_answer([answer], text)


@given(st.text(alphabet=st.characters(max_codepoint=0x0DFF), max_size=60))
def test_other_scripts_have_dprs_tokens(text: str) -> None:
    assert join_character_tokens(text) == join_tokens(text)


def test_a_report_counts_such_answers(make_corpus) -> None:
    corpus = make_corpus([("", ["中国的首都是北京。", "Paris"])])
    questions = (
        Question(id="a", text="?", answers=("北京",)),
        Question(id="b", text="?", answers=("Paris",)),
    )
    asked = QuestionSet(name="s", questions=questions)
    positions = np.array([[0, 1], [0, 1]])
    dpr, characters = HitFinder(asked, corpus), HitFinder(asked, corpus, "characters")
    assert dpr.relevance(positions).tolist() == [[False, False], [False, True]]
    assert dpr.counts()["questions_with_answer_without_spaces"] == 1
    assert characters.relevance(positions).tolist() == [[True, False], [False, True]]
    assert "questions_with_answer_without_spaces" not in characters.counts()
