"""Jobs whose pieces several threads share, within one parallel loop of numba.

Starting and joining threads for each matrix of a model costs little on an idle machine. On a busy
one, every join waits some milliseconds until the system has run each thread. Here threads are
started once for many jobs. The first to arrive leads and posts job after job; all running threads
take pieces of it, and a job is over when its pieces are done. A thread that the system does not run
has taken no piece, so no other thread waits for it.

A *board* is memory of ``BOARD`` int64, zeros at first, which the threads of one loop share.
"""

from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from spider.compilation import njit

_INT64 = ir.IntType(64)
# a cache line apart, so that a write to one word does not slow down reads of another
_ARRIVED, _TICKET, _DONE, _OVER = 0, 64, 128, 192
BOARD = 32

_BITS = 24
_MASK = (1 << _BITS) - 1
_GENERATIONS = (1 << 15) - 1
# few enough to cost nothing, enough to balance the threads (measured)
_SHARES = 4


@no_type_check
def _pointer(builder, address):
    return builder.inttoptr(address, _INT64.as_pointer())


@intrinsic
@no_type_check
def _fetch_add(typing_context, address, value):
    """Add to a word; returns its old value."""

    def generate(context, builder, signature, operands):
        return builder.atomic_rmw("add", _pointer(builder, operands[0]), operands[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
@no_type_check
def _fetch(typing_context, address):
    """Read a word."""

    def generate(context, builder, signature, operands):
        return builder.load_atomic(_pointer(builder, operands[0]), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
@no_type_check
def _put(typing_context, address, value):
    """Write a word."""

    def generate(context, builder, signature, operands):
        pointer = _pointer(builder, operands[0])
        builder.store_atomic(operands[1], pointer, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
@no_type_check
def _replace(typing_context, address, expected, value):
    """Write a word if it has the expected value; returns whether it had."""

    def generate(context, builder, signature, operands):
        pointer = _pointer(builder, operands[0])
        result = builder.cmpxchg(pointer, operands[1], operands[2], "seq_cst", "seq_cst")
        return builder.extract_value(result, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@njit
@no_type_check
def leads(board):
    """Return whether the calling thread is the first."""
    return _fetch_add(board + _ARRIVED, 1) == 0


@njit
@no_type_check
def post(board, pieces):
    """Post a job, whose description is already written. Only the leader, one job at a time."""
    _put(board + _DONE, 0)
    generation = (_fetch(board + _TICKET) >> (2 * _BITS)) + 1
    _put(board + _TICKET, ((generation & _GENERATIONS) << (2 * _BITS)) | (pieces << _BITS))


@njit
@no_type_check
def take(board, threads):
    """Take some pieces of the job; returns the first and the end, equal if there are none left."""
    while True:
        ticket = _fetch(board + _TICKET)
        first, pieces = ticket & _MASK, (ticket >> _BITS) & _MASK
        if first >= pieces:
            return 0, 0
        # job and place are one word and change at once: no thread takes from an old job
        last = min(first + max(1, pieces // (threads * _SHARES)), pieces)
        if _replace(board + _TICKET, ticket, ticket + last - first):
            return first, last


@njit
@no_type_check
def give_back(board, pieces):
    """Report that this many pieces are done."""
    _fetch_add(board + _DONE, pieces)


@njit
@no_type_check
def wait_for(board, pieces):
    """Wait until others have done what they took. Only the leader."""
    while _fetch(board + _DONE) < pieces:
        pass


@njit
@no_type_check
def end(board):
    """Say that there are no more jobs. Only the leader."""
    _put(board + _OVER, 1)


@njit
@no_type_check
def is_over(board):
    """Return whether there will be no more jobs."""
    return _fetch(board + _OVER) != 0
