import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.text.cloze.questions import cloze_question
from spider.text.languages.words import LANGUAGES


def ask(text: str, span: str, language: str = "en") -> tuple[str, str]:
    start = text.index(span)
    made = cloze_question(text, (start, start + len(span)), LANGUAGES[language])
    assert made is not None
    return made.text, made.kind


@pytest.mark.parametrize(
    ("text", "span", "question", "kind"),
    [
        (
            "The old bridge was opened by Queen Victoria in 1849.",
            "Queen Victoria",
            "who the old bridge was opened by in 1849?",
            "person",
        ),
        (
            "It failed. Marie Curie won the Nobel Prize twice in her life. She was glad.",
            "Marie Curie",
            "who won the Nobel Prize twice in her life?",
            "person",
        ),
        (
            "He settled with his whole family in New Orleans after the war.",
            "New Orleans",
            "where he settled with his whole family after the war?",
            "place",
        ),
        (
            "The first railway of the country was built in March 1837 by the state.",
            "March 1837",
            "when the first railway of the country was built by the state?",
            "time",
        ),
        (
            "The army of the king lost three thousand men on a single day.",
            "three thousand",
            "how many the army of the king lost men on a single day?",
            "number",
        ),
        (
            "A generator returns control to the caller with the yield statement each time.",
            "yield statement",
            "what a generator returns control to the caller with the each time?",
            "thing",
        ),
        (
            "In the end he studied at Harvard University for a long time.",
            "Harvard University",
            "where in the end he studied for a long time?",
            "place",
        ),
    ],
)
def test_english_by_hand(text: str, span: str, question: str, kind: str) -> None:
    assert ask(text, span) == (question, kind)


@pytest.mark.parametrize(
    ("language", "text", "span", "question"),
    [
        (
            "de",
            "Die alte Brücke wurde im Jahr 1849 von der Stadt gebaut.",
            "Jahr 1849",
            "wann die alte Brücke wurde von der Stadt gebaut?",
        ),
        (
            "fr",
            "Le vieux pont de la ville fut ouvert par Marie Curie avant la guerre.",
            "Marie Curie",
            "qui le vieux pont de la ville fut ouvert par avant la guerre?",
        ),
        (
            "es",
            "El primer ferrocarril del país fue construido en Nueva Granada por el estado.",
            "Nueva Granada",
            "dónde el primer ferrocarril del país fue construido por el estado?",
        ),
        (
            "it",
            "Il re perse tremila uomini, cento cavalli e due navi in un solo giorno.",
            "cento cavalli",
            "quanti e due navi in un solo giorno?",
        ),
    ],
)
def test_other_languages_by_hand(language: str, text: str, span: str, question: str) -> None:
    assert ask(text, span, language)[0] == question


def test_a_title_before_a_full_stop_ends_no_sentence() -> None:
    text = "In that year Dr. Smith and J. R. Brown founded the first clinic of the town."
    assert ask(text, "first clinic")[0] == (
        "what in that year Dr. Smith and J. R. Brown founded the of the town?"
    )


def test_a_long_sentence_gives_its_clause() -> None:
    text = (
        "Although the weather had been bad for many days and nobody went out, the captain ordered "
        "the crew to leave the small harbour at once; later he regretted it."
    )
    question, _ = ask(text, "small harbour")
    assert question == "what the captain ordered the crew to leave the at once?"


def test_nothing_besides_the_span_gives_no_question() -> None:
    assert cloze_question("Queen Victoria.", (0, 14), LANGUAGES["en"]) is None
    assert cloze_question("", (0, 0), LANGUAGES["en"]) is None


@given(st.text(max_size=200), st.data(), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_and_range(text: str, data: st.DataObject, language: str) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    made = cloze_question(text, (start, end), LANGUAGES[language])
    assert made is None or made.text.endswith("?")
