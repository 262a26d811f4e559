import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spider.errors import ConfigError, InterruptedRunError, SpiderError
from spider.training.loop import CHECKPOINTS, PLAN
from spider.training.metrics import METRICS, read_metrics
from spider.training.step_budget import PROBES
from spider.training.updates import StepOutput

TOY = Path(__file__).with_name("toy_run.py")
SPEC = importlib.util.spec_from_file_location("toy_run", TOY)
assert SPEC is not None
assert SPEC.loader is not None
toy = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(toy)


def _bytes(folder: Path) -> bytes:
    return (folder / METRICS).read_bytes()


def _same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def whole(tmp_path: Path) -> tuple[torch.nn.Module, Path]:
    folder = tmp_path / "whole"
    folder.mkdir()
    return toy.run(folder)[0], folder


def test_a_run_killed_outright_resumes_to_the_same_bits(
    whole: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    child = subprocess.run(
        [sys.executable, TOY, folder], env={**os.environ, "PYTHONPATH": "."}, check=False
    )
    assert child.returncode == -signal.SIGKILL
    names = sorted(path.name for path in (folder / CHECKPOINTS).glob("step-*"))
    assert names
    assert names[-1] in {"step-000004", "step-000006"}
    model, outcome = toy.run(folder)
    assert outcome.steps == 11
    assert _same(model, whole[0])
    assert _bytes(folder) == _bytes(whole[1])


def test_a_run_killed_before_its_first_checkpoint_measures_step_0_once(
    whole: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / METRICS).write_bytes(_bytes(whole[1]).splitlines(keepends=True)[0])
    toy.run(folder)
    assert _bytes(folder) == _bytes(whole[1])


def _signal_at(number: signal.Signals, step: int) -> Callable[[int], object]:
    def make_batch(wanted: int) -> object:
        if wanted == step:
            os.kill(os.getpid(), number)
        return toy.ToyBatch(wanted)

    return make_batch


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGTERM, InterruptedRunError), (signal.SIGINT, KeyboardInterrupt)],
)
def test_a_signal_saves_and_the_run_resumes_to_the_same_bits(
    number: signal.Signals,
    error: type[BaseException],
    whole: tuple[torch.nn.Module, Path],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "stopped"
    folder.mkdir()
    before = signal.getsignal(number)
    with pytest.raises(error):
        toy.run(folder, make_batch=_signal_at(number, 5))
    assert signal.getsignal(number) is before
    model, _ = toy.run(folder)
    assert _same(model, whole[0])
    assert _bytes(folder) == _bytes(whole[1])


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    toy.run(tmp_path, chosen=toy.settings(steps=60, log_every=10, save_every=60))
    losses = [line["loss"] for line in read_metrics(tmp_path) if line["split"] == "train"]
    assert losses[-1] < losses[0] / 2


def test_each_window_is_logged_once(whole: tuple[torch.nn.Module, Path]) -> None:
    lines = read_metrics(whole[1])
    assert [line["step"] for line in lines if line["split"] == "train"] == [3, 6, 9, 11]
    assert [line["step"] for line in lines if line["split"] == "validation"] == [0, 4, 8, 11]


def test_a_finished_run_is_not_trained_again(
    whole: tuple[torch.nn.Module, Path],
) -> None:
    def never(step: int) -> object:
        raise RuntimeError(f"batch {step} was asked for")

    model, outcome = toy.run(whole[1], make_batch=never)
    assert _same(model, whole[0])
    assert set(outcome.validation) == {"norm"}


def test_minutes_pick_the_steps_once_and_probing_leaves_no_trace(
    whole: tuple[torch.nn.Module, Path], tmp_path: Path
) -> None:
    ticks = iter(range(10_000))
    folder = tmp_path / "timed"
    folder.mkdir()
    timed = toy.settings(steps=3, minutes=0.55)
    model, outcome = toy.run(folder, chosen=timed, clock=lambda: float(next(ticks)))
    # 33 s, of which 17 ticks went by; a step 1 s, validation 1 s every 4, saving 1 s every 2
    assert outcome.steps == int((33 - 17 - 2) / (1 + 1 / 4 + 1 / 2))
    plain = tmp_path / "plain"
    plain.mkdir()
    same, _ = toy.run(plain, chosen=toy.settings(steps=outcome.steps))
    assert _same(model, same)
    assert _bytes(folder) == _bytes(plain)
    # a resumed run keeps the plan whatever the budget would say now
    assert (folder / CHECKPOINTS / PLAN).is_file()
    _, again = toy.run(folder, chosen=timed, clock=lambda: 0.0)
    assert again.steps == outcome.steps


def test_what_the_first_validation_compiles_is_not_charged_to_each(tmp_path: Path) -> None:
    from spider.training.loop import train

    seconds = 0.0
    costs = iter([10.0])

    def validate(model: torch.nn.Module) -> dict[str, float]:
        nonlocal seconds
        seconds += next(costs, 1.0)
        return {"norm": 1.0}

    class Slow(toy.ToyObjective):  # type: ignore[name-defined, misc]
        def forward(self, batch: object) -> StepOutput:
            nonlocal seconds
            seconds += 1.0
            return super().forward(batch)

    outcome = train(
        Slow(),
        make_batch=toy.ToyBatch,
        make_optimizer=lambda model: torch.optim.AdamW(model.parameters()),
        validate=validate,
        settings=toy.settings(minutes=1.0),
        folder=tmp_path,
        clock=lambda: seconds,
    )
    # 60 s, of which 10 + 1 went to validations; 1 is left for the last one
    assert outcome.steps == int((60 - 11 - PROBES - 1) / (1 + 1 / 4))


def test_a_loss_that_is_no_number_stops_with_the_step(tmp_path: Path) -> None:
    class Diverging(toy.ToyObjective):  # type: ignore[name-defined, misc]
        calls = 0

        def forward(self, batch: object) -> StepOutput:
            self.calls += 1
            output = super().forward(batch)
            factor = float("nan") if self.calls == 3 else 1.0
            return StepOutput(output.loss * factor, output.metrics)

    with pytest.raises(SpiderError, match=r"loss is nan at step 3 of 11"):
        toy.run(tmp_path, Diverging())


def test_a_failing_validation_is_met_before_the_first_batch(tmp_path: Path) -> None:
    from spider.training.loop import train

    def never(step: int) -> object:
        raise RuntimeError("a batch was asked for")

    def broken(model: torch.nn.Module) -> dict[str, float]:
        raise ValueError("validation is broken")

    with pytest.raises(ValueError, match="validation is broken"):
        train(
            toy.ToyObjective(),
            make_batch=never,  # type: ignore[arg-type]
            make_optimizer=lambda model: torch.optim.AdamW(model.parameters()),
            validate=broken,
            settings=toy.settings(),
            folder=tmp_path,
        )


def test_two_ways_to_one_step_count_of_zero(tmp_path: Path) -> None:
    model, outcome = toy.run(tmp_path, chosen=toy.settings(steps=0))
    assert outcome.steps == 0
    assert _same(model, toy.ToyObjective())


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": float("nan")}, {"minutes": float("inf")}, {"warmup_share": 1.0},
        {"warmup_share": float("nan")}, {"clip_norm": -1.0}, {"clip_norm": float("nan")},
        {"seed": -1}, {"device": "tpu"},
    ],
)  # fmt: skip
def test_settings_out_of_range(changes: dict[str, object]) -> None:
    name = next(iter(changes))
    with pytest.raises(ConfigError, match=f"{name}: got .*, expected"):
        toy.settings(**changes)


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device is found"):
        toy.settings(device="cuda")


def test_weights_that_stop_being_numbers_at_the_last_step_are_told(tmp_path: Path) -> None:
    class Diverging(toy.ToyObjective):  # type: ignore[misc, name-defined]
        def forward(self, batch: object) -> StepOutput:
            output: StepOutput = super().forward(batch)
            # the loss is finite, its gradient is not
            return output._replace(loss=output.loss + (0.0 * self.weight).sum().abs().sqrt())

    with pytest.raises(SpiderError, match="the validation's norm is nan at step 1 of 1; lower"):
        toy.run(tmp_path, Diverging(), chosen=toy.settings(steps=1))
