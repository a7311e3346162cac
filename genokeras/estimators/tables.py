"""Tables and scores made of a fitted run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genokeras.engine import is_linear
from genokeras.engine.fitted import FinishedRun
from genokeras.searchers import TrialResult
from genokeras.tasks.objectives import NUMBER_OBJECTIVES, OBJECTIVES

EVALUATED = ("accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1", "mcc")


def scores(probabilities: np.ndarray, codes: np.ndarray) -> dict[str, float]:
    """All the scores of ``evaluate``."""
    return {name: OBJECTIVES[name].value(probabilities, codes) for name in EVALUATED}


def number_scores(answers: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """All the scores of a regressor's ``evaluate``."""
    return {name: objective.value(answers, targets) for name, objective in NUMBER_OBJECTIVES.items()}


def leaderboard(run: FinishedRun) -> pd.DataFrame:
    """One row a trial, best first; failed trials last, with the last line of their error in ``morphism``'s place."""
    ranked = run.history.ranked()
    linear = min((trial.score for trial in ranked if is_linear(trial.proposal.graph)), default=np.nan)
    rows = [_row(run, trial, rank, linear) for rank, trial in enumerate(ranked, start=1)]
    rows += [_row(run, trial, None, linear) for trial in run.history.failed()]
    table = pd.DataFrame(rows)
    table["rank"] = table["rank"].astype("Int64")
    table["father"] = table["father"].astype("Int64")
    return table


def _row(run: FinishedRun, trial: TrialResult, rank: int | None, linear: float) -> dict[str, object]:
    proposal, ok = trial.proposal, trial.status == "ok"
    return {
        "rank": rank,
        "model_id": trial.id,
        "father": proposal.father,
        "morphism": _morphism(trial),
        "score": run.objective.value_of_loss(trial.score) if ok else np.nan,
        "se": trial.score_se,
        "gap": linear - trial.score if ok else np.nan,
        "parameters": trial.n_parameters,
        "seconds": trial.seconds,
        "graph": proposal.graph.describe(),
        **proposal.hyper.to_dict(),
        "step": trial.step,
        "share": run.delivery.shares.get(trial.id, 0.0),
        "status": trial.status,
    }


def _morphism(trial: TrialResult) -> str:
    proposal = trial.proposal
    if trial.error:
        return "failed: " + trial.error.strip().splitlines()[-1]
    if proposal.father is None:
        return proposal.origin
    return ", ".join(morphism.name for morphism in proposal.morphisms) or "hyper-parameters"
