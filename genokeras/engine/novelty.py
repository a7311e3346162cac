"""Which samples are unlike all that a run on genes was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from genokeras.engine.budget import Budget
from genokeras.engine.run import Run
from genokeras.errors import ParameterError, RunFolderError
from genokeras.features import Matrix, NoveltySpace, fit_novelty, novelty_seconds
from genokeras.support.checks import check_number

NOVELTY_FILE = "novelty.npz"


def novelty_table(run: Run, x: Matrix, names: Sequence[str], false_alarms: float) -> pd.DataFrame:
    """One row a sample; see ``GenomeClassifier.novelty``.

    Parameters
    ----------
    run : Run
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)`` raw rows in the order of the run, without missing values.
    names : sequence of str
        Of the samples.
    false_alarms : float

    Raises
    ------
    ParameterError
        If the rate is out of range, or there are too few training samples for it.
    RunFolderError
        If the run is of a version that did not keep what is needed.
    """
    rate = check_number(false_alarms, "false_alarms", above=0, below=1)
    space = read_novelty(run)
    if space.smallest_p_value > rate:
        raise ParameterError(
            f"false_alarms={rate:g} needs {1 / rate - 1:.0f} training samples or more (with groups: groups); the run has "
            f"{space.weight.sum():.0f}. Allow more false alarms: {space.smallest_p_value:.2g} or more."
        )
    found = space.of(x)
    columns = {"distance": found.distance, "p_value": found.p_value, "novel": found.p_value <= rate}
    return pd.DataFrame(columns, index=pd.Index(list(names), name="sample"))


def novelty_maker(
    x: Matrix, groups: np.ndarray | None, seed: int
) -> Callable[[Budget], Mapping[str, np.ndarray] | None]:
    """What makes the arrays that novelty is measured by; it makes none where preparing the data would take too long."""

    def make(budget: Budget) -> Mapping[str, np.ndarray] | None:
        limited = budget.time_limit is not None
        if limited and not budget.fits_preparation(budget.slowness() * novelty_seconds(x)):
            return None
        return fit_novelty(x, groups, seed).to_arrays()

    return make


def read_novelty(run: Run) -> NoveltySpace:
    """What samples are compared with.

    Raises
    ------
    RunFolderError
        If the run folder does not hold it.
    """
    folder = run.folder
    if not folder.has(NOVELTY_FILE):
        raise RunFolderError(
            f"the run {str(folder.path)!r} does not hold what novelty is measured by ({NOVELTY_FILE}): it is from before, or there was no time for it. Fit again, with a longer time limit."
        )
    with folder.reading():
        try:
            return NoveltySpace.from_arrays(folder.read_arrays(NOVELTY_FILE))
        except KeyError as error:
            raise RunFolderError(f"{NOVELTY_FILE} of {str(folder.path)!r} lacks {error}.") from error
