import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.errors import ConfigError, DataError
from spider.text import tokenizer
from spider.text.tokenizer import load_tokenizer, wordpiece
from spider.text.vocabulary import train_tokenizer

TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the dog sleeps.",
    "Whales sing; foxes bark. The brown whale (a mammal) swims quickly!",
    "Égalité, fraternité: the café's naïve façade.",
] * 4
TOKENIZER = train_tokenizer(TEXTS, vocabulary_size=400)


def expected(text):
    encoding = TOKENIZER.inner.encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


TRICKY = st.text(
    alphabet=st.sampled_from(
        "abéE\u0301 .,-\n\t\r\x1c\x85\u00a0\u2028\u200b中文[SEP]#'ß\U0001f600\ufffd"
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(TRICKY, st.text(max_size=20), st.sampled_from(TEXTS)), max_size=4))
def test_ids_and_offsets_are_the_librarys(texts):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    spans = TOKENIZER.encode_with_spans(texts)
    tokens = TOKENIZER.encode(texts)
    assert tokens.ids.tolist() == spans.ids.tolist()
    assert tokens.offsets.tolist() == spans.offsets.tolist()
    for number, text in enumerate(texts):
        ids, offsets = expected(text)
        a, b = spans.offsets[number : number + 2]
        assert tokens.of(number).tolist() == ids
        assert (
            list(zip(spans.starts[a:b].tolist(), spans.ends[a:b].tolist(), strict=True)) == offsets
        )


def test_offsets_count_code_points():
    spans = TOKENIZER.encode_with_spans(["\U0001f600 the café", "dog"])
    words = ["\U0001f600 the café"[a:b] for a, b in zip(spans.starts, spans.ends, strict=True)][:3]
    assert words[:2] == ["\U0001f600", "the"]
    assert spans.starts[spans.offsets[1]] == 0


def test_lone_surrogate_is_replaced_and_offsets_stay():
    spans = TOKENIZER.encode_with_spans(["a \ud800 dog"])
    assert "a \ud800 dog"[spans.starts[-1] :].startswith(("d", "o", "g"))


@pytest.mark.parametrize("others", [0, 20])
def test_a_text_whose_places_do_not_fit_32_bits_is_refused(monkeypatch, others):
    monkeypatch.setattr(tokenizer, "LONGEST_TEXT", 9)
    assert len(TOKENIZER.encode(["nine dogs", *["fox"] * others]).offsets) == 2 + others
    with pytest.raises(DataError, match=r"a text of 10 characters, expected at most 9; cut it"):
        TOKENIZER.encode(["fox", *["dog"] * others, "ten 東 foxes"[:10]])


def test_sep_in_a_text_is_the_special_token():
    ids = TOKENIZER.encode(["fox [SEP] dog"]).ids.tolist()
    assert ids.count(TOKENIZER.sep_id) == 1


def test_training_gives_the_same_bytes_in_another_process(tmp_path):
    program = (
        "import json, sys\nfrom pathlib import Path\n"
        "from spider.text.vocabulary import train_tokenizer\n"
        "train_tokenizer(json.loads(sys.argv[1]), vocabulary_size=400).save(Path(sys.argv[2]))\n"
    )
    root = Path(__file__).parents[3]
    subprocess.run(
        [sys.executable, "-c", program, json.dumps(TEXTS), str(tmp_path)], check=True, cwd=root
    )
    (tmp_path / "mine").mkdir()
    TOKENIZER.save(tmp_path / "mine")
    mine = (tmp_path / "mine" / "tokenizer.json").read_bytes()
    assert (tmp_path / "tokenizer.json").read_bytes() == mine


def test_vocabulary_follows_bert_conventions():
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert [TOKENIZER.inner.token_to_id(name) for name in names] == [0, 1, 2, 3, 4]
    assert TOKENIZER.vocabulary_size <= 400
    assert TOKENIZER.lower_case
    # the characters inside words were forced as special tokens while training: they are none now
    assert TOKENIZER.encode(["##a"]).ids.tolist() != [TOKENIZER.inner.token_to_id("##a")]


def test_casing_is_kept_on_request():
    tokenizer = train_tokenizer(TEXTS, vocabulary_size=400, lower_case=False)
    assert not tokenizer.lower_case
    upper, lower = tokenizer.encode(["The"]).ids.tolist(), tokenizer.encode(["the"]).ids.tolist()
    assert upper != lower


def test_truncation_and_padding_of_a_file_are_reset(tmp_path):
    inner = wordpiece(TOKENIZER.inner.get_vocab(), lower_case=True)
    inner.enable_truncation(4)
    inner.enable_padding(length=4)
    inner.save(str(tmp_path / "tokenizer.json"))
    loaded = load_tokenizer(tmp_path)
    assert loaded.encode(TEXTS[:1]).ids.tolist() == TOKENIZER.encode(TEXTS[:1]).ids.tolist()
    assert loaded.inner.to_str() == TOKENIZER.inner.to_str()


def test_loads_vocab_txt(tmp_path):
    vocabulary = TOKENIZER.inner.get_vocab()
    lines = sorted(vocabulary, key=vocabulary.__getitem__)
    (tmp_path / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for source in (tmp_path, tmp_path / "vocab.txt"):
        assert (
            load_tokenizer(source).encode(TEXTS).ids.tolist()
            == TOKENIZER.encode(TEXTS).ids.tolist()
        )


def test_errors_are_one_line(tmp_path):
    with pytest.raises(DataError, match="no usable tokenizer"):
        load_tokenizer(tmp_path)
    with pytest.raises(ConfigError, match="vocabulary_size: got 20, expected at least"):
        train_tokenizer(TEXTS, vocabulary_size=20)
    inner = wordpiece({"[UNK]": 0, "a": 1}, lower_case=True)
    inner.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(DataError, match=r"no \[PAD\]"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("part", ["normalizer", "decoder", "model"])
def test_a_part_that_is_no_object_is_refused(part, tmp_path):
    changed = json.loads(TOKENIZER.inner.to_str()) | {part: [""]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(changed))
    with pytest.raises(DataError, match=rf"{part}: got \[''\], expected an object"):
        load_tokenizer(tmp_path)
