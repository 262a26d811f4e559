from spider.text.wordpiece import chunks
from spider.text.wordpiece.chunks import ChunkCache


def test_positions_count_from_the_text_and_from_the_chunk(inner):
    cache = ChunkCache(inner)
    whole = cache.encode(["a  fox\ndog", "", "東fox"])
    assert whole.offsets.tolist() == [0, 3, 3, 5]
    assert whole.starts.tolist() == [0, 3, 7, 0, 1]
    assert whole.ends.tolist() == [1, 6, 10, 1, 4]
    alone = cache.tokens(["fox", "", "東fox"])
    assert alone.offsets.tolist() == [0, 1, 1, 3]
    assert alone.starts.tolist() == [0, 0, 1]


def test_a_full_cache_is_emptied(inner, monkeypatch):
    monkeypatch.setattr(chunks, "REMEMBERED_CHUNKS", 2)
    cache = ChunkCache(inner)
    for text in ("a fox", "lazy dog", "a fox"):
        assert cache.encode([text]).ids.tolist() == inner.encode(text, add_special_tokens=False).ids
    assert len(cache._known) <= 3


def test_a_lone_surrogate_is_a_question_mark(inner):
    found = ChunkCache(inner).encode(["a\ud800 dog"])
    assert found.ids.tolist() == inner.encode("a? dog", add_special_tokens=False).ids
    assert found.starts[-1] == 3
