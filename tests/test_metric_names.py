"""Scores by the names that people know."""

from __future__ import annotations

import pytest

from genokeras.metric_names import metric_name, span


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("log_loss", "log loss"),
        ("roc_auc", "ROC AUC"),
        ("mcc", "MCC"),
        ("f1", "F1"),
        ("r2", "R2"),
        ("c_index", "C-index (Harrell)"),
    ],
)
def test_metrics_have_their_usual_names(metric: str, words: str) -> None:
    assert metric_name(metric) == words


@pytest.mark.parametrize("limits", [None, (), (None, None), [float("nan"), float("nan")]])
def test_an_interval_that_is_not_known_has_no_text(limits):
    assert span(limits) == ""
    assert span((0.1234, 1), 2) == "0.12 to 1.00"
