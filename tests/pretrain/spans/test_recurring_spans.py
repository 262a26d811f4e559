import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.spans.recurring_spans import find_clusters
from pretrain.spans.recurring_spans_reference import find_clusters_reference
from pretrain.spans.span_filters import SpanFilter

PAPER = SpanFilter()
RELEASED = SpanFilter(maximum_words=9, last_token_allowed=False, stop_words="not_at_ends")
SHORT = SpanFilter(maximum_words=3, max_title_overlap=0.5)
MODES = pytest.mark.parametrize("mode", [PAPER, RELEASED, SHORT], ids=["paper", "released", "own"])


def fast(passages, span_filter, title=""):
    """The fast miner's clusters in the reference's form."""
    found, _ = find_clusters(passages, title=title, first_position=0, span_filter=span_filter)
    clusters, offset = [], 0
    for size in found.sizes:
        part = slice(offset, offset + int(size))
        offset += int(size)
        columns = (array[part].tolist() for array in found.occurrences)
        clusters.append(list(zip(*columns, strict=True)))
    assert offset == len(found.occurrences.positions)
    return clusters, found.words.tolist()


def slow(passages, span_filter, title=""):
    found = find_clusters_reference(passages, title=title, span_filter=span_filter)
    return [list(map(tuple, where)) for _, where in found], [len(span) for span, _ in found]


def spans(passages, span_filter, title=""):
    clusters, _ = fast(passages, span_filter, title)
    return [passages[where[0][0]][where[0][1] : where[0][2]] for where in clusters]


@st.composite
def documents(draw):
    vocabulary = draw(st.sampled_from(["ab", "abc", "abcdefgh"]))
    others = ["the", "of", "The", ",", "x9", "東京", "7"]
    word = st.sampled_from([*vocabulary, *vocabulary.upper(), *others])
    passage = st.lists(word, max_size=25).map(" ".join)
    return draw(st.lists(passage, max_size=6)), draw(st.lists(word, max_size=3).map(" ".join))


@MODES
@settings(max_examples=120, deadline=None)
@given(documents())
def test_equal_to_the_reference_on_synthetic_documents(mode, document):
    passages, title = document
    assert fast(passages, mode, title) == slow(passages, mode, title)


@MODES
def test_equal_to_the_reference_on_text_like_text(mode):
    rng = np.random.default_rng(7)
    phrases = [
        "the Treaty of Tordesillas", "King John II of Portugal", "a line of demarcation", "and",
        "in 1494", "the Pope's bull", "signed at Tordesillas", "of the", "well-known", "it was",
        "Spanish and Portuguese claims", "the Cape Verde islands.", "Ferdinand, Isabella",
    ]  # fmt: skip
    for _ in range(25):
        passages = [" ".join(rng.choice(phrases, size=20)) for _ in range(int(rng.integers(1, 9)))]
        assert fast(passages, mode, "Treaty of Tordesillas") == slow(
            passages, mode, "Treaty of Tordesillas"
        )


def test_modes_differ_by_hand():
    passages = [
        "He wrote for the bank of England",
        "She knew the bank of England",
        "Nothing here at all .",
    ]
    assert spans(passages, PAPER) == ["the bank of England"]
    # England is the passage's last token, and "the bank of" begins and ends with stop words
    assert spans(passages, RELEASED) == []
    ended = [f"{passage} ." for passage in passages]
    assert spans(ended, RELEASED) == ["bank of England"]


def test_ten_words_in_paper_and_nine_in_released():
    ten = "alfa bravo charlie delta echo foxtrot golf hotel india juliett"
    passages = [f"{ten} .", f"so {ten} !", "other words ."]
    assert spans(passages, PAPER) == [ten]
    assert spans(passages, RELEASED) == [ten.rsplit(" ", 1)[0], ten.split(" ", 1)[1]]


def test_shorter_span_survives_where_it_occurs_elsewhere_too():
    passages = ["x Yoko Ono Lennon .", "y Yoko Ono Lennon .", "z Yoko Ono .", "nothing ."]
    assert spans(passages, PAPER) == ["Yoko Ono", "Yoko Ono Lennon"]
    assert spans(passages[:2] + passages[3:], PAPER) == ["Yoko Ono Lennon"]


def test_span_without_a_negative_is_dropped():
    assert spans(["red fox .", "red fox ."], PAPER) == []
    assert spans(["red fox .", "red fox .", "blue cat ."], PAPER) == ["red fox"]


def test_spans_do_not_cross_passages_punctuation_or_odd_tokens():
    passages = ["big red", "fox big red", "fox, x", "fox , x", "a 3rd b", "a 3rd b", "none"]
    assert spans(passages, PAPER) == ["big red"]


def test_occurrences_are_code_points_of_the_passage():
    passages = ["«É» große Straße", "𝔘 GROSSE x große Straße große Straße", "nichts"]
    clusters, words = fast(passages, PAPER)
    assert words == [2]
    assert [passages[p][a:b] for p, a, b in clusters[0]] == ["große Straße"] * 3


def test_title_rule_is_off_unless_asked_for():
    passages = ["x Yoko Ono y", "z Yoko Ono v", "w"]
    assert spans(passages, PAPER, title="Yoko Ono") == ["Yoko Ono"]
    assert spans(passages, SHORT, title="Yoko Ono") == []


def test_nothing_in_nothing_out():
    for passages in ([], [""], ["", ""], ["one"]):
        assert fast(passages, PAPER) == ([], [])


def test_maximality_reaches_over_spans_that_are_not_accepted():
    # "central bank of" ends with a stop word, yet "central bank" has the longer span's occurrences
    passages = ["the central bank of England .", "a central bank of England .", "nothing ."]
    assert spans(passages, RELEASED) == ["central bank of England"]
