"""Out-of-fold answers of the ensemble for rows that took no part in choosing it either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.engine.delivery import family_of, limits_of
from genokeras.engine.methods import method_of
from genokeras.engine.run import Run
from genokeras.engine.sample_importance import importance_of
from genokeras.engine.store import TrialStore
from genokeras.errors import ParameterError
from genokeras.searchers import combine, select_ensemble
from genokeras.tasks.conformal import row_weights

_PARTS, _SEED = 5, 0
# What makes the delivered model another one than the ensemble of the search.
_TRAINED_ON = ("final_fit", "fine_tuning")


@dataclass(frozen=True)
class HonestAnswers:
    """Answers that neither a network's training, nor the choice of the ensemble, nor its calibration has seen the truth of.

    Attributes
    ----------
    answers : numpy.ndarray
        ``(n, n_outputs)`` float64, of the rows that some fold holds out.
    targets : numpy.ndarray
        ``(n, ...)``.
    groups : numpy.ndarray or None
        ``(n,)`` numbers.
    importance : numpy.ndarray or None
        ``(n,)`` how much each row counts, whatever its class; None where all count alike.
    """

    answers: np.ndarray
    targets: np.ndarray
    groups: np.ndarray | None
    importance: np.ndarray | None = None

    def weights(self, by_class: bool = False) -> np.ndarray:
        """``(n,)`` what limits weigh the rows by, of all together or of each class by itself; see `row_weights`."""
        strata = self.targets if by_class else None
        return row_weights(len(self.targets), self.groups, self.importance, strata)


def honest_answers(run: Run) -> HonestAnswers:
    """Choose the ensemble five times without a fifth of the rows, whole groups, and answer for these.

    Raises
    ------
    ParameterError
        If what the run delivers was trained on since the search, so that nothing is out of fold.
    """
    _check_of_search(run)
    scored = run.rows.scored
    groups = run.problem.groups
    trials = run.history.ok()
    p = TrialStore(run.folder).answers(trials)[:, scored].astype("float64")
    targets, weight = run.rows.targets[scored], run.rows.sample_weight[scored]
    groups = None if groups is None else groups[scored]
    part = _parts(len(targets), groups)
    rest = np.stack([part != number for number in np.unique(part)])
    limits = limits_of(len(targets), run.objective, method_of(run.problem).largest_ensemble(run.problem))
    families = np.array([family_of(trial) for trial in trials])
    shares = select_ensemble(
        p, targets, run.objective, sample_weight=rest * weight, families=families, **limits
    )
    answers = np.empty(p.shape[1:])
    for kept, share in zip(rest, shares, strict=True):
        mixture = combine(p, share, limits["pooling"])
        calibration = run.objective.answers.calibration(mixture, targets, kept * weight)
        answers[~kept] = calibration.apply(mixture[~kept])
    return HonestAnswers(answers, targets, groups, importance_of(run))


def _check_of_search(run: Run) -> None:
    noted = run.noted
    later = [name for name in _TRAINED_ON if name in noted]
    if later:
        raise ParameterError(
            f"this needs answers to samples that the delivered model has not seen, and {later[0]} trained it on all of them: none "
            "is left. Use the run as it was before, a copy made by save(path) say, or fit again."
        )


def _parts(n: int, groups: np.ndarray | None) -> np.ndarray:
    """``(n,)`` which of five equal parts each row is in; rows of a group are together."""
    unit = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.random.default_rng(_SEED).permutation(unit.max() + 1)
    return np.asarray((order % _PARTS)[unit])
