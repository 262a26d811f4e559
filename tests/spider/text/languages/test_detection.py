import pytest

from spider.text.languages.detection import detect_language
from spider.text.languages.words import LANGUAGES

TEXTS = {
    "en": "The lock is released when the thread that holds it leaves the block of the statement.",
    "de": "Die Sperre wird wieder frei, wenn der Thread, der sie hält, den Block verlässt.",
    "fr": "Le verrou est libéré quand le fil qui le tient quitte le bloc de la fonction.",
    "es": "El bloqueo se libera cuando el hilo que lo tiene sale del bloque de la función.",
    "it": "Il blocco è rilasciato quando il filo che lo tiene lascia il corpo della funzione.",
}


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_each_language_is_found(name: str) -> None:
    assert detect_language(TEXTS[name]) is LANGUAGES[name]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = f(y)\nz = g(x, y)",
        "線形代数の基礎を学ぶ",
        "Быстрая лиса прыгает",
        "12 34 56 78",
        "— …",
    ],
)
def test_no_known_language(text: str) -> None:
    assert detect_language(text) is None
