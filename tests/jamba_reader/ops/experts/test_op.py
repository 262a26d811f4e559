"""The kernels of the routed experts against the reference, in values and gradients."""

from typing import NamedTuple

import pytest
import torch

from jamba_reader.ops.experts.cpu import launch as cpu
from jamba_reader.ops.experts.op import routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights
from spider.errors import ConfigError, DataError

KERNELS = ("cpu", "triton")


class Case(NamedTuple):
    tokens: int
    experts: int
    k: int
    activation: str = "silu"
    dtype: torch.dtype = torch.float32
    int8: bool = False


CASES = [
    Case(1, 1, 1),
    Case(1, 16, 2),
    Case(3, 4, 2, "gelu"),
    Case(5, 3, 3, int8=True),
    Case(11, 2, 1, dtype=torch.bfloat16),
    Case(6, 4, 2, "gelu", torch.bfloat16, int8=True),
    Case(34, 2, 2, int8=True),
    Case(26, 4, 3),
    Case(24, 2, 1, dtype=torch.bfloat16, int8=True),
]
HIDDEN, INTERMEDIATE = 33, 19


def inputs(case: Case) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x, a view of a wider matrix; ids; shares."""
    random = torch.Generator().manual_seed(case.tokens)
    x = torch.randn(case.tokens, HIDDEN + 7, generator=random).to(case.dtype)[:, :HIDDEN]
    chosen = torch.rand(case.tokens, case.experts, generator=random).softmax(-1).topk(case.k)
    return x, chosen.indices, chosen.values.to(case.dtype)


def close(got: torch.Tensor, expected: torch.Tensor) -> None:
    """To the precision of got's dtype, of the largest entry."""
    assert got.shape == expected.shape
    got, expected = got.detach(), expected.detach()
    size = float(expected.abs().max()) if expected.numel() else 0.0
    precision = 3e-6 if got.dtype == torch.float32 else 4e-2
    assert float((got.double() - expected.double()).abs().max()) <= precision * size


def everything(
    case: Case, weights: ExpertWeights, kernels: str, dtype: torch.dtype
) -> list[torch.Tensor]:
    """Output without gradients, output with, and the gradients."""
    x, ids, shares = inputs(case)
    x, shares = x.to(dtype), shares.to(dtype)
    with torch.no_grad():
        plain = routed_experts(
            x, weights, ids, shares, activation=case.activation, implementation=kernels
        )
    shares.requires_grad_()
    x = x.detach().requires_grad_()
    y = routed_experts(x, weights, ids, shares, activation=case.activation, implementation=kernels)
    sources = (x, shares) if case.int8 else (x, shares, weights.gate_up, weights.down)
    upstream = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(case.dtype)
    return [plain, y, *torch.autograd.grad(y, sources, upstream.to(dtype))]


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_values_and_gradients_follow_the_reference(make_experts, case: Case, kernels: str) -> None:
    weights = make_experts(case.experts, HIDDEN, INTERMEDIATE, case.dtype, int8=case.int8)
    exact = weights
    if not case.int8:
        exact = ExpertWeights(*(w.detach().double().requires_grad_() for w in weights[:2]))
    got = everything(case, weights, kernels, case.dtype)
    expected = everything(case, exact, "reference", torch.float64)
    for mine, truth in zip(got, expected, strict=True):
        assert mine.dtype == case.dtype
        close(mine, truth)


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_order_of_tokens_does_not_matter(make_experts, kernels: str) -> None:
    case = Case(23, 4, 2)
    weights = make_experts(4, HIDDEN, INTERMEDIATE)
    x, ids, shares = inputs(case)
    order = torch.randperm(23)
    with torch.no_grad():
        y, shuffled = (
            routed_experts(x[rows], weights, ids[rows], shares[rows], activation="silu",
                           implementation=kernels)
            for rows in (torch.arange(23), order)
        )  # fmt: skip
    close(shuffled, y[order])


@pytest.mark.parametrize("kernels", KERNELS)
def test_experts_without_tokens_get_no_gradient(make_experts, kernels: str) -> None:
    weights = make_experts(5, 8, 6)
    x, ids = torch.randn(20, 8), torch.tensor([[1, 3]]).expand(20, 2)
    y = routed_experts(
        x, weights, ids, torch.rand(20, 2), activation="silu", implementation=kernels
    )
    for gradient in torch.autograd.grad(y.sum(), weights[:2]):
        assert gradient.abs().sum(dim=(1, 2)).gt(0).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("kernels", KERNELS)
def test_an_expert_chosen_twice_counts_twice(make_experts, kernels: str) -> None:
    weights, x = make_experts(2, 8, 6), torch.randn(20, 8)
    ids = torch.ones(20, 2, dtype=torch.int64)
    with torch.no_grad():
        twice = routed_experts(
            x, weights, ids, torch.ones(20, 2), activation="silu", implementation=kernels
        )
        once = routed_experts(
            x, weights, ids[:, :1], torch.ones(20, 1), activation="silu", implementation="reference"
        )
    close(twice, 2 * once)


@pytest.mark.parametrize("kernels", ["reference", *KERNELS])
def test_no_tokens_give_no_rows(make_experts, kernels: str) -> None:
    weights = make_experts(2, 8, 6)
    x = torch.empty(0, 8, requires_grad=True)
    y = routed_experts(
        x, weights, torch.empty(0, 2, dtype=torch.int64), torch.empty(0, 2),
        activation="silu", implementation=kernels,
    )  # fmt: skip
    assert y.shape == (0, 8)
    assert torch.autograd.grad(y.sum(), x)[0].shape == (0, 8)


@pytest.mark.parametrize("int8", [False, True])
def test_both_ways_on_a_cpu_agree(
    make_experts, monkeypatch: pytest.MonkeyPatch, int8: bool
) -> None:
    weights, (x, ids, shares) = (
        make_experts(3, HIDDEN, INTERMEDIATE, int8=int8),
        inputs(Case(30, 3, 2)),
    )
    monkeypatch.setattr(cpu, "_TILE", 10 * HIDDEN)
    results = []
    for limit in (0, 20, 100):
        monkeypatch.setattr(cpu, "product_rows", lambda _, limit=limit: limit)
        with torch.no_grad():
            results.append(routed_experts(x, weights, ids, shares, activation="silu"))
    for other in results[1:]:
        close(other, results[0])


def test_huge_inputs_give_no_nan(make_experts) -> None:
    weights = make_experts(2, 8, 6)
    x = torch.full((3, 8), 1e18)
    ids = torch.tensor([[0, 1]] * 3)
    with torch.no_grad():
        y = routed_experts(x, weights, ids, torch.rand(3, 2), activation="silu")
    assert not y.isnan().any()


@pytest.mark.parametrize("wrong", [-1, 3])
def test_an_id_that_no_expert_has_is_refused(make_experts, wrong: int) -> None:
    with pytest.raises(DataError, match="expected 0 to 2"):
        routed_experts(
            torch.randn(1, 8), make_experts(3, 8, 6), torch.tensor([[0, wrong]]), torch.ones(1, 2),
            activation="silu",
        )  # fmt: skip


def test_weights_and_scales_belong_together(make_experts) -> None:
    int8, plain = make_experts(2, 8, 6, int8=True), make_experts(2, 8, 6)
    x, ids, shares = torch.randn(1, 8), torch.tensor([[0]]), torch.ones(1, 1)
    with pytest.raises(DataError, match="scales are missing"):
        routed_experts(x, ExpertWeights(*int8[:2]), ids, shares, activation="silu")
    with pytest.raises(DataError, match="scales are given"):
        routed_experts(x, plain._replace(down_scale=int8.down_scale, gate_up_scale=int8[2]), ids,
                       shares, activation="silu")  # fmt: skip
    with pytest.raises(DataError, match=r"torch.float32 and their inputs torch.bfloat16"):
        routed_experts(x.bfloat16(), plain, ids, shares.bfloat16(), activation="silu")


def test_float16_on_a_cpu_has_the_reference_only(make_experts) -> None:
    weights, x = make_experts(2, 8, 6, torch.float16), torch.randn(3, 8).half()
    ids, shares = torch.tensor([[0, 1]] * 3), torch.rand(3, 2).half()
    assert routed_experts(x, weights, ids, shares, activation="silu").dtype == torch.float16
    with pytest.raises(ConfigError, match="kernels=cpu"):
        routed_experts(x, weights, ids, shares, activation="silu", implementation="cpu")


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_widest_products_are_saved_where_checkpointing_lets_go_of_them(
    make_experts, kernels: str
) -> None:
    case = Case(6, 4, 2)
    x, ids, shares = inputs(case)
    saved: list[torch.Size] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        routed_experts(
            x,
            make_experts(4, HIDDEN, INTERMEDIATE),
            ids,
            shares,
            activation="silu",
            implementation=kernels,
        )
    assert torch.Size((12, 2 * INTERMEDIATE)) in saved
