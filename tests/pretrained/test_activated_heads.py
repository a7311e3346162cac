"""Probabilities from tasks with logits, with probabilities of their own, and with a single output."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from genokeras.pretrained.texts import _probabilities


def probabilities(scores: list[float], activation: object) -> np.ndarray:
    task = SimpleNamespace(
        preprocessor=lambda texts: {"token_ids": np.zeros((len(texts), 4))},
        predict=lambda tokens, batch_size, verbose: np.array([scores]),
        activation=activation,
    )
    return _probabilities(task, "a text")[0]


@pytest.mark.parametrize(
    ("scores", "activation", "expected"),
    [
        ([0.0, np.log(3.0)], keras.activations.linear, [0.25, 0.75]),
        ([0.0, np.log(3.0)], None, [0.25, 0.75]),
        ([0.25, 0.75], keras.activations.softmax, [0.25, 0.75]),
        ([np.log(3.0)], keras.activations.linear, [0.25, 0.75]),
        ([0.75], keras.activations.sigmoid, [0.25, 0.75]),
    ],
)
def test_scores_become_probabilities(scores: list[float], activation: object, expected: list[float]) -> None:
    np.testing.assert_allclose(probabilities(scores, activation), expected)
