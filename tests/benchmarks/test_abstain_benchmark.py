"""The benchmark of abstention: what the naive side is, and that its parts measure what they say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.abstain import at_their_word, scored, show


def test_probabilities_at_their_word_add_up_to_the_coverage():
    p = np.array([[0.95, 0.04, 0.01], [0.5, 0.1, 0.4], [0.2, 0.5, 0.3]])
    sets = at_their_word(p, 0.9)
    assert sets.tolist() == [[True, False, False], [True, False, True], [True, True, True]]
    assert scored(sets, np.array([1, 0, 0])) == pytest.approx({"covered": 2 / 3, "size": 2.0})


def test_the_table_has_the_means_over_splits():
    lines = [
        {"what": "classes", "name": "a", "split": i, "seconds": 1, "trials": None, "coverage": 0.9,
         "machine": "here", "covered": covered}
        for i, covered in enumerate((0.8, 1.0))
    ]  # fmt: skip
    assert "0.9" in show(lines) and "mean" in show(lines)
