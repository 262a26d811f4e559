"""The verb ``train``: corpus and spans → encoder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from spider.artifacts.artifact import open_artifact
from spider.artifacts.stage import Stage
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import ConfigError
from spider.launch.entrypoint import launch

SAVING = ("save_every", "keep")
"""Settings that change no weight: an encoder made with others of them is up to date all the same.

Where ``minutes`` is set, what saving costs moves the number of steps, but so does the clock.
"""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of ``train``.

    Attributes:
        corpus: the corpus artifact.
        spans: its spans artifact.
        output: where the encoder is written.
        architecture: what is trained (architecture=static, architecture=bert).
        pairings: where pairs come from, by name.
        weights: share of a batch of each pairing, by name; a missing one weighs 1.
        enlarge_few: add crop and title pairs where recurring spans yield under 500 pairs.
        mask_known: leave passages known to answer a query out of its loss; false is the paper's.
        vocabulary_passages: a vocabulary is trained on at most this many passages.
        batch_size: queries in a step, over all processes; fewer where there are fewer pairs.
        learning_rate: peak learning rate.
        steps: steps; 0 writes the untrained encoder, a baseline.
        minutes: time budget that picks the number of steps once, before the first.
        warmup_share: share of the steps in which the learning rate rises.
        clip_norm: gradients longer than this are shortened to it; 0 leaves them.
        seed: all randomness follows from it.
        log_every: steps between two lines of metrics.jsonl.
        validate_every: steps between two validations.
        save_every: steps between two checkpoints.
        keep: checkpoints kept while training.
        precision: bf16 runs the forward pass in bfloat16.
        device: auto, cpu or cuda.
        overwrite: replace an encoder made from other settings.
        resolved: filled by the launcher.
    """

    corpus: Path
    spans: Path
    output: Path
    architecture: Any  # an EncoderSettings, whose module would load torch for --help
    pairings: dict[str, Any]  # Pairing
    weights: dict[str, float] = field(default_factory=dict)
    enlarge_few: bool = True
    mask_known: bool = True
    vocabulary_passages: int = 300_000
    batch_size: int = 1024
    learning_rate: float = 5e-3
    steps: int = 1000
    minutes: float | None = None
    warmup_share: float = 0.01
    clip_norm: float = 2.0
    seed: int = 0
    log_every: int = 10
    validate_every: int = 250
    save_every: int = 250
    keep: int = 2
    precision: Literal["no", "bf16"] = "no"
    device: str = "auto"
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: TrainConfig) -> None:
    """Train an encoder, or find that it is up to date.

    Raises:
        ConfigError: a setting is out of range.
    """
    if config.batch_size < 1:
        raise ConfigError(f"batch_size={config.batch_size}: expected at least 1")
    inputs = {
        "corpus": open_artifact(config.corpus, kind="corpus"),
        "spans": open_artifact(config.spans, kind="spans"),
    }
    stage = Stage(
        verb="train",
        kind="encoder",
        output=config.output,
        config={name: value for name, value in config.resolved.items() if name not in SAVING},
        inputs=inputs,
        overwrite=config.overwrite,
        fingerprint_extra=fingerprint_start_files(config.architecture.sources),
    )
    if stage.up_to_date():
        return
    from pretrain.training.distributed import is_main, joint_stage
    from pretrain.training.encoder_training import LEFTOVERS, UNHASHED, EncoderTraining
    from spider.corpus.corpus import Corpus
    from spider.spans.span_store import SpanStore
    from spider.training.settings import TrainingSettings

    with joint_stage(stage, device=config.device) as folder:
        training = EncoderTraining(
            encoder=config.architecture,
            pairings=config.pairings,
            weights=config.weights,
            enlarge_few=config.enlarge_few,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            mask_known=config.mask_known,
            vocabulary_passages=config.vocabulary_passages,
            settings=TrainingSettings(
                steps=config.steps,
                minutes=config.minutes,
                warmup_share=config.warmup_share,
                clip_norm=config.clip_norm,
                seed=config.seed,
                log_every=config.log_every,
                validate_every=config.validate_every,
                save_every=config.save_every,
                keep=config.keep,
                precision=config.precision,
                device=config.device,
            ),
        )
        result = training.run(Corpus.open(config.corpus), SpanStore.open(config.spans), folder)
        if is_main():
            stage.finish(
                counts=result.counts,
                variant=config.architecture.variant,
                details=result.record,
                unhashed=UNHASHED,
                leftovers=LEFTOVERS,
            )


if __name__ == "__main__":
    launch(main, verb="train")
