from spider.text.cloze.sentences import clause_around, sentence_around

TEXT = "He met Dr. Smith. It was late, and the old town slept. Nobody saw it!"


def test_the_sentence_of_a_span() -> None:
    span = (TEXT.index("old town"), TEXT.index(" slept"))
    first, last = sentence_around(TEXT, span)
    assert TEXT[first:last] == "It was late, and the old town slept."
    assert sentence_around(TEXT, (3, 6)) == (0, len("He met Dr. Smith."))


def test_a_clause_grows_until_it_has_enough_words() -> None:
    span = (TEXT.index("old town"), TEXT.index(" slept"))
    sentence = sentence_around(TEXT, span)
    assert clause_around(TEXT, sentence, span) == sentence


def test_a_clause_of_many_words_is_cut_around_the_span() -> None:
    text = "one " * 30 + "span here" + " two" * 30
    span = (120, 129)
    first, last = clause_around(text, sentence_around(text, span), span)
    assert text[first:last].split() == ["one"] * 10 + ["span", "here"] + ["two"] * 10


def test_a_run_of_full_stops_ends_a_sentence_in_linear_time() -> None:
    text = "Ropes, nets, etc... The boat left."
    assert sentence_around(text, (0, 5)) == (0, text.index(" The"))
    # a table of contents; with the square of its length, this took 50 s
    leader = f"Knots{'.' * 200_000}12"
    assert sentence_around(leader, (0, 5)) == (0, len(leader))
