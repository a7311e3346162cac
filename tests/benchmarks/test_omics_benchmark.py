"""The benchmark of several assays: its planted sets, its logistic side, and its table."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.omics import ALL, CONCATENATION, arms_of, one_fit, planted, show


def test_neither_block_of_a_planted_set_says_anything_alone():
    data = planted("planted_factors")
    same = data.y == "same"
    for block in data.blocks.values():
        x = block.to_numpy()
        gap = np.abs(x[same].mean(axis=0) - x[~same].mean(axis=0))
        assert gap.max() < 0.8
    train, test = next(data.folds(5))
    found = one_fit(data, train, test, CONCATENATION, None, None)
    assert found["log_loss"] > 0.6
    assert arms_of(data)[0] == ALL and "only meth" in arms_of(data)


def test_the_table_compares_all_blocks_with_the_best_other_arm():
    lines = [
        {"set": "breast_split", "fold": 0, "arm": arm, "balanced_accuracy": score, "log_loss": 1 - score}
        for arm, score in ((ALL, 0.95), ("only mrna", 0.9), (CONCATENATION, 0.92))
    ]
    text = show(lines)
    assert "+0.030 (concatenation)" in text and "ahead by +0.018" in text
