"""Memory that ran out, in whatever words a library says it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from genokeras.errors import GenoKerasError, OutOfMemoryError

_P = ParamSpec("_P")
_T = TypeVar("_T")
# Of TensorFlow and of PyTorch; JAX, and PyTorch on a processor, raise a RuntimeError that says it.
_NAMES = ("ResourceExhaustedError", "OutOfMemoryError")
_WORDS = re.compile(r"RESOURCE_EXHAUSTED|out of memory|can't allocate memory", re.IGNORECASE)
_SIZE = re.compile(r"allocat\w*:?[^.\n]*?(\d[\d.,]* ?(?:[KMGT]i?B|bytes))")
_SHAPE = re.compile(r"shape ?(\[[\d,]+\]|\([\d, ]+\))")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there was too little memory, of the machine or of its graphics card."""
    if isinstance(error, MemoryError) or type(error).__name__ in _NAMES:
        return True
    return isinstance(error, RuntimeError) and bool(_WORDS.search(str(error)))


def asked_for(error: BaseException) -> str:
    """How much was asked for at last, such as " (2.98 GiB were asked for)", as far as the error says it."""
    text = str(error)
    if size := _SIZE.search(text):
        return f" ({size[1]} were asked for)"
    shape = _SHAPE.search(text)
    return f" (an array of shape {shape[1]} was asked for)" if shape else ""


def failure_text(error: BaseException) -> str:
    """What is written of a trial that raised: its traceback; where memory ran out, what can be done."""
    if not is_out_of_memory(error):
        return "".join(traceback.format_exception(error))
    return (
        f"there was not enough memory to train this network{asked_for(error)}, even alone. Use fewer features, smaller fathers or a "
        "machine with more memory."
    )


@contextmanager
def memory_named(what: str) -> Iterator[None]:
    """Say of what there was too much.

    Raises
    ------
    OutOfMemoryError
        In place of the errors of Python and of backends.
    """
    try:
        yield
    except GenoKerasError:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            f"there is not enough memory for {what}{asked_for(error)}. Use fewer features or samples, or a machine with more memory; "
            "the same path can be used again."
        ) from error


def naming_memory(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function within `memory_named`, of the samples it is given."""

    @wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with memory_named("these samples"):
            return function(*args, **kwargs)

    return called
