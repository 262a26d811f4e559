"""What the kernels share: memory by address, maths, threads.

Two kinds of numba code are used, because each is the faster one for some kernels:

* Loops over single numbers that LLVM vectorises: ``memory`` (loads and stores) and ``scalar_math``.
* Code on sixteen numbers that must stay in vector registers: ``lanes`` and ``lane_math`` of
  ``spider.kernels``, and ``rows`` (loads and stores of any kind of number).

Both share addresses, kinds and roundings. ``exp2`` and ``sigmoid`` exist twice: a lane's
polynomials cost more and are exact near zero, which a recurrence needs.

Beside them: ``products`` (a few rows times a matrix), ``operands`` (tensors to addresses),
``threads`` and ``shared_work`` (who computes what) and ``triton_math`` (activations in Triton).
"""
