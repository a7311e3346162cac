"""Both sides of the race over rows a second train the same network on the same samples."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.spatial_sets import SpatialSet
from benchmarks.speed.spatial import make_case, rates
from genokeras.data import load_sequences
from tests.encoders.planted import planted_sequences


def test_rows_a_second_are_known_of_both_sides():
    x, codes, _ = planted_sequences(64, 32)
    data = SpatialSet("planted", "sequence", load_sequences(x), codes, ("a", "b"), None)
    case = make_case(data, np.arange(64))
    assert case.samples.encoder.input_shape == (32, 4)
    found = rates(case, 32, 1)
    assert found.shape == (2, 2) and (found > 0).all()
