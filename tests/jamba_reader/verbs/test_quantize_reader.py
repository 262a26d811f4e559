"""The verb quantize-reader, from the command line to an artifact."""

from pathlib import Path

import pytest
import torch

import jamba_reader.verbs.quantize_reader as quantize
from jamba_reader.checkpoints.quantization import QuantisedCheckpoint
from jamba_reader.config import JambaConfig
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.tokenization.vocabulary import save_vocabulary, train_vocabulary
from jamba_reader.verbs.generate import GenerateSettings
from jamba_reader.verbs.generate import main as generate
from jamba_reader.verbs.quantize_reader import QuantizeReaderSettings, main
from spider.artifacts.artifact import open_artifact
from spider.errors import ArtifactError, CheckpointError, ConfigError, DataError
from spider.launch.entrypoint import run

CONFIG = JambaConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
    num_experts=4,
    attn_layer_period=4,
    attn_layer_offset=2,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    folder = tmp_path / "it's a model, (v1)"
    save_model(JambaLanguageModel(CONFIG), folder)
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    (folder / "notes.txt").write_text("none of ours")
    return folder


def test_from_the_command_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(source), f"output={tmp_path / 'reader'}"]
    assert run(main, verb="quantize-reader", words=words) == 0
    artifact = open_artifact(tmp_path / "reader", kind="reader")
    assert set(artifact.manifest["files"]) == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    }
    assert str(source) not in (tmp_path / "reader" / "README.md").read_text()
    assert artifact.details["quantization"] == {"quant_method": "experts_int8", "dense": False}
    assert artifact.config == {"dense_layers": False, "shard_megabytes": 5000, "revision": None}
    loaded = load_model(source, quantization=ExpertsInt8(), progress=False).state_dict()
    reader = load_model(tmp_path / "reader", progress=False).state_dict()
    assert all(torch.equal(weight, reader[name]) for name, weight in loaded.items())
    assert "MiB of weights became" in capsys.readouterr().err


def test_an_unchanged_source_is_up_to_date_and_a_changed_one_is_not(
    source: Path, tmp_path: Path
) -> None:
    config = QuantizeReaderSettings(model=str(source), output=tmp_path / "reader")
    main(config)
    written = (tmp_path / "reader" / "manifest.json").stat().st_mtime_ns
    (source / "notes.txt").write_text("changed")
    main(config)
    assert (tmp_path / "reader" / "manifest.json").stat().st_mtime_ns == written
    save_model(JambaLanguageModel(CONFIG), source)
    with pytest.raises(ArtifactError, match="overwrite=true replaces it"):
        main(config)
    main(QuantizeReaderSettings(model=str(source), output=tmp_path / "reader", overwrite=True))


def test_a_reader_artifact_is_recorded_as_parent(source: Path, tmp_path: Path) -> None:
    main(QuantizeReaderSettings(model=str(source), output=tmp_path / "experts"))
    main(
        QuantizeReaderSettings(
            model=str(tmp_path / "experts"), output=tmp_path / "both", dense_layers=True
        )
    )
    both = open_artifact(tmp_path / "both", kind="reader")
    assert both.parent("model").path.samefile(tmp_path / "experts")
    assert both.details["quantization"]["dense"]


def test_a_model_without_a_tokenizer_is_told_of_as_generate_tells_it(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    main(QuantizeReaderSettings(model=str(source), output=tmp_path / "with"))
    assert "tokenizer" not in caplog.text
    (source / "tokenizer.json").unlink()
    reader = tmp_path / "without"
    main(QuantizeReaderSettings(model=str(source), output=reader))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    said = "no tokenizer here"
    assert said in warnings[0]
    assert f"{reader} will have none" in warnings[0]
    with pytest.raises(DataError, match=f"{said}; put the model's tokenizer.json there"):
        generate(GenerateSettings(prompt="a", model=str(reader), device="cpu"))
    # the mend that both name is one
    save_vocabulary(train_vocabulary([], vocabulary_size=260), reader)
    with pytest.raises(DataError, match="token id"):
        generate(GenerateSettings(prompt="z", model=str(reader), device="cpu"))


def test_settings_out_of_range(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shard_megabytes: got 0"):
        main(QuantizeReaderSettings(model=str(source), output=tmp_path / "x", shard_megabytes=0))
    with pytest.raises(CheckpointError, match="no such folder"):
        main(QuantizeReaderSettings(model=str(tmp_path / "nowhere"), output=tmp_path / "x"))


def test_a_disk_that_is_too_small(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda path: Full)
    with pytest.raises(ConfigError, match=r"the int8 checkpoint needs .* the disk has 0 MiB free"):
        main(QuantizeReaderSettings(model=str(source), output=tmp_path / "reader"))


def test_a_killed_run_goes_on_after_its_last_whole_shard(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "MEGABYTE", 20_000)
    read = QuantisedCheckpoint.read
    names: list[str] = []

    def killed(self: QuantisedCheckpoint, name: str) -> torch.Tensor:
        if len(names) == 30:
            raise KeyboardInterrupt
        names.append(name)
        return read(self, name)

    whole, torn = (
        QuantizeReaderSettings(model=str(source), output=tmp_path / name, shard_megabytes=1)
        for name in ("whole", "torn")
    )
    main(whole)
    with monkeypatch.context() as patch:
        patch.setattr(QuantisedCheckpoint, "read", killed)
        with pytest.raises(KeyboardInterrupt):
            main(torn)
    partial = tmp_path / "torn.partial"
    made = {file.name: file.stat().st_mtime_ns for file in partial.glob("*.safetensors")}
    assert len(made) > 1
    # a kill that nothing can catch leaves the file that was being written
    (partial / ".model-00003-of-00009.safetensors.7.tmp").write_bytes(b"half")
    main(torn)
    first, second = (open_artifact(tmp_path / name) for name in ("whole", "torn"))
    assert first.content_hash == second.content_hash
    for name, time in made.items():
        assert (tmp_path / "torn" / name).stat().st_mtime_ns == time
