"""Removes the words that make a sentence a question, which say nothing about its subject.

"How do I read a file?" asks about "read a file". A passage that answers it seldom holds "how" or
"do", so these words are rare in a corpus, and BM25 gives them a high weight. Each language has a
list. A list is used only where the text opens as a question of that language, so a title such as
"The Who" is kept whole, and so is a query that is no sentence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import regex

from spider.text.folding import fold_case, strip_diacritics

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}]+)*")
_APOSTROPHE = str.maketrans("’", "'")
_QUOTED = regex.compile(r"\"[^\"]*+\"|“[^”]*+”|„[^“”]*+[“”]|«[^»]*+»|`[^`]*+`")
_QUESTION_MARKS = "?？؟"


class QuestionLanguage(NamedTuple):
    """The question words of a language.

    Attributes:
        opening: a sentence that begins with one of these, alone or after a preposition, is a
            question.
        prepositions: may come before an opening word ("in which year").
        dropped: are removed from a question, apart from the opening words.
    """

    opening: frozenset[str]
    prepositions: frozenset[str]
    dropped: frozenset[str]


def _plain(word: str) -> str:
    """Return the form in which words are compared: people type "que" for "qué"."""
    return strip_diacritics(fold_case(word.translate(_APOSTROPHE)))


def _language(opening: str, prepositions: str, dropped: str) -> QuestionLanguage:
    lists = (opening, prepositions, dropped)
    return QuestionLanguage(*(frozenset(map(_plain, words.split())) for words in lists))


LANGUAGES = {
    "en": _language(
        """what which who whom whose when where why how what's who's where's when's how's why's
        what're who're whats whos""",
        "in on at to for from of by with under during after before into about through since until",
        """do does did done is are was were am be been being can could should would shall might must
        has have had having i me my we our you your he she they it one there that the
        a an this these those to of in on at for from by with and or if as so than then
        don't doesn't didn't isn't aren't wasn't can't couldn't won't it's i'm i'd there's""",
    ),
    "de": _language(
        """was wer wem wen wessen wann wo wohin woher warum wieso weshalb wie welche welcher welches
        welchem welchen wofür womit worüber wozu worin""",
        "in im an am auf aus bei mit nach seit von vom zu zum zur unter durch für um",
        """ist sind war waren bin sein wird werden wurde wurden kann können könnte soll sollte muss
        müssen darf dürfen hat haben hatte habe ich mir mich mein meine wir uns man es er sie du der
        die das den dem des ein eine einen einem einer eines und oder in im an am auf aus bei mit
        nach von vom zu zum zur für um""",
    ),
    "fr": _language(
        """que quel quelle quels quelles qui quoi quand où pourquoi comment combien lequel laquelle
        qu'est-ce qu'est qu'a qu'ont""",
        "à de en dans sur pour par avec sous depuis chez vers d",
        """est-ce est sont était étaient sera peut peuvent peux puis doit dois doivent faut a ont ai
        avait je me mon ma mes nous on notre nos vous votre il elle ils elles ce c'est se le la les
        l'on un une des du de et ou à en dans sur pour par avec qui que""",
    ),
    "es": _language(
        "qué quién quiénes cuál cuáles cuándo dónde adónde cómo cuánto cuánta cuántos cuántas",
        "a de en con por para sobre desde hasta",
        """es son era eran fue fueron será está están puede puedo pueden debe debo hay ha han se me
        mi mis nos nuestro yo usted su sus el la los las lo un una unos unas y o de del a al en con
        por para que""",
    ),
    "it": _language(
        """che cosa chi quale quali quando dove perché come quanto quanta quanti quante cos'è dov'è
        com'è""",
        "a di in con per su da tra fra",
        """è sono era erano fu furono sarà può posso possono deve devo ha hanno ho si mi mio mia ci
        nostro il lo la i gli le un uno una e o di del della dei delle a al alla in nel nella con
        per su da che""",
    ),
    "pt": _language(
        "que quem qual quais quando onde aonde como quanto quanta quantos quantas porque",
        "a de em com por para sobre desde até no na",
        """é são era eram foi foram será está estão pode posso podem deve devo há tem têm se me meu
        minha nos nosso eu você o a os as um uma e ou de do da dos das em no na nos nas com por para
        que""",
    ),
    "nl": _language(
        "wat wie wiens wanneer waar waarom hoe welk welke waarmee waarin hoeveel",
        "in op aan bij met na van voor uit tot onder om naar",
        """is zijn was waren ben wordt worden werd werden kan kun kunnen kon zou zal moet moeten mag
        heeft heb hebben had ik mij me mijn wij we ons je jij het hij zij ze de een er en of in op
        aan bij met na van voor uit tot om te naar""",
    ),
    "ru": _language(
        """что кто кого кому чей чья чьё когда где куда откуда почему зачем как какой какая какое
        какие какого каком какую сколько который которая""",
        "в во на о об с со из от до для по при под за у к",
        "ли же бы это есть был была было были я мне мой моя мы нам наш он она они и или в на с по",
    ),
}  # fmt: skip


def without_question_words(text: str) -> str:
    """Return a question without the words that make it one; any other text is returned unchanged.

    A word inside the sentence that begins with a capital letter is kept, since it is part of a name
    ("The Who", "Can"), and so is a word between quotation marks. A question of nothing but such
    words is returned unchanged too.

    Args:
        text: what a person typed.
    """
    words = list(_WORD.finditer(text))
    plain = [_plain(word.group()) for word in words]
    language = _language_of(text, plain)
    if language is None:
        return text
    removed = language.opening | language.dropped
    shouted = text.isupper()
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    dropped = [
        word
        for number, word in enumerate(words)
        if plain[number] in removed
        and not any(start <= word.start() < end for start, end in quoted)
        and (number == 0 or len(word.group()) == 1 or not word.group()[0].isupper() or shouted)
    ]
    if len(dropped) == len(words):
        return text
    # cut out of the text, since "os.path" or "C++" is one term together with its signs
    begins = [0, *(word.end() for word in dropped)]
    ends = [*(word.start() for word in dropped), len(text)]
    return " ".join(" ".join(text[b:e] for b, e in zip(begins, ends, strict=True)).split())


def _language_of(text: str, plain: Sequence[str]) -> QuestionLanguage | None:
    """Return the language in which the text opens as a question, the likeliest one of several."""
    asked = text.rstrip().endswith(tuple(_QUESTION_MARKS))
    found = [one for one in LANGUAGES.values() if _opens(plain, one, asked=asked)]
    # max takes the first of equals, so the order of LANGUAGES decides
    return max(found, key=lambda one: _hits(plain, one), default=None)


def _opens(plain: Sequence[str], language: QuestionLanguage, *, asked: bool) -> bool:
    first, second = (*plain[:2], "", "")[:2]
    if first in language.opening:
        return True
    if first in language.prepositions and second in language.opening:
        return True
    # "can I", "is there": an auxiliary verb needs a function word after it, or a question mark
    if first in language.dropped and (asked or second in language.dropped):
        return True
    return asked and any(word in language.opening for word in plain)


def _hits(plain: Sequence[str], language: QuestionLanguage) -> int:
    return sum(word in language.opening or word in language.dropped for word in plain)
