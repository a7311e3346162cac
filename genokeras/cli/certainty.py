"""Options of ``genokeras predict`` that say how far an answer can be trusted, and the columns they add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

# Between the classes of a set.
BETWEEN = "|"


@dataclass(frozen=True)
class Certainty:
    """What was asked for.

    Attributes
    ----------
    coverage : float or None
        Of sets or intervals.
    by_class : bool
    abstain : float or None
        Coverage of the sets by which answers are left out.
    novelty : bool
    """

    coverage: float | None = None
    by_class: bool = False
    abstain: float | None = None
    novelty: bool = False

    def check(self, estimator: Any) -> None:
        """Raise ``UsageError`` where the run cannot answer that."""
        if self.by_class and self.coverage is None:
            raise click.UsageError("--by-class is about sets of classes: give --coverage, too.")
        of_classes = hasattr(estimator, "predict_set")
        if not of_classes and (self.by_class or self.abstain is not None):
            option = "--by-class" if self.by_class else "--abstain"
            raise click.UsageError(f"{option} is for classes, and this run predicts none.")
        if self.coverage is not None and not of_classes and not hasattr(estimator, "predict_interval"):
            raise click.UsageError("--coverage is for classes and numbers, and this run predicts neither.")
        if self.novelty and not hasattr(estimator, "novelty"):
            raise click.UsageError("--novelty is for tables of genes, and this run is of other samples.")

    def check_none(self) -> None:
        """Raise ``UsageError`` where something was asked for: it rests on predictions out of fold, which a model file lacks."""
        asked = [name for name, value in vars(self).items() if value not in (None, False)]
        if asked:
            option = asked[0].replace("_", "-")
            raise click.UsageError(
                f"--{option} rests on the training samples, which are not in a model file: give the run folder."
            )

    def added(self, estimator: Any, samples: Any, table: pd.DataFrame) -> pd.DataFrame:
        """Predictions with what was asked for: ``set``, or ``low`` and ``high``; ``novelty_p`` and ``novel``."""
        found = table.copy()
        if self.abstain is not None:
            found["prediction"] = estimator.predict(samples, abstain=self.abstain)
        if self.coverage is not None and hasattr(estimator, "predict_set"):
            sets = estimator.predict_set(samples, self.coverage, self.by_class)
            found["set"] = [BETWEEN.join(str(name) for name in estimator.classes_[row]) for row in sets]
        elif self.coverage is not None:
            ends = estimator.predict_interval(samples, self.coverage).reshape(len(found), -1, 2)
            names = estimator.targets_
            for number, name in enumerate(names):
                before = f"{name} " if len(names) > 1 else ""
                found[f"{before}low"], found[f"{before}high"] = ends[:, number].T
        if self.novelty:
            rows = estimator.novelty(samples)
            found["novelty_p"], found["novel"] = rows["p_value"].to_numpy(), rows["novel"].to_numpy()
        return found


def certainty_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``certainty``."""

    @click.option(
        "--coverage",
        type=float,
        help="Add the set of classes, or the interval, that holds the truth of this share of new samples, such as 0.9.",
    )
    @click.option("--by-class", is_flag=True, help="That share of the samples of each class by itself.")
    @click.option(
        "--abstain",
        type=float,
        help="Leave the prediction empty where the set of this coverage has none or several classes.",
    )
    @click.option(
        "--novelty",
        is_flag=True,
        help="Add a p-value, and whether the sample is unlike all training samples (5 % false alarms).",
    )
    @wraps(command)
    def with_certainty(
        *args: Any,
        coverage: float | None,
        by_class: bool,
        abstain: float | None,
        novelty: bool,
        **kwargs: Any,
    ) -> Any:
        certainty = Certainty(coverage, by_class, abstain, novelty)
        return command(*args, certainty=certainty, **kwargs)

    return with_certainty
