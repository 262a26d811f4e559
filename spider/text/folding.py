"""Unicode folding: the forms under which two spellings count as one."""

import unicodedata

import regex


def lower_code_point(character: str) -> str:
    """Lower one code point; one that lowers to several ("İ") is unchanged.

    So a folded text has as many code points as the text, and offsets stay valid.
    """
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def lower_each(text: str) -> str:
    """Lower each code point by itself, so a final sigma equals any other sigma."""
    return "".join(map(lower_code_point, text))


def decompose(text: str) -> str:
    """Return the canonical decomposition (NFD), in which an accent is a separate character.

    Source: DPR, ``dpr/data/qa_validation.py::_normalize``.
    """
    return text if text.isascii() else unicodedata.normalize("NFD", text)


def unify_forms(text: str) -> str:
    r"""Return a text in which equivalent and invisible forms of its characters are one form.

    Compatibility forms (NFKC: ligatures, full width, NFD) become plain ones. Characters that are
    invisible by default go: soft hyphens, zero-width characters, marks of direction. Apostrophes
    become ``'``, hyphens ``-`` and decimal digits ASCII's. A separator between thousands goes:
    1,250 is 1250.
    """
    if not text.isascii():
        # before NFKC, which turns a narrow space into an ordinary one and "´" into two characters
        text = _NARROW_SPACE.sub(",", text.translate(_SIGNS))
        text = _IGNORABLE.sub("", unicodedata.normalize("NFKC", text))
        text = _OTHER_DIGIT.sub(
            lambda match: str(unicodedata.decimal(match.group(), match.group())), text
        )
    joined: str = _GROUPED.sub(lambda match: match.group().replace(",", ""), text)
    return joined


def fold_case(text: str) -> str:
    """Fold case (ß is ss), and take Turkish "İ" and "ı" for "i"."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.casefold().replace("i\u0307", "i").replace("ı", "i"))


def strip_diacritics(text: str) -> str:
    """Remove marks that people leave out when they type, from a text whose case is folded.

    These are the accents of Latin and Greek, the stress marks and the points of "ё" in Cyrillic,
    the vowel points of Arabic and Hebrew. Other marks are parts of letters: the vowels of Indic
    scripts and of Thai, the voicing of kana, "й". Latin letters that have no decomposition (ø, ł,
    æ) become those of ASCII, and the variants of Arabic letters become one.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS))
    text = _DROPPED_MARK.sub("", text)
    return unicodedata.normalize("NFC", text)


_IGNORABLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\u0640\ufffe]+")
_OTHER_DIGIT = regex.compile(r"[\p{Nd}--[0-9]]", regex.VERSION1)
_NARROW_SPACE = regex.compile(r"(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_GROUPED = regex.compile(r"(?<![0-9.,'])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")
_SIGNS = dict.fromkeys(map(ord, "‘’‚‛′ʹʻʼʽˈ`´＇՚׳ꞌ\u055a"), "'")
_SIGNS |= dict.fromkeys(map(ord, "\u2010\u2011"), "-")
_DROPPED_MARK = regex.compile(
    r"(?<=[\p{Script=Latin}\p{Script=Greek}]\p{Mn}*)\p{Mn}+"
    r"|(?<=\p{Script=Cyrillic}\p{Mn}*)[\u0300\u0301\u0302\u0311\u033e\u0483-\u0487]"
    r"|(?<=\u0435)\u0308"
    r"|[\u05b0-\u05c7\u0591-\u05af\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8]",
    regex.VERSION1,
)
_PLAIN_LETTERS = str.maketrans(
    {
        "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe",
        "þ": "th", "ŋ": "n", "ĸ": "k", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ɖ": "d", "ƙ": "k",
        "ƴ": "y", "ŀ": "l", "ı": "i", "ȷ": "j",
        "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ۃ": "ه",
    }
)  # fmt: skip
