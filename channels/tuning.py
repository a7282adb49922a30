"""What a process that answers for a long time asks of the libraries under it."""

from __future__ import annotations

import ctypes
from typing import Final

from threadpoolctl import ThreadpoolController

# Settings of malloc.h: from how many bytes on a piece is given back at once, and how many heaps threads have together.
_MALLOC: Final = {-3: 2**17, -1: 2**17, -8: 2}


def tune() -> None:
    """Have this process give memory back, and do sums of matrices in the thread that asks for them."""
    _give_memory_back()
    _sum_in_one_thread()


def _give_memory_back() -> None:
    """Have glibc give large pieces of memory back at once.

    It keeps more and more of them otherwise: 70 KB with every answer on the page, a third of that with these bounds.
    Other C libraries have no such setting, and none is needed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for setting, value in _MALLOC.items():
        mallopt(setting, value)


def _sum_in_one_thread() -> None:
    """Have OpenBLAS start no threads.

    They go on waiting busily after each product: comparing a question with 4,000 vectors took 20 ms of processor time
    on two cores, with one thread 0.24 ms, and by the clock as long. Questions have threads of their own already.
    """
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
