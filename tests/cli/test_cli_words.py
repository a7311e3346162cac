"""The estimate in words and the leaderboard as a table."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from genokeras.cli.words import estimate_in_words, leaderboard_table

ESTIMATE: dict[str, Any] = {
    "metric": "log_loss",
    "value": 0.142,
    "interval": [0.071, 0.244],
    "linear_baseline": 0.16,
    "chance": 0.646,
    "uncorrected": 0.098,
    "greater_is_better": False,
    "n_samples": 72,
    "n_trials": 86,
}
ACCURACY = ESTIMATE | {
    "metric": "balanced_accuracy",
    "value": 0.9,
    "interval": [0.8, 1.0],
    "linear_baseline": 0.85,
    "chance": 0.5,
    "greater_is_better": True,
}


def said(estimate: dict[str, Any], stop_reason: str = "time") -> str:
    return " ".join(estimate_in_words(estimate, stop_reason).split())


def row(**changes: Any) -> dict[str, Any]:
    return {
        "rank": 1,
        "model_id": 34,
        "father": 12,
        "origin": "deepen",
        "score": 0.082,
        "se": 0.031,
        "gap": 0.022,
        "parameters": 12345,
        "graph": "linear + [64-64 1 add]",
        "views": "all+log:top1000",
        "share": 0.4,
    } | changes


def drawn(rows: list[dict[str, Any]], top: int | None = None) -> list[str]:
    file = io.StringIO()
    board = pd.DataFrame(rows).astype({"rank": "Int64", "father": "Int64"})
    Console(file=file, width=80).print(leaderboard_table(board, "log_loss", top))
    return file.getvalue().splitlines()


# ---- the estimate


def test_the_estimate_is_said_in_words() -> None:
    text = said(ESTIMATE)
    assert "Log loss 0.142 (95 % interval 0.071 to 0.244); lower is better." in text
    assert "corrected for having chosen the best of 86 trials (0.098 before that)" in text
    assert "Best linear model alone 0.160, chance 0.646." in text
    assert "did not beat" not in text and "no better" not in text


@pytest.mark.parametrize("limit", [None, float("nan")])
def test_an_estimate_of_few_groups_has_no_interval(limit: float | None) -> None:
    text = said(
        ESTIMATE | {"interval": [limit, limit], "also": {"accuracy": ACCURACY | {"interval": [limit, limit]}}}
    )
    assert "Log loss 0.142; lower is better." in text and "Also: accuracy 0.900." in text
    assert "nan" not in text and "no better" not in text
    assert "This is no better than chance." in said(ACCURACY | {"value": 0.5, "interval": [limit, limit]})


def test_lines_fit_80_columns() -> None:
    also = {"also": {name: ACCURACY for name in ("balanced_accuracy", "accuracy", "roc_auc")}}
    assert max(map(len, estimate_in_words(ESTIMATE | also, "time").splitlines())) <= 80


@pytest.mark.parametrize(
    "estimate",
    [ESTIMATE | {"linear_baseline": 0.14}, ACCURACY | {"linear_baseline": 0.93}],
    ids=["loss", "accuracy"],
)
def test_a_search_that_did_not_beat_the_linear_model_says_so(estimate: dict[str, Any]) -> None:
    assert "The search did not beat the linear model." in said(estimate)


@pytest.mark.parametrize(
    "estimate",
    [
        ESTIMATE | {"value": 0.62, "interval": [0.5, 0.7]},
        ESTIMATE | {"value": 0.9, "interval": [0.8, 1.0]},
        ACCURACY | {"value": 0.55, "interval": [0.45, 0.65]},
        ACCURACY | {"value": 0.4, "interval": [0.35, 0.45]},
    ],
    ids=["loss around", "loss above", "accuracy around", "accuracy below"],
)
def test_chance_is_called_chance(estimate: dict[str, Any]) -> None:
    assert "This is no better than chance." in said(estimate)


def test_a_run_without_a_linear_trial_leaves_the_baseline_out() -> None:
    assert "Chance 0.646." in said(ESTIMATE | {"linear_baseline": None})


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("time", "Stopped after 86 trials, when the time was up."),
        ("trials", "Stopped after 86 trials, as asked."),
        ("space", "nothing left to try"),
        ("interrupted", "Interrupted after 86 trials; this is the best so far."),
        ("killed", "Killed after 86 trials"),
    ],
)
def test_it_says_why_the_search_ended(reason: str, words: str) -> None:
    assert words in said(ESTIMATE, reason)


def test_one_trial_is_not_plural() -> None:
    assert "after 1 trial," in said(ESTIMATE | {"n_trials": 1})


# ---- the leaderboard


def test_a_row_says_rank_trial_father_way_score_gap_size_share_network_and_views() -> None:
    header, line, *_ = drawn([row()])
    assert header.split() == [
        "#",
        "trial",
        "from",
        "by",
        "log",
        "loss",
        "gap",
        "size",
        "share",
        "network",
        "on",
        "views",
    ]
    start = ["1", "34", "12", "deepen", "0.082±0.031", "+0.022", "12.3k", "40%", "linear"]
    assert line.split()[: len(start)] == start


def test_the_table_fits_80_columns_whatever_the_network() -> None:
    long = row(
        graph="linear + " + " + ".join(["[128-128-64-64 4 adds 1 concat]"] * 5),
        rank=100,
        model_id=1234,
        father=1233,
        origin="add_input+concat_skip+widen",
        views="log:weighted2000+all+log:top1000",
    )
    assert max(map(len, drawn([long]))) <= 80


def test_every_morphism_is_named_whole() -> None:
    lines = drawn([row(origin="add_input+concat_skip+widen")])
    assert all(any(name in line for line in lines) for name in ("add_input+", "concat_skip+", "widen"))


def test_every_view_is_named_whole() -> None:
    text = " ".join(" ".join(drawn([row(views="all+log:weighted2000")])).split())
    assert "on all, log:weighted2000" in text


def test_a_failed_trial_shows_its_error_and_no_score() -> None:
    failed = row(rank=None, father=None, score=float("nan"), se=float("nan"), gap=float("nan"), share=0.0)
    text = " ".join(drawn([failed | {"origin": "failed: TrainingError: nan"}]))
    assert "failed:" in text and "<NA>" not in text and "±" not in text


def test_only_the_top_is_shown_where_asked() -> None:
    assert len(drawn([row(graph="linear", views="all")] * 3, top=2)) == 3


def test_brackets_of_a_network_are_no_markup() -> None:
    assert any("[64" in line for line in drawn([row(graph="[64 relu]")]))
