"""Sequences of several lengths: what stands beside a shorter one tells networks nothing."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.data import load_sequences
from genokeras.encoders import fit_sequence_encoder
from genokeras.estimators.sequence import Sequences
from genokeras.graph import HyperParameters
from genokeras.networks import build_network, start_weights
from genokeras.tasks.classes import Classes

HYPER = HyperParameters(0.01, 0.01, 0.0, "relu", "tensor")


def answer_in_rows_of(length: int, father: str) -> np.ndarray:
    """What an untrained network says of a sequence of 40 letters beside one of `length` letters."""
    rng = np.random.default_rng(0)
    short, longest = ("".join(rng.choice(list("ACGT"), size=n)) for n in (40, length))
    data = load_sequences([short, longest])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    graph = Sequences().fathers(encoder, Classes(2)).known[father]()
    network = build_network(graph, None, HYPER, weights=start_weights(graph, np.random.default_rng(1)))
    return np.asarray(network.predict_on_batch(encoder.tensor(encoder.rows(data))))[0]


@pytest.mark.parametrize("father", ["motif_cnn", "dilated_cnn", "small_cnn", "residual_cnn"])
def test_the_length_of_others_does_not_change_what_is_said_of_a_short_sequence(father: str) -> None:
    # Both leave room beside the 40 letters for all that a network sees, and the same number of letters to the next pool.
    np.testing.assert_allclose(answer_in_rows_of(208, father), answer_in_rows_of(336, father), atol=1e-4)
