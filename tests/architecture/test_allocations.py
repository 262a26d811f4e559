"""Memory that native code writes by address does not depend on PyTorch's defaults.

``torch.set_default_dtype`` and ``torch.set_default_device`` change what a factory function returns.
A kernel that then writes float32 by address writes beyond its memory. ``new_empty``, ``empty_like``
and their like take both from a tensor, so no default reaches them.
"""

import ast
import textwrap
from typing import Any

#: the functions whose result a default of PyTorch changes
FACTORIES = {
    "arange", "as_tensor", "asarray", "empty", "empty_permuted", "empty_strided", "eye", "full",
    "linspace", "logspace", "ones", "rand", "randint", "randn", "randperm", "range",
    "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros",
}  # fmt: skip


def unnamed(tree: ast.AST, options: frozenset[str]) -> list[tuple[int, str]]:
    """Return the lines of factory calls that do not name all options, with the function."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        named = {keyword.arg for keyword in node.keywords}
        of_torch = getattr(node.func.value, "id", "") == "torch"
        if of_torch and node.func.attr in FACTORIES and not options <= named:
            found.append((node.lineno, node.func.attr))
    return found


def test_every_tensor_of_the_engine_names_its_dtype_and_device(modules: list[Any]) -> None:
    both = frozenset({"dtype", "device"})
    found = [
        f"{module.file}:{line}: torch.{name}"
        for module in modules
        if module.package == "jamba_reader"
        for line, name in unnamed(module.tree, both)
    ]
    assert not found, f"name dtype= and device=: {', '.join(found)}"


def test_every_numpy_array_of_a_kernel_names_its_dtype(modules: list[Any]) -> None:
    """``np.empty(n)`` is float64, of which a kernel that counts in four bytes fills one half."""
    by_place = {"empty": 1, "zeros": 1, "ones": 1, "full": 2}
    for module in modules:
        if not module.name.startswith("jamba_reader.ops."):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place = by_place.get(node.func.attr)
                if place is None or getattr(node.func.value, "id", "") != "np":
                    continue
                named = any(keyword.arg == "dtype" for keyword in node.keywords)
                # np.full takes the type of its value, which numba knows
                given = len(node.args) > place or node.func.attr == "full"
                assert named or given, f"{module.file}:{node.lineno}: np.{node.func.attr}"


def test_the_rule_finds_what_it_forbids() -> None:
    source = textwrap.dedent(
        """
        torch.empty(3)
        torch.zeros(3, dtype=torch.float32)
        torch.full((2,), 1.0, device="cpu")
        torch.tensor([1.0], dtype=torch.float32, device="cpu")
        like.new_empty(3)
        torch.empty_like(like)
        """
    )
    found = unnamed(ast.parse(source), frozenset({"dtype", "device"}))
    assert [name for _, name in found] == ["empty", "zeros", "full"]
