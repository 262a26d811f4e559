"""Refuses by name the checkpoints whose vectors cannot be computed here.

A checkpoint read in the wrong way gives other vectors without any error.
"""

from pathlib import Path
from typing import Any, NoReturn

from spider.errors import CheckpointError

KINDS = {
    "SparseEncoder": "a sparse encoder (SPLADE), which gives one number for each word piece",
    "CrossEncoder": "a cross-encoder, which scores a question and a passage together",
    "MultiVectorEncoder": "a multi-vector encoder (ColBERT), which gives one vector for each token",
}
"""The kinds of sentence-transformers' folders besides ``SentenceTransformer``."""
COLBERT = "ColBERT, which gives one vector for each token"
ARCHITECTURES = {"ColBERT": COLBERT, "HF_ColBERT": COLBERT, "ColBERTModel": COLBERT}
REPAIR = (
    "architecture=bert computes a pooled vector of one transformer; start from such an encoder, or "
    "from a plain language model such as bert-base-uncased"
)


def refuse(folder: Path, needed: str) -> NoReturn:
    """Say what a checkpoint needs.

    Raises:
        CheckpointError: always.
    """
    raise CheckpointError(f"{folder}: this encoder needs {needed}; {REPAIR}")


def refuse_configuration(
    folder: Path, transformer: Path, config: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Refuse by ``config.json`` and ``config_sentence_transformers.json``.

    Raises:
        CheckpointError: it is another kind of model.
    """
    kind = settings.get("model_type")
    if kind in KINDS:
        raise CheckpointError(f"{folder}: this is {KINDS[kind]}; {REPAIR}")
    names = config.get("architectures") or ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        names = ()
    for name in names:
        if name in ARCHITECTURES:
            raise CheckpointError(f"{folder}: this is {ARCHITECTURES[name]}; {REPAIR}")
        if name.endswith("ForSequenceClassification"):
            raise CheckpointError(
                f"{folder}: {name} is a classifier or a cross-encoder, which gives scores and no "
                f"vectors; {REPAIR}"
            )
    if config.get("is_encoder_decoder"):
        refuse(folder, f"an encoder-decoder ({config.get('model_type')})")
    if (transformer / "adapter_config.json").is_file():
        raise CheckpointError(
            f"{folder}: these are LoRA adapters; merge them into their model first "
            "(peft: merge_and_unload(), then save_pretrained())"
        )
