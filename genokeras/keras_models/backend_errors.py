"""Errors of a backend within a step, as errors that say what was done when they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genokeras.errors import GenoKerasError, TrainingError
from genokeras.support.memory import is_out_of_memory
from genokeras.support.wording import cause

# TensorFlow's are no RuntimeError, and its module is not imported here.
_NAMES = ("InvalidArgumentError",)
_ADVICE = "Look for NaN in the data, and for targets that the loss does not take."


@contextmanager
def backend_errors_named(
    what: Callable[[], str], kinds: tuple[type[Exception], ...] = (RuntimeError, IndexError)
) -> Iterator[None]:
    """Raise what a backend raises as a ``TrainingError``.

    Parameters
    ----------
    what : callable
        Returns what has failed, and what holds now.
    kinds : tuple of type
        Errors that are named; those of missing memory stay as they are, and so do GenoKeras' own.

    Raises
    ------
    TrainingError
    """
    try:
        yield
    except GenoKerasError:
        raise
    except Exception as error:
        named = isinstance(error, kinds) or type(error).__name__ in _NAMES
        if not named or is_out_of_memory(error):
            raise
        raise TrainingError(f"{what()}: {_cause(error)}. {_ADVICE}") from error


def _cause(error: Exception) -> str:
    """The first line that says something: TensorFlow says first where in the graph it was."""
    _, in_graph, rest = str(error).partition("defined at (most recent call last):")
    lines = [line for line in rest.splitlines() if line.strip() and line[0] not in " \t<"]
    return lines[0].strip().rstrip(".") if in_graph and lines else cause(error)
