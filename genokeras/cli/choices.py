"""Options that take one of a few names: their help lists them, and anything else is answered with the list."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import click

from genokeras.cli.answers import CLASSES, COX, HAZARD, LABELS, NUMBERS
from genokeras.cli.group import Failure

# The same as in the library, which takes seconds to import; a test compares them.
SEARCHERS = ("bayesian", "random", "enas")
EXECUTORS = ("local", "pool", "ray", "shared")
FORMATS = ("keras", "tf_saved_model", "onnx", "litert", "torchscript")
MISSING = ("error", "median")
OBJECTIVES: Mapping[str, tuple[str, ...]] = {
    "classes": ("log_loss", "brier", "accuracy", "balanced_accuracy", "roc_auc", "f1", "mcc"),
    "ordered classes": ("ranked_probability_score", "quadratic_kappa", "rank_error"),
    "numbers": ("r2", "mse", "rmse", "mae", "pearson", "spearman"),
    "labels": (
        "label_log_loss",
        "label_brier",
        "roc_auc_macro",
        "f1_macro",
        "label_accuracy",
        "subset_accuracy",
    ),
    "survival": (
        *("c_index", "c_index_uno", "integrated_brier", "auc"),
        *("partial_likelihood", "interval_likelihood"),
    ),
}
_OF_TASKS = {
    CLASSES: "classes",
    NUMBERS: "numbers",
    LABELS: "labels",
    COX: "survival",
    HAZARD: "survival",
}


class OneOf(click.Choice[str]):
    """One of a few names; the message lists them and guesses which was meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        key = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        if key in self.choices:
            return key
        close = difflib.get_close_matches(key, self.choices, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        self.fail(f"{str(value)!r} is none of {', '.join(self.choices)}.{hint}", param, ctx)


class ObjectiveName(OneOf):
    """What a search makes best, of any target."""

    def __init__(self) -> None:
        super().__init__([name for family in OBJECTIVES.values() for name in family])

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NAME"  # the help has them, in groups


def objectives_in_words() -> str:
    """What the help of ``--objective`` says."""
    listed = "; ".join(f"of {kind} {', '.join(names)}" for kind, names in OBJECTIVES.items())
    return f"What the search makes best: {listed}.  [default: the first of each; of ordered classes too, of survival c_index]"


def check_objective(objective: str | None, task: str, ordered: bool) -> None:
    """See that an objective is of what is predicted, before anything heavy is imported.

    Raises
    ------
    Failure
        If it is of another target; the message lists those that are not.
    """
    kind = _OF_TASKS[task]
    known = OBJECTIVES[kind] + (OBJECTIVES["ordered classes"] if ordered else ())
    # Of classes it is short for roc_auc, as in the library.
    if objective is not None and objective not in known and (objective, task) != ("auc", CLASSES):
        raise Failure(f"--objective must be one of {', '.join(known)} to predict {kind}: got {objective}.")
