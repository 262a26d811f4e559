"""The parsers of the Jamba engine: configuration, checkpoint, vocabulary, cache on disk."""

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from tests.attack.fuzz_run import Parser

PIECES = ["the turbine turns and the silt settles", "naïve café 東京", "a mill, a wheel"] * 3
SHAPE = {
    "vocab_size": 300, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 3,
    "num_attention_heads": 2, "num_key_value_heads": 2, "attn_layer_period": 3,
    "attn_layer_offset": 1, "mamba_d_state": 4, "mamba_dt_rank": 2, "num_experts": 2,
}  # fmt: skip


def read(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@cache
def checkpoint_files(max_shard_bytes: int) -> Mapping[str, bytes]:
    import torch

    from jamba_reader.config import JambaConfig
    from jamba_reader.model.loading import save_model
    from jamba_reader.model.model import JambaLanguageModel
    from jamba_reader.tokenization.vocabulary import save_vocabulary, train_vocabulary

    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as made:
        model = JambaLanguageModel(JambaConfig(**SHAPE))
        save_model(model, Path(made) / "model", max_shard_bytes=max_shard_bytes)
        save_vocabulary(train_vocabulary(PIECES, vocabulary_size=300), Path(made) / "model")
        (Path(made) / "model" / "generation_config.json").write_text('{"eos_token_id": [2, 5]}')
        return read(Path(made) / "model")


def config() -> Parser:
    from jamba_reader.checkpoints.files import read_config

    files = {
        name: content
        for name, content in checkpoint_files(1 << 30).items()
        if name in {"config.json", "generation_config.json"}
    }

    def run(place: Path) -> None:
        found, _ = read_config(place)
        found.to_mapping()

    return Parser("jamba_config", files, run, share=0.4)


def checkpoint(*, sharded: bool) -> Parser:
    import torch

    from jamba_reader.model.loading import load_model

    files = dict(checkpoint_files(20_000 if sharded else 1 << 30))
    torch.set_num_threads(1)

    def run(place: Path) -> None:
        sum(tensor.numel() for tensor in load_model(place, progress=False).state_dict().values())

    damaged = tuple(name for name in files if "tokenizer" not in name)
    name = "jamba_shards" if sharded else "jamba_checkpoint"
    return Parser(name, files, run, damaged=damaged, share=0.04)


def vocabulary() -> Parser:
    from jamba_reader.tokenization.token_bytes import TokenBytes
    from jamba_reader.tokenization.vocabulary import load_vocabulary

    name = "tokenizer.json"

    def run(place: Path) -> None:
        inner = load_vocabulary(place / name)
        table = TokenBytes(inner)
        table.join(inner.encode("the turbine, café", add_special_tokens=False).ids)

    return Parser("jamba_vocabulary", {name: checkpoint_files(1 << 30)[name]}, run, share=0.05)


def stored_cache() -> Parser:
    import torch

    from jamba_reader.cache.cache import Cache
    from jamba_reader.cache.file import load_cache, save_cache
    from jamba_reader.config import JambaConfig
    from jamba_reader.ops.segments import Segments

    shape = JambaConfig(**SHAPE)
    made = Cache.empty(shape, 2, dtype=torch.bfloat16, capacity=9)
    segments = Segments([5, 2])
    for layer, memory in made.memories.items():
        rows = torch.ones(7, shape.num_key_value_heads, shape.head_dim).to(torch.bfloat16)
        made.memories[layer] = memory.append(rows, 2 * rows, segments)
    made.advance(segments)
    with tempfile.TemporaryDirectory() as folder:
        save_cache(made, Path(folder) / "c", shape)
        content = (Path(folder) / "c").read_bytes()
    name = "cache.safetensors"
    return Parser(
        "jamba_cache", {name: content}, lambda place: load_cache(place / name, shape), share=0.1
    )


MAKERS: dict[str, Callable[[], Parser]] = {
    "jamba_config": config,
    "jamba_checkpoint": lambda: checkpoint(sharded=False),
    "jamba_shards": lambda: checkpoint(sharded=True),
    "jamba_vocabulary": vocabulary,
    "jamba_cache": stored_cache,
}
