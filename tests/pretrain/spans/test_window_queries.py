from pretrain.spans.window_queries import passage_words


def test_punctuation_is_no_word():
    text = "Aaron's (Levite) staff - 7 東京!"
    words = passage_words(text)
    found = [text[a:b] for a, b in zip(words.starts, words.ends, strict=True)]
    assert found == ["Aaron", "'s", "Levite", "staff", "7", "東", "京"]
