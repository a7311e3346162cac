"""Which cases run on which backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import keras

T = TypeVar("T")


def fewer(cases: Iterable[T], step: int) -> list[T]:
    """All cases on TensorFlow, every ``step``-th from the first on elsewhere.

    JAX compiles nearly every operation for every shape, and PyTorch takes many small steps; what the cases differ in is mostly
    the graph, and less what a backend makes of it.
    """
    every = list(cases)
    return every if keras.backend.backend() == "tensorflow" else every[::step]
