"""What the benchmark of shared weights says of figures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.enas import different_arcs, interval, summary, tau
from genokeras.graph.arcs import ArcSpace


def test_the_interval_holds_the_tau_and_is_narrow_where_all_agree() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(40.0)
    noisy = truth + 15 * rng.standard_normal(40)
    low, high = interval(noisy, truth)
    assert low < tau(noisy, truth) < high
    assert interval(truth, truth) == pytest.approx([1.0, 1.0])


def test_arcs_are_different_and_no_more_than_there_are() -> None:
    assert len(set(different_arcs(ArcSpace(1, 5), 40, np.random.default_rng(0)))) == 5


def test_the_table_has_a_row_a_set_and_the_mean_over_sets() -> None:
    lines = [
        {"set": name, "log_loss": loss, "random_log_loss": loss + 0.1, "random_arcs": 6}
        for name, loss in (("a", 0.2), ("a", 0.4), ("b", 0.5))
    ]
    text = summary(lines)
    assert "| a | 0.300 | 0.400 | 6.0 |" in text
    assert "| mean | 0.400 | 0.500 | 6.0 |" in text
    assert "better by 0.100 ± 0.000 over 3 pairs" in text
