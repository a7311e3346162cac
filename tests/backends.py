"""Which cases run on which backend, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import keras

from genokeras.support.backends import current_backend

T = TypeVar("T")


def fewer(cases: Iterable[T], step: int) -> list[T]:
    """All cases on TensorFlow, every ``step``-th from the first on elsewhere.

    JAX compiles nearly every operation for every shape, and PyTorch takes many small steps; what the cases differ in is mostly
    the graph, and less what a backend makes of it.
    """
    every = list(cases)
    return every if keras.backend.backend() == "tensorflow" else every[::step]


def at_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function; on JAX as one program, because each operation by itself would be compiled for each shape."""
    return current_backend().compile(function) if keras.backend.backend() == "jax" else function
