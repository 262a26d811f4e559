import math

import numpy as np
import pytest
import torch

from spider.encoders.distillation.loss import distillation_loss


def reference(student: np.ndarray, teacher: np.ndarray, scale: float) -> tuple[float, float]:
    """The formulas of the module, term by term."""
    n = len(student)
    cosines = [sum(p * t for p, t in zip(student[i], teacher[i], strict=True)) for i in range(n)]
    divergence = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        logs = []
        for vectors in (teacher, student):
            scores = [scale * float(vectors[i] @ vectors[j]) for j in others]
            total = math.log(sum(math.exp(score) for score in scores))
            logs.append([score - total for score in scores])
        divergence += sum(math.exp(t) * (t - p) for t, p in zip(*logs, strict=True))
    cosine = sum(cosines) / n
    return 1 - cosine + divergence / n, cosine


def unit(rows: int, seed: int) -> torch.Tensor:
    vectors = torch.randn((rows, 5), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


@pytest.mark.parametrize(("rows", "scale"), [(3, 20.0), (6, 20.0), (6, 1.5)])
def test_it_is_the_formula(rows: int, scale: float) -> None:
    student, teacher = unit(rows, 1), unit(rows, 2)
    loss, cosine = distillation_loss(student, teacher, scale=scale)
    expected = reference(student.double().numpy(), teacher.double().numpy(), scale)
    assert loss.item() == pytest.approx(expected[0], rel=1e-5)
    assert cosine.item() == pytest.approx(expected[1], rel=1e-5)


def test_its_gradient_is_that_of_the_formula() -> None:
    student, teacher = unit(4, 1).requires_grad_(), unit(4, 2)
    loss, _ = distillation_loss(student, teacher, scale=4.0)
    loss.backward()
    assert student.grad is not None
    start, step = student.detach().double().numpy(), 1e-6
    for place in np.ndindex(*start.shape):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            ends.append(reference(moved, teacher.double().numpy(), 4.0)[0])
        slope = (ends[0] - ends[1]) / (2 * step)
        assert student.grad[place].item() == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_equal_vectors_have_no_loss_and_a_finite_gradient(rows: int) -> None:
    student = unit(rows, 1).requires_grad_()
    loss, cosine = distillation_loss(student, student.detach().clone())
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert cosine.item() == pytest.approx(1.0, abs=1e-6)
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
