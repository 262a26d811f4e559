"""Addresses and settings that were read from a model's modules, and a check that they are valid."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakMethod, ref

from torch import Tensor, nn

from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.model.layers.plain import is_plain
from jamba_reader.model.layers.rms_norm import RMSNorm


class NotOurs(Exception):  # noqa: N818
    """A module was changed or has hooks, so the layers have to run."""


class _Seen(NamedTuple):
    """The facts read from one module; the references are weak, so its weights can be freed."""

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
        if module is None or not is_plain(module, kind):
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
    """The facts read from a model, and a check that they are valid.

    The check takes a seventh of the time of another reading. It notices a weight or module that was
    moved or replaced, a changed setting, a hook, and an instance's own ``forward``. Like PyTorch,
    it does not notice a view of other strides at the same address.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._decays: list[tuple[WeakMethod[Callable[[], Tensor]], Tensor]] = []

    def holds(self, head: nn.Module) -> bool:
        """Return whether another reading, with this head, would give the same."""
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
        """Return the module if a call of it only runs the code of its class.

        Args:
            module: the module to read.
            kinds: the classes that it may have.
            settings: the attributes that it must have.

        Raises:
            NotOurs: it has another class or attribute, or hooks.
        """
        kind = type(module)
        if module is None or kind not in kinds or not is_plain(module, kind):
            raise NotOurs
        if any(getattr(module, name) != value for name, value in settings.items()):
            raise NotOurs
        seen = _Seen(ref(module), kind, list(settings.items()), [], [], [], [])
        self._seen[id(module)] = seen
        return module

    def child(
        self, module: nn.Module, name: str, *kinds: type[nn.Module], **settings: object
    ) -> Any:
        """Return a module's child; see :meth:`module` for the arguments."""
        child = self.module(module._modules.get(name), *kinds, **settings)
        self._seen[id(module)].children.append((name, ref(child)))
        return child

    def address(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return the address of a parameter or buffer.

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
        """Return 0, the address of a parameter that must be absent.

        Raises:
            NotOurs: there is one.
        """
        if module._parameters.get(name) is not None:
            raise NotOurs
        self._seen[id(module)].absent.append(name)
        return 0

    def optional(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return the address of a tensor; 0 if there is none."""
        if module._buffers.get(name) is None and module._parameters.get(name) is None:
            return self.absent(module, name)
        return self.address(module, name, *shape)

    def matrix(self, module: nn.Module, name: str, outputs: int, inputs: int) -> int:
        """Return the address of the weight of a linear layer without bias."""
        linear = self.child(module, name, Linear)
        self.absent(linear, "bias")
        return self.address(linear, "weight", outputs, inputs)

    def norm(self, module: nn.Module, name: str, width: int, eps: float) -> int:
        """Return the address of the weight of a norm."""
        return self.address(self.child(module, name, RMSNorm, eps=eps), "weight", width)

    def decay(self, mixer: MambaMixer, channels: int, states: int) -> int:
        """Return the address of A; A is kept, since it is computed from a weight."""
        self.address(mixer, "A_log", channels, states)
        decay = mixer.decay()
        self._decays.append((WeakMethod(mixer.decay), decay))
        return decay.data_ptr()
