import pytest

from eval.matching.answer_normalization import normalize_answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat's, pyjamas!", "cats pyjamas"),
        ("a an the", ""),
        # punctuation goes before articles: "a.b" is one word then
        ("a.b", "ab"),
        ("Theatre of the\tAbsurd", "theatre of absurd"),
        ("–dash–", "–dash–"),
    ],
)
def test_squad_normalisation(text: str, expected: str) -> None:
    assert normalize_answer(text) == expected
