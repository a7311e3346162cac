"""Which samples are unlike all that a run on genes was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from genokeras.engine.run import Run
from genokeras.errors import ParameterError, RunFolderError
from genokeras.features import Matrix, NoveltySpace
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
            f"the run {str(folder.path)!r} was made before runs kept what novelty is measured by ({NOVELTY_FILE}): fit it again."
        )
    with folder.reading():
        try:
            return NoveltySpace.from_arrays(folder.read_arrays(NOVELTY_FILE))
        except KeyError as error:
            raise RunFolderError(f"{NOVELTY_FILE} of {str(folder.path)!r} lacks {error}.") from error
