"""Options of ``genokeras fit`` about classes: how much each counts, their order, and the threshold between two of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from genokeras.cli.answers import CLASSES
from genokeras.metric_names import span


def class_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``of_classes``: parameters of a classifier."""

    @click.option("--class-weight", help="How much each class counts: balanced, or such as tumor=3,normal=1.")
    @click.option(
        "--ordered",
        multiple=True,
        help="The classes have an order: all of them, the lowest first, such as 1,2,3.",
    )
    @click.option("--positive", help="The class that --sensitivity and --specificity are about.")
    @click.option(
        "--sensitivity", type=float, help="The share of --positive that predict is to find, such as 0.95."
    )
    @click.option(
        "--specificity", type=float, help="The share of the other class that predict is to leave out."
    )
    @wraps(command)
    def with_classes(
        *args: Any,
        class_weight: str | None,
        ordered: tuple[str, ...],
        positive: str | None,
        sensitivity: float | None,
        specificity: float | None,
        **kwargs: Any,
    ) -> Any:
        found: dict[str, Any] = {}
        if class_weight is not None:
            found["class_weight"] = _weights(class_weight)
        if ordered:
            found["ordered"] = [name.strip() for given in ordered for name in given.split(",")]
        rates = {"sensitivity": sensitivity, "specificity": specificity}
        given = {name: rate for name, rate in rates.items() if rate is not None}
        if given or positive is not None:
            if len(given) != 1 or positive is None:
                raise click.UsageError(
                    "a threshold needs --positive, and either --sensitivity or --specificity."
                )
            found["threshold"] = {"class": positive, **given}
        return command(*args, of_classes=found, **kwargs)

    return with_classes


def check_of_classes(of_classes: dict[str, Any], task: str) -> dict[str, Any]:
    """The parameters, where the target is classes.

    Raises
    ------
    click.UsageError
        If it is something else.
    """
    if of_classes and task != CLASSES:
        option = next(iter(of_classes)).replace("_", "-").replace("threshold", "positive")
        raise click.UsageError(
            f"--{option} is for classes, and the target is taken as {task}: add --task classes."
        )
    return of_classes


def _weights(given: str) -> str | dict[str, float]:
    if "=" not in given:
        return given
    parts = [part.rpartition("=") for part in given.split(",")]
    try:
        return {name.strip(): float(value) for name, _, value in parts}
    except ValueError:
        raise click.UsageError(
            f"--class-weight is balanced, or such as tumor=3,normal=1: got {given!r}."
        ) from None


def threshold_in_words(classifier: Any) -> str:
    """A sentence about the threshold of a classifier; empty where it has none."""
    found = getattr(classifier, "threshold_", None)
    if not found:
        return ""
    rates = " and ".join(
        f"a {name} of {found[name]:.2f}" + (f" ({within})" if within else "")
        for name in ("sensitivity", "specificity")
        if name in found
        for within in [span(found[f"{name}_interval"], 2)]
    )
    return (
        f"From a probability of {found['value']:.3g} on, samples are called {found['class']}: expect {rates}."
    )
