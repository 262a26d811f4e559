"""Small random encoders of sentence-transformers, and the comparison with their vectors."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from spider.artifacts.stage import Stage
from spider.encoders.bert import BertSettings
from spider.encoders.encoding import EncodingSettings
from spider.encoders.loading import load_encoder
from spider.encoders.transformer.inference import BertEncoder

TITLES = ["Fox", "", "Whale (mammal)", "", "Dog"]
TEXTS = [
    "The quick brown fox jumps over the lazy dog, and the fox runs.",
    "Whales sing; foxes bark. naïve café 東京 \U0001f389",
    "The brown whale swims quickly! " * 30,
    "",
    " two  spaces and\na line",
]
JOINED = [f"{title} {text}" if title else text for title, text in zip(TITLES, TEXTS, strict=True)]
SIZES = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip
ROBERTA = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>",
           "mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>"}  # fmt: skip
BERT = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
        "mask_token": "[MASK]"}  # fmt: skip
EXACT = EncodingSettings(precision="float32")


def trained(inner: Any, trainer: Any, names: dict[str, str]) -> tokenizers.Tokenizer:
    inner.train_from_iterator([*TEXTS * 3, *TITLES], trainer)
    first, last = names["cls_token"], names["sep_token"]
    inner.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B {last}",
        special_tokens=[(name, inner.token_to_id(name)) for name in (first, last)],
    )
    return inner


def word_pieces(names: dict[str, str]) -> tokenizers.Tokenizer:
    inner = tokenizers.Tokenizer(models.WordPiece(unk_token=names["unk_token"]))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = list(dict.fromkeys(names.values()))
    return trained(inner, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special), names)


def byte_pairs(names: dict[str, str]) -> tokenizers.Tokenizer:
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(dict.fromkeys(names.values())),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    return trained(inner, trainer, names)


def unigram(names: dict[str, str]) -> tokenizers.Tokenizer:
    inner = tokenizers.Tokenizer(models.Unigram())
    inner.normalizer = normalizers.NFKC()
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=100, special_tokens=list(dict.fromkeys(names.values())),
        unk_token=names["unk_token"], show_progress=False,
    )  # fmt: skip
    return trained(inner, trainer, names)


ARCHITECTURES: dict[str, tuple[Callable[[dict[str, str]], Any], dict[str, str], dict[str, Any]]] = {
    "Bert": (word_pieces, BERT, {}),
    "DistilBert": (word_pieces, BERT, {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}),
    "MPNet": (word_pieces, ROBERTA, {"max_position_embeddings": 66}),
    "Roberta": (byte_pairs, ROBERTA, {"max_position_embeddings": 66}),
    "XLMRoberta": (unigram, ROBERTA, {"max_position_embeddings": 66}),
    "ModernBert": (byte_pairs, BERT, {"max_position_embeddings": 64, "local_attention": 16}),
}


def transformer(folder: Path, name: str = "Bert", length: int | None = None) -> Path:
    make, names, changes = ARCHITECTURES[name]
    inner = make(names)
    kind = getattr(transformers, f"{name}Config")
    sizes = {} if name == "DistilBert" else SIZES
    numbers = {role: inner.token_to_id(token) for role, token in names.items()}
    config = kind(
        vocab_size=inner.get_vocab_size(), **{**sizes, **changes},
        pad_token_id=numbers["pad_token"], bos_token_id=numbers["cls_token"],
        eos_token_id=numbers["sep_token"], cls_token_id=numbers["cls_token"],
        sep_token_id=numbers["sep_token"],
    )  # fmt: skip
    torch.manual_seed(3)
    getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    inner.save(str(folder / "tokenizer.json"))
    details = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length or 64}
    (folder / "tokenizer_config.json").write_text(json.dumps({**details, **names}))
    return folder


def sentence_transformer(tmp_path: Path, *modules: Any, name: str = "Bert", **settings: Any) -> Any:
    body = Transformer(str(transformer(tmp_path / "plain", name)))
    torch.manual_seed(4)
    model = SentenceTransformer(
        modules=[body, *(make() for make in modules)], device="cpu", **settings
    )
    model.save(str(tmp_path / "start"))
    return model


def ours(start: Path, folder: Path, **settings: Any) -> Any:
    folder.mkdir()
    made = BertSettings(start=str(start), **settings)
    module = made.build(made.tokenizer([], folder), seed=0).eval()
    return module, BertEncoder(module, EXACT)


def check(model: Any, tmp_path: Path, **settings: Any) -> Any:
    """Compare the start's vectors, and those of its export in both programs."""
    module, encoder = ours(tmp_path / "start", tmp_path / "training", **settings)
    unit = {"normalize_embeddings": module.recipe.unit}
    questions = model.encode_query(TEXTS, **unit)
    passages = model.encode_document(JOINED, **unit)
    np.testing.assert_allclose(encoder.encode_questions(TEXTS), questions, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(TITLES, TEXTS), passages, atol=1e-5)
    stage = Stage(verb="train", kind="encoder", output=tmp_path / "out", config={}, inputs={})
    with stage.writing() as partial:
        record = module.export(partial)
        stage.finish(counts={}, variant="bert", details=record)
    again = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    np.testing.assert_allclose(again.encode_query(TEXTS, **unit), questions, atol=1e-5)
    np.testing.assert_allclose(again.encode_document(JOINED, **unit), passages, atol=1e-5)
    loaded = load_encoder(tmp_path / "out", encoding=EXACT)
    np.testing.assert_allclose(loaded.encode_questions(TEXTS), questions, atol=1e-5)
    np.testing.assert_allclose(loaded.encode_passages(TITLES, TEXTS), passages, atol=1e-5)
    return module


@pytest.fixture(scope="session")
def parity() -> SimpleNamespace:
    """Makes starts of sentence-transformers, and compares vectors."""
    return SimpleNamespace(
        architectures=tuple(ARCHITECTURES),
        transformer=transformer,
        sentence_transformer=sentence_transformer,
        ours=ours,
        check=check,
        texts=TEXTS,
        titles=TITLES,
        joined=JOINED,
    )
