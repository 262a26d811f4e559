"""Reads the addresses of a model's weights, and checks whether the model has changed since."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakMethod, ref

from torch import Tensor, nn

from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.model.layers.rms_norm import RMSNorm


class NotOurs(Exception):  # noqa: N818
    """A module is not as the layers made it, or has hooks: the layers have to run."""


class _Seen(NamedTuple):
    """One module as it was read; holds no strong reference to it or its weights."""

    module: "ref[nn.Module]"
    kind: type[nn.Module]
    settings: list[tuple[str, object]]
    children: "list[tuple[str, ref[nn.Module]]]"
    parameters: "list[tuple[str, ref[Tensor], int]]"
    buffers: "list[tuple[str, ref[Tensor], int]]"
    absent: list[str]

    def holds(self) -> bool:
        """Return whether the module is unchanged."""
        found, kind, settings, children, parameters, buffers, absent = self
        module = found()
        if module is None or not _plain(module, kind):
            return False
        held = module.__dict__
        within, own = held["_modules"], held["_parameters"]
        for name, child in children:
            if within.get(name) is not child():
                return False
        for name in absent:
            if own.get(name) is not None:
                return False
        for name, value in settings:
            if getattr(module, name) != value:
                return False
        return _hold(parameters, own) and (not buffers or _hold(buffers, held["_buffers"]))


def _hold(tensors: "list[tuple[str, ref[Tensor], int]]", now: Mapping[str, Tensor | None]) -> bool:
    for name, tensor, address in tensors:
        held = now.get(name)
        if held is None or held is not tensor() or held.data_ptr() != address:
            return False
    return True


class Reading:
    """The weights' addresses of a model, and whether the model has changed since.

    The check takes a seventh of the time of reading again. It notices a weight or module that was
    moved or replaced, a changed setting, a hook, and a module's own ``forward``. It does not notice
    what PyTorch does not notice either, such as a view of other strides at the same address.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._decays: list[tuple[WeakMethod[Callable[[], Tensor]], Tensor]] = []

    def holds(self, head: nn.Module) -> bool:
        """Return whether reading again, with this head, would give the same addresses."""
        if id(head) not in self._seen:
            return False
        for seen in self._seen.values():
            if not seen.holds():
                return False
        return all(
            (compute := method()) is not None and compute() is decay
            for method, decay in self._decays
        )

    def module(self, module: nn.Module | None, *kinds: type[nn.Module], **settings: object) -> Any:
        """Return the module if calling it would do no more than its class does.

        Args:
            module: to read.
            kinds: of which it must be one.
            settings: that it must have.

        Raises:
            NotOurs: it is another, or has hooks.
        """
        kind = type(module)
        if module is None or kind not in kinds or not _plain(module, kind):
            raise NotOurs
        if any(getattr(module, name) != value for name, value in settings.items()):
            raise NotOurs
        seen = _Seen(ref(module), kind, list(settings.items()), [], [], [], [])
        self._seen[id(module)] = seen
        return module

    def child(
        self, module: nn.Module, name: str, *kinds: type[nn.Module], **settings: object
    ) -> Any:
        """Return a module's child; arguments as of ``module``."""
        child = self.module(module._modules.get(name), *kinds, **settings)
        self._seen[id(module)].children.append((name, ref(child)))
        return child

    def address(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return where a parameter or buffer is.

        Raises:
            NotOurs: there is none of this shape.
        """
        seen = self._seen[id(module)]
        tensor: Tensor | None = module._parameters.get(name)
        tensors = seen.parameters
        if tensor is None:
            tensor, tensors = module._buffers.get(name), seen.buffers
        if tensor is None or tensor.shape != shape:
            raise NotOurs
        tensors.append((name, ref(tensor), tensor.data_ptr()))
        return tensor.data_ptr()

    def absent(self, module: nn.Module, name: str) -> int:
        """Return the address of no parameter, 0.

        Raises:
            NotOurs: there is one.
        """
        if module._parameters.get(name) is not None:
            raise NotOurs
        self._seen[id(module)].absent.append(name)
        return 0

    def optional(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return where a tensor is; 0 where there is none."""
        if module._buffers.get(name) is None and module._parameters.get(name) is None:
            return self.absent(module, name)
        return self.address(module, name, *shape)

    def matrix(self, module: nn.Module, name: str, outputs: int, inputs: int) -> int:
        """Return where the weight of a linear layer without bias is."""
        linear = self.child(module, name, Linear)
        self.absent(linear, "bias")
        return self.address(linear, "weight", outputs, inputs)

    def norm(self, module: nn.Module, name: str, width: int, eps: float) -> int:
        """Return where the weight of a norm is."""
        return self.address(self.child(module, name, RMSNorm, eps=eps), "weight", width)

    def decay(self, mixer: MambaMixer, channels: int, states: int) -> int:
        """Return where A is; kept, for it is computed from a weight."""
        self.address(mixer, "A_log", channels, states)
        decay = mixer.decay()
        self._decays.append((WeakMethod(mixer.decay), decay))
        return decay.data_ptr()


def _plain(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Return whether calling the module does what its class says, and nothing else."""
    held = module.__dict__
    listeners = held["_forward_hooks"] or held["_forward_pre_hooks"]
    return type(module) is kind and not listeners and "forward" not in held
