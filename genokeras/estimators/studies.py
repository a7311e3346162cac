"""``batches=``: what is checked, noted and estimated where samples come from several studies."""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.engine import Prepared, Run
from genokeras.engine.studies import with_study_estimates
from genokeras.errors import ParameterError
from genokeras.estimators.content import Training

# Of the time limit; the estimate for new samples of the same studies takes the rest.
SEARCH_SHARE = 0.85


def check_batches(batches: Any, groups: Any, validation_data: Any, estimator: Any) -> None:
    """Raise ``ParameterError`` where studies cannot be left out."""
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


def studies_of(training: Training) -> dict[str, list[str]]:
    """Entries of ``run.json``: the names of the studies, in the order of their numbers."""
    if not training.by_study:
        return {}
    return {"batches": [str(name) for name in np.unique(np.asarray(training.groups))]}


def with_studies(run: Run, training: Training, prepared: Prepared, seconds: float | None) -> Run:
    """The run, with estimates by study where studies were left out; ``seconds`` are left for them."""
    if not training.by_study or run.stop_reason == "interrupted":
        return run
    assert prepared.fit_view is not None
    names = studies_of(training)["batches"]
    return with_study_estimates(run, names, training.plain_folds(), prepared.fit_view, seconds)
