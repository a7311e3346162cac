"""What the benchmarks of panels and of cohorts make of their lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.cohorts import SIDES, find_cohort_sets, read_cohort_set, verdict
from benchmarks.quality.cohorts import table as cohort_table
from benchmarks.quality.panels import table as panel_table


def test_a_panel_is_compared_with_the_whole_and_with_its_own_estimate() -> None:
    line = {
        "full": 0.9,
        "full_expected": 0.92,
        "panel": 0.85,
        "panel_expected": 0.86,
        "f_test": 0.7,
        "smallest": 5,
        "panel_seconds": 9.0,
    }
    found = panel_table([{"set": "a", **line}, {"set": "b", **line, "panel": 0.95}])
    assert found.loc["a", "gap"] == pytest.approx(0.05) and found.loc["mean", "gap"] == pytest.approx(0.0)
    assert found.loc["mean", "off"] == pytest.approx(-0.04)


def test_cohorts_that_one_side_lacks_do_not_count() -> None:
    line = {
        "set": "s",
        "truth": 0.8,
        "expected": 0.9,
        "adapted": 0.8,
        "missing": 0.79,
        "missing_at_mean": 0.7,
        "missing_adapted": 0.8,
        "missing_said": 0.0,
    }
    lines = [{**line, "cohort": "one", "side": side} for side in SIDES]
    lines.append({**line, "cohort": "two", "side": "plain", "truth": 0.1})
    assert "plain: balanced accuracy on the new cohort 0.800, expected 0.900" in verdict(lines)
    assert cohort_table(lines).loc[("s", "studies"), "lost"] == pytest.approx(0.01)


def test_sets_of_cohorts_are_those_with_a_batch(tmp_path: Path) -> None:
    x, y = np.ones((4, 2)), np.array(["a", "b", "a", "b"])
    np.savez(tmp_path / "plain.npz", X=x, y=y)
    np.savez(
        tmp_path / "cohorts.npz", X=x, y=y, batch=np.array([0, 0, 1, 1]), feature_names=np.array(["g", "h"])
    )
    assert find_cohort_sets(tmp_path) == ["cohorts"]
    assert list(read_cohort_set(tmp_path, "cohorts").x.columns) == ["g", "h"]
