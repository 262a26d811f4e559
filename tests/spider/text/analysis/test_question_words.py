import pytest

from spider.text.analysis.question_words import LANGUAGES, without_question_words


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        ("How do I read a file?", "read file?"),
        ("what is the GIL", "GIL"),
        ("in which year was Will Smith born", "year Will Smith born"),
        ("Who sings in The Who?", "sings The Who?"),
        ("What’s a lock?", "lock?"),
        ("Can I sort a list", "sort list"),
        ('Which method is asked by the "in" operator?', 'method asked "in" operator?'),
        ("where is os.path in C++?", "os.path C++?"),
        ("WHO IS WHO IN PARIS", "PARIS"),
        ("Was ist eine Sperre?", "Sperre?"),
        ("Wie öffne ich die Datei?", "öffne Datei?"),
        ("¿Cómo puedo leer un archivo?", "¿ leer archivo?"),
        ("que es un candado", "candado"),
        ("Comment lire un fichier ?", "lire fichier ?"),
        ("Come si legge un file?", "legge file?"),
        ("O que é um bloqueio?", "bloqueio?"),
        ("wat is een slot?", "slot?"),
        ("Как прочитать файл?", "прочитать файл?"),
    ],
)
def test_a_question_keeps_its_subject(typed: str, searched: str) -> None:
    assert without_question_words(typed) == searched


@pytest.mark.parametrize(
    "typed",
    [
        "The Who discography",
        "die hard",
        "is operator python",
        "lock of a thread",
        "who is who",
        "what",
        "",
        "   ",
        "?!",
        "什么是锁？",
        "a\nnew line",
    ],
)
def test_what_is_no_question_is_not_changed(typed: str) -> None:
    assert without_question_words(typed) == typed


def test_lists_hold_single_words_in_their_compared_form() -> None:
    for language in LANGUAGES.values():
        for words in language:
            assert words
            assert all(word == word.casefold() and " " not in word for word in words)
