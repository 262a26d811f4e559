import itertools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.cpu import launch as cpu
from jamba_reader.ops.selective_scan.op import selective_scan
from jamba_reader.ops.selective_scan.operands import ScanInputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference

PROPERTY = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def scan(inputs, lengths, **options):
    return selective_scan(
        *inputs[:8], Segments(lengths), inputs.initial_state, implementation="cpu", **options
    )


def relative(got, expected):
    if not expected.numel():
        return 0.0
    return ((got - expected).abs().max() / expected.abs().max().clamp(min=1e-30)).item()


@PROPERTY
@given(
    lengths=st.lists(st.integers(0, 150), min_size=1, max_size=3),
    channels=st.integers(1, 70),
    states=st.sampled_from((1, 4, 7, 16, 18)),
    gated=st.booleans(),
    initial=st.booleans(),
    bfloat16=st.booleans(),
    seed=st.integers(0, 99),
)
def test_outputs_and_states_are_the_references(
    make_inputs, in_float64, lengths, channels, states, gated, initial, bfloat16, seed
):
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    inputs = make_inputs(
        lengths, channels, states, dtype=dtype, gated=gated, initial=initial, seed=seed
    )
    got = scan(inputs, lengths)
    expected = selective_scan_reference(in_float64(inputs), Segments(lengths))
    assert got.y.dtype == dtype
    assert got.final_state.dtype == torch.float32
    # a sum of 150 terms that cancel has 2.05e-6; the polynomial of exp2 allows 4e-6
    assert relative(got.y, expected.y) < (5e-3 if bfloat16 else 4e-6)
    assert relative(got.final_state, expected.final_state) < 4e-6


def test_what_lies_beside_a_narrow_output_is_not_touched(make_inputs):
    """The last tile of channels is narrower than a register."""
    inputs = make_inputs((5,), 19, 3)
    y = torch.full((5, 40), 7.0)
    table = cpu._table(inputs, (y[:, :19],))
    size, scratch = cpu._scratch(cpu.forward_scratch_bytes(3))
    final = torch.empty(1, 19, 3)
    cpu.scan_forward(
        table,
        cpu._addresses(None, final, None),
        cpu._starts(Segments((5,))),
        scratch.data_ptr(),
        size,
    )
    assert torch.all(y[:, 19:] == 7.0)
    expected = scan(inputs._replace(initial_state=None), (5,))
    assert torch.equal(y[:, :19], expected.y)
    assert torch.equal(final, expected.final_state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("channels", "states"), [(37, 16), (20, 5), (700, 16), (5, 35)])
def test_one_token_of_every_sequence(make_inputs, in_float64, channels, states, dtype):
    """The step kernel, on one thread and, where there is more to do, on all."""
    lengths = (1,) * (4 if channels < 100 else 8)
    inputs = make_inputs(lengths, channels, states, dtype=dtype)
    many = len(lengths) * channels * states > cpu.PARALLEL_STEP_UPDATES
    assert many == (channels == 700)
    got = scan(inputs, lengths)
    expected = selective_scan_reference(in_float64(inputs), Segments(lengths))
    assert relative(got.y, expected.y) < (5e-3 if dtype == torch.bfloat16 else 2e-6)
    assert relative(got.final_state, expected.final_state) < 2e-6
    fresh = inputs._replace(initial_state=None)
    got = scan(fresh, lengths)
    expected = selective_scan_reference(in_float64(fresh), Segments(lengths))
    assert relative(got.final_state, expected.final_state) < 2e-6


def test_sequences_do_not_know_of_each_other(make_inputs):
    lengths = (70, 0, 3, 129)
    inputs = make_inputs(lengths, 20, 4)
    together = scan(inputs, lengths)
    for sequence, rows in enumerate(Segments(lengths).slices):
        alone = [t[rows] if t is not None and t.shape[0] == sum(lengths) else t for t in inputs]
        alone[8] = inputs.initial_state[sequence : sequence + 1]
        got = scan(ScanInputs(*alone), (lengths[sequence],))
        assert torch.equal(got.y, together.y[rows])
        assert torch.equal(got.final_state[0], together.final_state[sequence])
    assert torch.equal(together.final_state[1], inputs.initial_state[1])


@PROPERTY
@given(cuts=st.lists(st.integers(0, 200), max_size=6))
def test_any_split_of_a_sequence_gives_the_same(make_inputs, cuts):
    """Pieces of any length, of one token and of none, each from the state before it."""
    inputs = make_inputs((200,), 18, 4)
    whole = scan(inputs, (200,))
    state, pieces = inputs.initial_state, []
    for start, stop in itertools.pairwise([0, *sorted(cuts), 200]):
        part = [t[start:stop] if t.shape[0] == 200 else t for t in inputs]
        output = scan(ScanInputs(*part[:8], state), (stop - start,))
        state = output.final_state
        pieces.append(output.y)
    assert relative(torch.cat(pieces), whole.y) < 1e-6
    assert relative(state, whole.final_state) < 1e-6


def leaves_of(inputs):
    return ScanInputs(*(None if t is None else t.detach().requires_grad_() for t in inputs))


def gradients(inputs, lengths, implementation, dy, dfinal):
    """Gradients of every input, in ``ScanInputs``'s order."""
    inputs = leaves_of(inputs)
    output = selective_scan(
        *inputs[:8], Segments(lengths), inputs.initial_state, implementation=implementation
    )
    loss = output.final_state.new_zeros(())
    if dy is not None:
        loss = loss + (output.y * dy).sum()
    if dfinal is not None:
        loss = loss + (output.final_state * dfinal).sum()
    wanted = [tensor for tensor in inputs if tensor is not None]
    return torch.autograd.grad(loss, wanted, allow_unused=True)


@pytest.mark.parametrize(
    ("lengths", "channels", "states", "gated", "initial", "reached"),
    [
        ((40, 0, 131), 37, 16, True, True, "both"),
        ((7, 1, 80), 20, 5, False, True, "both"),
        ((70,), 300, 6, True, False, "both"),
        ((70, 3), 17, 4, True, True, "outputs"),
        ((70, 0, 3), 17, 4, True, True, "states"),
        ((1, 1), 17, 4, True, True, "both"),
    ],
)
def test_gradients_are_the_references(
    make_inputs, in_float64, lengths, channels, states, gated, initial, reached
):
    inputs = make_inputs(lengths, channels, states, gated=gated, initial=initial)
    source = torch.Generator().manual_seed(1)
    dy = torch.randn(sum(lengths), channels, generator=source)
    dfinal = torch.randn(len(lengths), channels, states, generator=source)
    given_gradients = (
        dy if reached != "states" else None,
        dfinal if reached != "outputs" else None,
    )
    got = gradients(inputs, lengths, "cpu", *given_gradients)
    expected = gradients(in_float64(inputs), lengths, "reference", *given_gradients)
    for mine, theirs in zip(got, expected, strict=True):
        if theirs is None:
            assert torch.all(mine == 0)
        else:
            assert mine.shape == theirs.shape
            assert relative(mine, theirs) < 3e-6


def test_gradients_of_bfloat16(make_inputs, in_float64):
    inputs = make_inputs((90,), 33, 8, dtype=torch.bfloat16)
    dy = torch.randn(90, 33, generator=torch.Generator().manual_seed(1)).bfloat16()
    got = gradients(inputs, (90,), "cpu", dy, None)
    expected = gradients(in_float64(inputs), (90,), "reference", dy.double(), None)
    leaves = [tensor for tensor in inputs if tensor is not None]
    for mine, theirs, leaf in zip(got, expected, leaves, strict=True):
        assert mine.dtype == leaf.dtype
        assert relative(mine, theirs) < 5e-3


def test_gradients_do_not_depend_on_threads(make_inputs):
    inputs = make_inputs((70, 65), 600, 4)
    dy = torch.randn(135, 600, generator=torch.Generator().manual_seed(1))
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            found.append(gradients(inputs, (70, 65), "cpu", dy, None))
    finally:
        torch.set_num_threads(before)
    for one, two, again in zip(*found, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(two, again)


def test_nothing_of_the_size_of_all_states_is_allocated(make_inputs):
    """[tokens, channels, states] would be 16 times x; kept block states are a quarter of it."""
    inputs = make_inputs((2048,), 64, 16)
    _, blocks = cpu.scan(inputs, Segments((2048,)), keep_blocks=True)
    assert blocks.numel() * 4 == inputs.x.numel()
    assert cpu.backward_scratch_bytes(16) < 2**19


def test_parameters_in_float64_are_read_as_float32(make_inputs):
    inputs = make_inputs((9,), 5, 3)
    wide = inputs._replace(D=inputs.D.double(), dt_bias=inputs.dt_bias.double())
    assert torch.equal(scan(wide, (9,)).y, scan(inputs, (9,)).y)


def test_no_sequences_and_no_tokens(make_inputs):
    inputs = make_inputs((0, 0), 5, 3)
    output = scan(inputs, (0, 0))
    assert output.y.shape == (0, 5)
    assert torch.equal(output.final_state, inputs.initial_state)
    inputs = make_inputs((), 5, 3)
    assert scan(inputs, ()).final_state.shape == (0, 5, 3)


def test_what_is_not_a_number_stays_so(make_inputs):
    inputs = make_inputs([6], channels=20, states=16)
    inputs.dt[2, 3] = torch.nan
    outputs, states = scan(inputs, [6])
    assert outputs[:2].isfinite().all()
    assert outputs[2:, 3].isnan().all()
    assert states[0, 3].isnan().all()
    assert outputs[:, :3].isfinite().all()


@pytest.mark.parametrize("lengths", [(6,), (1, 1)])
def test_a_decay_that_is_not_a_number_stays_so(make_inputs, lengths):
    inputs = make_inputs(lengths, channels=20, states=16)
    inputs.A[3, 5] = torch.nan
    outputs, states = scan(inputs, lengths)
    assert outputs[:, 3].isnan().all()
    assert states[:, 3, 5].isnan().all()
    assert outputs[:, :3].isfinite().all()
