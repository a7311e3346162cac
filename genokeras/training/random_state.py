"""Random numbers that belong to no layer: their seed and their state."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import keras
import numpy as np

_SEED = "seed_generator_state"  # in the paths of Keras' variables


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Keras and its backend seeded; Python's and NumPy's own random numbers continue behind it as if nothing had happened."""
    python, numpy = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def seed_noise(model: keras.Model) -> None:
    """Start PyTorch's own generators from the random states of a net's layers, so that its noise begins as it would on other backends.

    Keras' dropout draws from them there, and not from the state of its layer. A net without such states leaves them as they are.
    """
    if keras.backend.backend() != "torch":
        return
    states = [keras.ops.convert_to_numpy(one).ravel() for one in model.variables if _SEED in one.path]
    if states:
        torch: Any = import_module("torch")
        mixed = np.random.SeedSequence(np.concatenate(states).astype("uint32").tolist())
        torch.manual_seed(int(mixed.generate_state(1)[0]))


def random_state() -> list[np.ndarray]:
    """States of PyTorch's own generators, from which Keras' dropout draws there; empty on other backends.

    Returns
    -------
    list of array of uint8
        That of the processor, and those of the graphics cards.
    """
    if keras.backend.backend() != "torch":
        return []
    torch: Any = import_module("torch")
    cards = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [state.numpy().copy() for state in (torch.get_rng_state(), *cards)]


def set_random_state(states: list[np.ndarray]) -> None:
    """Put back what :func:`random_state` returned; graphics cards that are not here are left out."""
    if not states or keras.backend.backend() != "torch":
        return
    torch: Any = import_module("torch")
    torch.set_rng_state(torch.from_numpy(np.array(states[0])))
    if torch.cuda.is_available():
        for card, state in enumerate(states[1 : 1 + torch.cuda.device_count()]):
            torch.cuda.set_rng_state(torch.from_numpy(np.array(state)), card)
