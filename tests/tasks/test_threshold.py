"""Thresholds reach the rate that was asked for, and say what becomes of the other one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError
from genokeras.tasks.threshold import Aimed, check_enough, choose, read_aim

NAMES = ("normal", "tumor")


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    return 1 / (1 + np.exp(-rng.normal(2.0 * codes - 1.0))), codes


@pytest.mark.parametrize("rate", ["sensitivity", "specificity"])
def test_new_rows_are_called_right_as_often_as_was_asked_for(rate: str) -> None:
    reached, other = [], []
    ahead = np.ones((1, 60)) * 0
    for seed in range(200):
        p, codes = rows(60, seed)
        found = choose(Aimed(1, rate, 0.9), p, codes, np.ones(60), ahead)
        new, truth = rows(400, 1000 + seed)
        right = found.decided(np.stack([1 - new, new], axis=1)) == truth
        side = truth == (1 if rate == "sensitivity" else 0)
        reached.append(right[side].mean())
        other.append(right[~side].mean())
    assert np.mean(reached) == pytest.approx(0.9 + 0.03, abs=0.03)


def test_the_rates_to_expect_are_those_of_new_rows() -> None:
    rng, said, true = np.random.default_rng(0), [], []
    for seed in range(30):
        p, codes = rows(80, seed)
        resamples = np.stack([np.bincount(rng.integers(0, 80, 80), minlength=80) for _ in range(60)])
        found = choose(Aimed(1, "sensitivity", 0.9), p, codes, np.ones(80), resamples)
        new, truth = rows(2000, 500 + seed)
        said.append(found.rates["specificity"][0])
        true.append((new[truth == 0] < found.value).mean())
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.04)
    value, low, high = found.rates["sensitivity"]
    assert low <= value <= high
    assert list(found.described(NAMES)) == [
        "class", "value", "sensitivity", "sensitivity_interval", "specificity", "specificity_interval",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (0.3, "threshold must be such as .*: got 0.3"),
        ({"sensitivity": 0.9}, "threshold must be such as"),
        ({"class": "tumor", "sensitivity": 0.9, "specificity": 0.9}, "threshold must be such as"),
        ({"class": "tumour", "sensitivity": 0.9}, "names the class 'tumour'.* Did you mean 'tumor'"),
        (
            {"class": "tumor", "sensitivity": 95},
            r"threshold\['sensitivity'\] must be a number above 0 and below 1",
        ),
    ],
)
def test_what_is_no_threshold_is_refused(threshold: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read_aim(threshold, NAMES)


def test_it_is_for_two_classes_with_samples_enough() -> None:
    with pytest.raises(ParameterError, match="separates two classes, and there are 3"):
        read_aim({"class": "a", "sensitivity": 0.9}, ("a", "b", "c"))
    with pytest.raises(
        DataError, match="a sensitivity of 0.95 needs 19 samples of 'tumor' or more, and there are 10"
    ):
        check_enough(Aimed(1, "sensitivity", 0.95), np.repeat([0, 1], 10), NAMES)
