"""Operations of the model: each folder holds one, with a readable reference and fast kernels.

The files of an operation, those that it needs:

* ``op.py``: the only module through which other packages call it. It checks the operands, picks an
  implementation for the device and dtype (``selection``), and differentiates.
* ``reference.py``: the operation in plain torch. Tests compare every kernel with it, in values and
  gradients.
* ``operands.py``: the named tuples that go in and come out.
* ``cpu/launch.py``: takes torch tensors and calls the numba kernels beside it.
* ``gpu/launch.py``: takes torch tensors and calls the Triton kernels beside it.
* ``gpu/cuda_package.py``: calls a third-party package with CUDA kernels.

Kernel modules are called ``forward``, ``backward``, ``step`` (one token per sequence), ``few_rows``
(few rows times a matrix), ``rows``, ``blocks`` or ``tiles`` (parts of the others), and ``layout``
(how work and memory are divided).

Other packages may also import ``segments``, ``selection``, ``activation``, ``forks``,
``operand_checks``, ``row_limits``, ``attention.key_value_memory`` and ``row_quantisation.format``.
An import contract in ``pyproject.toml`` keeps everything else private. ``machine`` holds what
kernels share.
"""
