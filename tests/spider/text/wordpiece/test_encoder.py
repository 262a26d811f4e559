import json
import sys
import threading
import unicodedata

import numpy as np
import pytest
import tokenizers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.text.tokenizer import wordpiece
from spider.text.wordpiece import encoder
from spider.text.wordpiece.chunks import ChunkCache
from spider.text.wordpiece.encoder import WordPieceEncoder, is_representable

MARKS = "".join(c for c in map(chr, range(sys.maxunicode)) if unicodedata.combining(c))
NASTY = (
    "abéE\u0301\u0323\u0344 .,-\n\t\r\x1c\x85\0\u00a0\u2028\u200b\ufeff中文가각[]SEP#'ßİıǅΣς"
    "\u1fc1\u037e≠\ufb2c\U0001d15f\u0f73\u302e\u302fक्षि़\U0001f600\U0001f468\u200d\ufffd\u0378"
)
TEXTS = st.lists(
    st.one_of(
        st.text(NASTY, max_size=30),
        st.text(MARKS + "aé", max_size=12),
        st.text(max_size=20),
        st.lists(st.sampled_from(["[SEP]", "[MASK]", "fox", "[", " ", "\n"])).map("".join),
        st.integers(94, 106).map(lambda n: "ab" * 10 + "é" * (n - 20) + "\u0301 dog"),
    ),
    max_size=5,
)


def encoder_of(inner):
    return WordPieceEncoder(inner, ChunkCache(inner), threading.Lock())


def check(made, inner, texts):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    expected = inner.encode_batch(texts, add_special_tokens=False)
    # the second time all characters are known
    for _ in range(2):
        spans = made.encode(texts, spans=True)
        tokens = made.encode(texts, spans=False)
        assert tokens.ids.tolist() == spans.ids.tolist() == [n for e in expected for n in e.ids]
        assert tokens.offsets.tolist() == spans.offsets.tolist()
        assert np.diff(spans.offsets).tolist() == [len(e.ids) for e in expected]
        found = list(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))
        assert found == [pair for e in expected for pair in e.offsets]


@pytest.mark.parametrize("lower_case", [True, False])
@pytest.mark.parametrize("strip_accents", [None, True, False])
@pytest.mark.parametrize("flags", [True, False])
def test_tokens_are_the_librarys(vocabulary, lower_case, strip_accents, flags):
    inner = wordpiece(vocabulary, lower_case=lower_case)
    inner.normalizer = tokenizers.normalizers.BertNormalizer(
        lowercase=lower_case,
        strip_accents=strip_accents,
        handle_chinese_chars=flags,
        clean_text=flags,
    )
    made = encoder_of(inner)

    @settings(max_examples=60, deadline=None)
    @given(TEXTS)
    def agrees(texts):
        check(made, inner, texts)

    agrees()


def test_every_character_of_the_basic_plane(inner):
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    blocks = [characters[at : at + 64] for at in range(0, len(characters), 64)]
    check(encoder_of(inner), inner, [" ".join(f"{c} a{c}b" for c in block) for block in blocks])


def test_threads_and_blocks_change_nothing(inner, monkeypatch):
    texts = [f"the {n} unbelievable fox[SEP] café 東京 dog{'s' * (n % 5)}" for n in range(500)]
    results = []
    for threads, block in ((1, 1 << 26), (3, 1 << 26), (2, 100)):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        monkeypatch.setattr(encoder, "BLOCK_BYTES", block)
        results.append([column.tolist() for column in encoder_of(inner).encode(texts, spans=True)])
    assert results[0] == results[1] == results[2]
    check(encoder_of(inner), inner, texts[:7])


def test_several_python_threads_at_once(inner):
    made = encoder_of(inner)
    texts = [[chr(0x100 + 97 * n + i) + " fox[SEP]" for i in range(90)] for n in range(8)]
    found = [None] * 8

    def work(n):
        found[n] = made.encode(texts[n], spans=False).ids.tolist()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [encoder_of(inner).encode(part, spans=False).ids.tolist() for part in texts]


def test_no_texts(inner):
    assert encoder_of(inner).encode([], spans=True).offsets.tolist() == [0]
    assert encoder_of(inner).encode(["", " "], spans=False).offsets.tolist() == [0, 0, 0]


def changed(inner, change):
    settings_ = json.loads(inner.to_str())
    change(settings_)
    return tokenizers.Tokenizer.from_str(json.dumps(settings_))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(normalizer={"type": "Lowercase"}),
        lambda s: s.update(normalizer=None),
        lambda s: s.update(pre_tokenizer={"type": "Whitespace"}),
        lambda s: s["model"].update(unk_token="<unk>"),
        lambda s: s["model"].update(max_input_chars_per_word=2),
        lambda s: s["added_tokens"][0].update(normalized=True),
    ],
)
def test_what_the_scanner_cannot_do_is_said(inner, change):
    assert is_representable(inner)
    assert not is_representable(changed(inner, change))


@pytest.mark.parametrize("flag", ["lstrip", "rstrip", "single_word"])
def test_added_tokens_with_conditions(inner, flag):
    def change(settings_):
        settings_["added_tokens"][3][flag] = True

    # the library alone would strip the spaces between chunks, which ours never has
    other = changed(inner, change)
    texts = ["fox[SEP]", "fox\t[SEP]\tdog", "[SEP]a", "é [SEP] é"]
    expected = ChunkCache(other).encode(texts)
    for found, wanted in zip(encoder_of(other).encode(texts, spans=True), expected, strict=True):
        assert found.tolist() == wanted.tolist()
