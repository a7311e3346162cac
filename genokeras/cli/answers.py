"""Whether a target holds classes, numbers, or times until an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genokeras.cli.group import Failure

CLASSES, NUMBERS, LABELS, COX, HAZARD = TASKS = ("classes", "numbers", "labels", "cox", "hazard")
# Whole numbers with more distinct values than this, or that seldom occur twice, are counts or measurements.
_MOST_CLASSES = 20
_SAMPLES_OF_A_CLASS = 3


def times_and_events(
    time: str | None, event: str | None, target: tuple[str, ...], task: str | None, of_genes: bool
) -> tuple[tuple[str, ...], str | None]:
    """The columns and the task of a fit: those of --time and --event where they are given, else as they came.

    Parameters
    ----------
    time, event : str or None
    target : tuple of str
    task : str or None
    of_genes : bool
        Whether the samples are tables of genes.

    Raises
    ------
    Failure
        If one of them is missing, or something else does not go with them.
    """
    if time is None and event is None:
        if task in (COX, HAZARD) and len(target) != 2:
            raise Failure(f"--task {task} needs --time and --event, the columns of the times and the events.")
        if task == LABELS and len(target) < 2:
            raise Failure(
                "--task labels needs two or more --target, columns that are 1 where a sample has the label and else 0."
            )
        return target, task
    if time is None or event is None:
        missing, there = ("--time", "--event") if time is None else ("--event", "--time")
        raise Failure(
            f"{there} goes with {missing}, the column of the {'times' if time is None else 'events'}."
        )
    if target or task in (CLASSES, NUMBERS, LABELS):
        raise Failure(
            "--time and --event are what is predicted: leave out --target, and --task but cox or hazard."
        )
    if not of_genes:
        raise Failure("--time and --event are for tables of genes.")
    return (time, event), task or COX


def find_task(labels: Any, target: str | None, notes: Sequence[str] = ()) -> tuple[str, str]:
    """Decide what a column holds.

    Parameters
    ----------
    labels : numpy.ndarray
        ``(n_samples,)``, as a reader gave them.
    target : str or None
        The name of the column, for the sentence.
    notes : sequence of str
        Of the reader, which may say why it took no labels.

    Returns
    -------
    task : str
        ``"classes"`` of text, bools, and whole numbers of which there are at most 20, three times each on average;
        ``"numbers"`` of all else.
    sentence : str
        What was decided and why; empty for text, which can only be classes.

    Raises
    ------
    Failure
        If there are no labels.
    """
    import numpy as np

    from genokeras.data.samples import why_without_labels

    if labels is None:
        raise Failure(
            f"DATA came without labels: name their column, or a file of labels, with --target.{why_without_labels(notes)}"
        )
    values = np.asarray(labels)
    name = "The target" if target is None else f"The target {target!r}"
    numbers = _as_numbers(values)
    if numbers is None:
        return CLASSES, ""
    known = numbers[np.isfinite(numbers)]
    distinct = len(np.unique(known))
    whole = bool((known == np.round(known)).all())
    if whole and distinct <= _MOST_CLASSES and len(known) >= _SAMPLES_OF_A_CLASS * distinct:
        task, kind = CLASSES, "distinct whole numbers"
    else:
        task, kind = NUMBERS, "distinct numbers"
    other = NUMBERS if task == CLASSES else CLASSES
    return task, (
        f"{name} has {distinct} {kind} in {len(known)} samples: the run predicts {task} (--task {other} if you want those)."
    )


def _as_numbers(values: Any) -> Any:
    """Float64, or None where there is text other than numbers."""
    import numpy as np

    if values.dtype.kind == "b":
        return None
    try:
        return values.astype("float64")
    except (TypeError, ValueError):
        pass
    texts = [str(value).strip() for value in values.ravel()]
    try:
        return np.array([float(text) if text else float("nan") for text in texts])
    except ValueError:
        return None
