"""Options for samples from elsewhere, and what is said of studies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from genokeras.cli.group import warnings_said
from genokeras.cli.kinds import GENES, kind_of
from genokeras.metric_names import metric_name, span

MOST_LOSS = 0.05


@dataclass(frozen=True)
class Elsewhere:
    """How samples from elsewhere are brought to what a model reads."""

    missing_genes: str = "error"
    most_loss: float = MOST_LOSS
    adapt: str | None = None

    def check_none(self) -> None:
        """Raise ``UsageError`` where something was asked for: it rests on the training samples, which a model file lacks."""
        if self.missing_genes != "error" or self.adapt is not None:
            option = "adapt" if self.adapt is not None else "missing-genes"
            raise click.UsageError(
                f"--{option} rests on the training samples, which are not in a model file: give the run folder."
            )

    def brought(self, estimator: Any, samples: Any) -> Any:
        """The samples as the model reads them; says on standard error what missing genes cost."""
        if self == Elsewhere():
            return samples
        if kind_of(estimator) != GENES:
            raise click.UsageError("--missing-genes and --adapt are for tables of genes.")
        with warnings_said():
            return estimator.prepare_samples(samples, **vars(self))


def elsewhere_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``elsewhere``."""

    @click.option(
        "--missing-genes",
        type=click.Choice(["error", "impute"]),
        default="error",
        help="impute estimates genes that the samples lack from the others, and says what that costs.",
    )
    @click.option(
        "--most-loss",
        type=float,
        default=MOST_LOSS,
        show_default=True,
        help="Refuse samples where missing genes cost more of the score.",
    )
    @click.option(
        "--adapt",
        type=click.Choice(["standardise"]),
        help="Give every gene of the samples, one cohort of 10 or more, its mean and spread of the training.",
    )
    @wraps(command)
    def with_elsewhere(
        *args: Any, missing_genes: str, most_loss: float, adapt: str | None, **kwargs: Any
    ) -> Any:
        return command(*args, elsewhere=Elsewhere(missing_genes, most_loss, adapt), **kwargs)

    return with_elsewhere


def studies_in_words(estimate: Mapping[str, Any]) -> list[str]:
    """What the estimate says of studies; nothing where there are none."""
    studies = estimate.get("studies")
    if not studies:
        return []
    named = [name for name in ("balanced_accuracy", "r2", "c_index") if name in next(iter(studies.values()))]
    metric = named[0] if named else estimate["metric"]
    lines = [
        "That is for a new study: each was scored by networks of the others.",
        f"By study ({metric_name(metric)}):",
    ]
    for name, scores in studies.items():
        value = scores[metric]
        lines.append(
            f"  {name}  {'undefined' if value is None else f'{value:.3f}'} ({scores['n_samples']} samples)"
        )
    new = estimate.get("new_samples")
    if new:
        found = new if new["metric"] == metric else new["also"].get(metric)
        if found and found["value"] is not None:
            lines.append(
                f"New samples of the same studies: {found['value']:.3f} ({span(found['interval'])})."
            )
    return lines
