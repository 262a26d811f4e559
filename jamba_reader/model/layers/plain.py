"""Whether a module's weights say all that a call of it would compute."""

from typing import TypeGuard, TypeVar

from torch import nn

Kind = TypeVar("Kind", bound=nn.Module)


def is_plain(module: nn.Module, kind: type[Kind]) -> TypeGuard[Kind]:
    """Return whether a call of the module only runs the code of a class.

    Adapters replace a module, hooks and an instance's own ``forward`` add to it. Code that takes
    the weights of such a module instead of calling it would silently ignore them.
    """
    held = module.__dict__
    listeners = held["_forward_hooks"] or held["_forward_pre_hooks"]
    return type(module) is kind and not listeners and "forward" not in held
