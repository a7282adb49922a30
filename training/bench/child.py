"""A function in a process of its own, so that the memory it takes is its own and its crash nobody else's."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class ChildFailed(RuntimeError):
    """The function raised or its process died; the message ends with its traceback or names the exit code."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """What a function returned, and the highest memory of its process."""

    value: Value
    peak_mib: float


def run_fresh(function: Callable[..., Value], *arguments: Any) -> Outcome[Value]:
    """Call an importable function in a fresh interpreter.

    Raises:
        ChildFailed: it raised, or the process died.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        problem, value, peak = receiver.recv()
    except EOFError:
        process.join()
        raise ChildFailed(f"{function.__name__}: the process ended with exit code {process.exitcode}") from None
    finally:
        receiver.close()
    process.join()
    if problem:
        raise ChildFailed(f"{function.__name__}: {problem}")
    return Outcome(value, peak)


def peak_mib() -> float:
    """The most memory this process has had resident.

    Linux keeps `ru_maxrss` across exec, so that a child starts with its parent's peak; VmHWM is the process's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def _call(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        value, problem = function(*arguments), ""
    except Exception:
        value, problem = None, traceback.format_exc()
    sender.send((problem, value, peak_mib()))
    sender.close()
