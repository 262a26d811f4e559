"""Lists of stop words. Each belongs to one method, so they are not merged."""

_SPLINTER = """
ourselves hers between yourself but again there about once during out very having with they own an
be some for do its yours such into of most itself other off is s am or who as from him each the
themselves until below are we these your his through don nor me were her more himself this down
should our their while above both up to ours had she all no when at any before them same and been
have in will on does yourselves then that because what over why so can did not now under he you
herself has just where too only myself which those i after few whom t being if theirs my against a
by doing it how further was here than also could would
"""
SPLINTER = frozenset(_SPLINTER.split())
"""130 words of Spider's released ``preprocess_corpus.py``, which has them from Splinter.

A recurring span must not consist of these. The list is verbatim, because it decides which spans are
found.
"""

_LUCENE = """
a an and are as at be but by for if in into is it no not of on or such that the their then there
these they this to was will with
"""
LUCENE = frozenset(_LUCENE.split())
"""33 words of Lucene's English analyzer (``EnglishAnalyzer.ENGLISH_STOP_WORDS_SET``).

A BM25 index holds none of these. The list is verbatim, because scores depend on it.
"""

_NOT_HIGHLIGHTED = """
and are but did does for from had has have how into its not that the their them then there these
they this was were what when where which who whom whose why will with you your
"""
NOT_HIGHLIGHTED = frozenset(_NOT_HIGHLIGHTED.split())
"""Question words and function words of three letters or more, for the display of a passage.

Shorter words are never highlighted. "about", "before" or "over" are stop words for Splinter, but
they often carry the question, so they are highlighted.
"""
