"""Compile what the operations launch, at a real model's sizes, without a GPU or its memory.

Run as a script: the operations get tensors without data, each launch is compiled instead of run,
and a line per kernel is printed: its name, the shared memory it takes and that of its GPU.
"""

# ruff: noqa: T201

from collections.abc import Callable
from typing import Any

import torch
import triton
from torch import Tensor
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from jamba_reader.ops.attention.gpu import launch as attention
from jamba_reader.ops.causal_conv1d.gpu import launch as convolution
from jamba_reader.ops.experts.gpu import launch as experts
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.gated_activation.gpu import launch as activation
from jamba_reader.ops.rms_norm.gpu import launch as norm
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.gpu import launch as scan
from jamba_reader.ops.selective_scan.operands import ScanInputs

KINDS = {
    torch.bfloat16: "*bf16",
    torch.float32: "*fp32",
    torch.int8: "*i8",
    torch.int32: "*i32",
    torch.int64: "*i64",
}
#: compute capability and bytes of shared memory that a program may have
H100, L40 = (90, 227 * 1024), (89, 99 * 1024)
BFLOAT16, FLOAT32 = torch.bfloat16, torch.float32
gpu = H100
wanted = ""
seen: set[str] = set()


def compile_launch(kernel: Any, *places: Any, grid: Any, warmup: bool, **options: Any) -> None:
    """Compile a kernel for the arguments that a launch gives it, as Triton specialises on them."""
    values = dict(zip(kernel.arg_names, places, strict=False))
    values |= {name: options.pop(name) for name in tuple(options) if name in kernel.arg_names}
    signature, constants, attributes = {}, {}, {}
    for place, parameter in enumerate(kernel.params):
        value = values[parameter.name]
        signature[parameter.name] = kind = _kind(value, parameter.is_constexpr)
        if kind == "constexpr":
            constants[(place,)] = value
        elif isinstance(value, Tensor) or (isinstance(value, int) and value % 16 == 0):
            attributes[(place,)] = [["tt.divisibility", 16]]
    key = f"{kernel.__name__} {gpu} {signature} {constants} {attributes} {options}"
    if wanted not in kernel.__name__ or key in seen:
        return
    seen.add(key)
    source = ASTSource(kernel, signature, constants, attributes)
    made = triton.compile(source, target=GPUTarget("cuda", gpu[0], 32), options=options)
    print(kernel.__name__, made.metadata.shared, gpu[1], flush=True)


def _kind(value: Any, constant: bool) -> str:
    if constant or value is None or (isinstance(value, int) and value == 1):
        return "constexpr"
    if isinstance(value, Tensor):
        return KINDS[value.dtype]
    return "i32" if isinstance(value, int) else "fp32"


def empty(*shape: int, dtype: torch.dtype = BFLOAT16) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def route_to_experts(tokens: int, dtype: torch.dtype, *, int8: bool, backward: bool) -> None:
    count, hidden, width = 16, 4096, 14336
    kind = torch.int8 if int8 else dtype
    weights = ExpertWeights(
        empty(count, 2 * width, hidden, dtype=kind),
        empty(count, hidden, width, dtype=kind),
        empty(count, 2 * width, dtype=FLOAT32) if int8 else None,
        empty(count, hidden, dtype=FLOAT32) if int8 else None,
    )
    x, shares = empty(tokens, hidden, dtype=dtype), empty(tokens, 2, dtype=dtype)
    ids = empty(tokens, 2, dtype=torch.int64)
    y, kept = experts.forward(x, weights, ids, shares, "silu", keep=backward)
    if kept is not None:
        asked = {"of_x": True, "of_weights": not int8}
        experts.backward(y, kept, x, weights, shares, "silu", **asked)


def decode(dtype: torch.dtype, head_dim: int) -> None:
    query, memory = empty(4, 32, head_dim, dtype=dtype), empty(4, 8, 4096, head_dim, dtype=dtype)
    lengths = empty(4, dtype=torch.int64)
    mixed, logs = attention.decode_forward(query, memory, memory, lengths, 4000, 0.1)
    attention.decode_backward(mixed, query, memory, memory, lengths, 4000, 0.1, mixed, logs)


def scan_all(segments: Segments, *, state: bool) -> None:
    channels, states, tokens = 512, 16, segments.total
    rows, columns = empty(tokens, channels), empty(channels)
    inputs = ScanInputs(
        rows,
        rows,
        empty(channels, states, dtype=FLOAT32),
        empty(tokens, states),
        empty(tokens, states),
        columns,
        columns,
        rows,
        empty(len(segments), channels, states, dtype=FLOAT32) if state else None,
    )
    out, kept = scan.scan(inputs, segments, keep_blocks=not segments.single_tokens)
    if kept is not None:
        scan.scan_gradients(inputs, segments, kept, out.y, out.final_state)


def narrow(dtype: torch.dtype) -> None:
    """Everything but products, scans and attention."""
    x, gate_up = empty(300, 4096, dtype=dtype), empty(300, 28672, dtype=dtype)
    scale = empty(4096, dtype=dtype)
    norm.forward(x, None, scale, 1e-6)
    _, total = norm.forward(x, x, scale, 1e-6)
    norm.backward(x, x, total, scale, 1e-6)
    activation.backward(activation.forward(gate_up, 1), gate_up, 1)
    segments = Segments((100, 0, 200))
    weight, history = empty(4096, 4, dtype=dtype), empty(3, 3, 4096, dtype=dtype)
    convolution.forward(x, weight, scale, segments, history, 1)
    convolution.backward(x, history, x, weight, scale, segments, history, 1)


def gate_and_up(dtype: torch.dtype, sizes: tuple[int, ...]) -> None:
    """The product that takes most shared memory."""
    for tokens in sizes:
        route_to_experts(tokens, dtype, int8=False, backward=False)


def compile_for(which: tuple[int, int], kernels: str, work: Callable[[], None]) -> None:
    """Do the work, compiling for a GPU the kernels whose name has this in it."""
    global gpu, wanted
    gpu, wanted = which, kernels
    work()


JITFunction.run = compile_launch
experts.shared_memory = lambda device: gpu[1]
compile_for(H100, "", lambda: narrow(BFLOAT16))
compile_for(H100, "", lambda: decode(BFLOAT16, 128))
compile_for(H100, "", lambda: scan_all(Segments((4096,)), state=True))
compile_for(H100, "scan", lambda: scan_all(Segments((1, 1)), state=True))
compile_for(H100, "", lambda: route_to_experts(4096, BFLOAT16, int8=False, backward=True))
compile_for(H100, "", lambda: route_to_experts(512, BFLOAT16, int8=True, backward=True))
compile_for(H100, "", lambda: route_to_experts(16, BFLOAT16, int8=True, backward=False))
compile_for(
    H100, "weight_gradient", lambda: route_to_experts(512, FLOAT32, int8=False, backward=True)
)
# few, some and many rows per expert have tiles of their own; bfloat16's of many are done above
for which, dtype, sizes in (
    (H100, BFLOAT16, (16, 512)),
    (H100, FLOAT32, (16, 512, 4096)),
    (L40, BFLOAT16, (16, 512, 4096)),
    (L40, FLOAT32, (16, 4096)),
):
    compile_for(which, "gate_up", lambda dtype=dtype, sizes=sizes: gate_and_up(dtype, sizes))
compile_for(L40, "attend", lambda: decode(FLOAT32, 128))
compile_for(L40, "differentiate", lambda: decode(FLOAT32, 128))
