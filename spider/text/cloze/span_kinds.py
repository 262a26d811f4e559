"""What a span names: a person, a place, a time, a number or a thing, by rules without a model."""

from typing import Literal

import regex

from spider.text.languages.words import LanguageWords

Kind = Literal["person", "place", "time", "number", "thing"]

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’]+")
_YEAR = regex.compile(r"1[0-9]{3}|20[0-9]{2}")
_INSTITUTIONS = """
university college school institute museum library church company corporation group band party union
association society committee council court army navy force forces war battle treaty act river lake
sea ocean mountain mountains island islands valley street bridge station airport park city
county state states province kingdom empire republic district league cup championship series award
awards prize festival album film game network system north south east west new united royal national
international government parliament universität schule kirche krieg fluss see stadt université
école église guerre ville universidad escuela iglesia guerra ciudad università scuola chiesa città
"""
_NOT_PEOPLE = frozenset(_INSTITUTIONS.split())
_PERSON_WORDS = 4


def span_kind(text: str, span: tuple[int, int], language: LanguageWords) -> Kind:
    """Return what a span of a text names.

    The rules, first one first: a month or a year is a time; digits and number words are a number;
    capitalised words after a preposition of place are a place; two to four capitalised words
    without a word of an institution or a place, or with a person's title, are a person; anything
    else is a thing. A language that capitalises every noun has persons only after a title.
    """
    words = _WORD.findall(text, *span)
    lowered = [word.lower() for word in words]
    content = [word for word in words if word.lower() not in language.function_words]
    before = _WORD.findall(text, max(0, span[0] - 40), span[0])
    previous = before[-1].lower() if before else ""
    months = [word for word in words if word.lower() in language.months and word[0].isupper()]
    if any(_YEAR.fullmatch(word) for word in words) or months:
        return "time"
    if content and all(w.isdigit() or w.lower() in language.numerals for w in content):
        return "number"
    if content and (content[0].isdigit() or lowered[0] in language.numerals):
        return "number"
    named = bool(content) and all(word[0].isupper() for word in content)
    if not named or any(word.isupper() and len(word) > 1 for word in content):
        return "thing"
    titled = previous in language.person_titles or lowered[0] in language.person_titles
    if titled:
        return "person"
    if previous in language.place_prepositions:
        return "place"
    # German capitalises every noun, so capital letters alone name no person
    if "der" in language.function_words and "und" in language.function_words:
        return "thing"
    people = 2 <= len(content) <= _PERSON_WORDS and len(content) == len(words)
    return "person" if people and not _NOT_PEOPLE.intersection(lowered) else "thing"
