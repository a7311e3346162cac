"""``batches=``: what is checked, noted and estimated where samples come from several studies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data import Dataset
from genokeras.engine import Prepared, Run
from genokeras.engine.studies import with_study_estimates
from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.estimators.content import Training
from genokeras.support import RunFolder
from genokeras.support.checks import check_choice
from genokeras.support.wording import listed

# Of the time limit; the estimate for new samples of the same studies takes the rest.
SEARCH_SHARE = 0.85
ADAPTATIONS = ("standardise",)
# Fewer samples say too little of a cohort's means and standard deviations.
FEWEST_TO_ADAPT = 10
_RELATIVE_SPREAD = 1e-6


def check_batches(batches: Any, groups: Any, validation_data: Any, adapt: str | None, estimator: Any) -> None:
    """Raise ``ParameterError`` where studies cannot be left out."""
    if adapt is not None:
        check_choice(adapt, "adapt", ADAPTATIONS)
        if batches is None:
            raise ParameterError(
                "adapt is by study: pass batches=, or adapt new samples alone, predict(x, adapt='standardise')."
            )
    if batches is None:
        return
    if not estimator.content.takes_batches:
        raise ParameterError(
            f"batches are of tables of genes; {type(estimator).__name__} takes none. Pass groups to keep samples together."
        )
    if groups is not None:
        raise ParameterError(
            "give batches or groups: a study is left out as a whole, and groups lie within studies. Leave groups out, or pass as "
            "batches what joins both."
        )
    if validation_data is not None:
        raise ParameterError("batches make folds of their own: leave validation_data out.")


@contextmanager
def named_batches(batches: Any) -> Iterator[None]:
    """Studies are read as groups are; what is wrong with them is said of ``batches``, which the user gave."""
    try:
        yield
    except DataError as error:
        if batches is not None:
            said = re.sub(r"\bgroups(?= has| must|=)", "batches", str(error))
            said = said.replace("batches has no group ", "batches has no study ").replace(
                "Give them a group", "Give them a study"
            )
            error.args = (said, *error.args[1:])
        raise


def check_given_again(settings: Mapping[str, Any], groups: Any, batches: Any, by_groups: bool = True) -> None:
    """See that training samples that are given again say to which groups, or studies, they belong, as those of the run did.

    Parameters
    ----------
    settings : mapping
        Of ``run.json``.
    groups, batches : as in ``fit``
    by_groups : bool
        Whether samples are dealt to folds; otherwise studies matter only where they are adapted.

    Raises
    ------
    ParameterError
        If they do not.
    """
    studies = "batches" in settings and (by_groups or "adapt" in settings)
    if studies and batches is None:
        raise ParameterError(
            "the run was fitted with batches=, and the samples given here come without: pass batches=, the study of each of them."
        )
    if batches is not None and not studies:
        had = "without adapt=" if "batches" in settings else "without batches="
        raise ParameterError(f"the run was fitted {had}, so that batches= has no meaning here: leave it out.")
    if by_groups and not studies and settings.get("groups") is not None and groups is None:
        raise ParameterError(
            "the run was fitted with groups=, and the samples given here come without: pass groups=, so that samples of one group stay on "
            "one side of every split."
        )


def check_resumed(path: Any, resume: bool, entries: dict[str, Any]) -> None:
    """Raise ``RunFolderError`` where a run would be resumed with its studies left out otherwise than before."""
    if not resume or path is None or not RunFolder.exists(path):
        return
    held = RunFolder(path).settings
    for name in ("batches", "adapt"):
        if held.get(name) != entries.get(name):
            had, has = ("with" if one.get(name) else "without" for one in (held, entries))
            raise RunFolderError(
                f"cannot resume {str(path)!r}: it was run {had} {name}, and is now asked to go on {has}. Resume with the same, or give "
                "another path."
            )


def as_studies(training: Training, by_study: bool, adapt: str | None) -> Training:
    """The training samples, whose groups are studies; every gene alike in each where they are adapted.

    Raises
    ------
    DataError
        If a study has too few samples to be adapted.
    """
    if not by_study or adapt is None:
        return replace(training, by_study=by_study)
    assert isinstance(training.content, Dataset)
    content = adapted(training.content, np.asarray(training.groups))
    return replace(training, by_study=True, content=content)


def adapted(content: Dataset, groups: np.ndarray) -> Dataset:
    """Training samples whose genes have the same mean and standard deviation in each study.

    Raises
    ------
    DataError
        If a study has too few samples.
    """
    names, counts = np.unique(groups, return_counts=True)
    few = [f"{name} ({count})" for name, count in zip(names, counts, strict=True) if count < FEWEST_TO_ADAPT]
    if few:
        raise DataError(
            f"adapt='standardise' needs {FEWEST_TO_ADAPT} samples or more of each study: {listed(few, 5)} fewer. Leave adapt out, or "
            "these studies."
        )
    x = content.x.toarray() if isinstance(content.x, sparse.csr_matrix) else np.asarray(content.x)
    mean, sd = x.mean(axis=0, dtype="float64"), spread_within(x, groups)
    moved = np.empty(x.shape, dtype="float32")
    for name in names:
        moved[groups == name] = moved_to(x[groups == name], mean, sd)
    note = (
        "Every gene has the same mean and standard deviation in each study. Samples that are read later are 10 or more of one cohort, "
        "which is standardised alike; an exported model reads values that were."
    )
    return replace(content, x=moved, notes=(*content.notes, note))


def moved_to(x: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Samples ``(n, p)`` of one cohort whose genes get these means and standard deviations; those that do not vary get the mean."""
    values = np.asarray(x, dtype="float64")
    own, spread = values.mean(axis=0), values.std(axis=0)
    varied = spread > _RELATIVE_SPREAD * np.maximum(np.abs(own), 1e-12)
    factor = np.divide(sd, spread, out=np.zeros_like(spread), where=varied)
    return np.asarray((values - own) * factor + mean, dtype="float32")


def spread_within(x: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """``(p,)`` standard deviation, within groups where there are any."""
    values = np.asarray(x, dtype="float64")
    if groups is None:
        return np.asarray(values.std(axis=0))
    total = np.zeros(values.shape[1])
    for group in np.unique(groups):
        rows = values[groups == group]
        total += ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(total / len(values)))


def studies_of(training: Training, adapt: str | None = None) -> dict[str, Any]:
    """Entries of ``run.json``: the names of the studies, in the order of their numbers, and whether samples are adapted."""
    if not training.by_study:
        return {}
    named = {"batches": [str(name) for name in np.unique(np.asarray(training.groups))]}
    return named if adapt is None else {**named, "adapt": adapt}


def with_studies(run: Run, training: Training, prepared: Prepared, seconds: float | None) -> Run:
    """The run, with estimates by study where studies were left out; ``seconds`` are left for them."""
    if not training.by_study or run.stop_reason == "interrupted":
        return run
    assert prepared.fit_view is not None
    names = studies_of(training)["batches"]
    return with_study_estimates(run, names, training.plain_folds(), prepared.fit_view, seconds)
