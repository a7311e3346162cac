"""Tables and scores made of a fitted run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genokeras.engine import Run
from genokeras.graph import is_linear
from genokeras.searchers import TrialResult


def leaderboard(run: Run) -> pd.DataFrame:
    """One row a trial, best first; failed trials last, with the last line of their error in ``morphism``'s place."""
    ranked = run.history.ranked()
    linear = min((trial.score for trial in ranked if is_linear(trial.proposal.graph)), default=np.nan)
    rows = [_row(run, trial, rank, linear) for rank, trial in enumerate(ranked, start=1)]
    rows += [_row(run, trial, None, linear) for trial in run.history.failed()]
    table = pd.DataFrame(rows)
    table["rank"] = table["rank"].astype("Int64")
    table["father"] = table["father"].astype("Int64")
    if run.kind != "genome":
        rungs = {trial.id: trial.proposal.rung for trial in run.history}
        table.insert(list(table.columns).index("step"), "rung", table["model_id"].map(rungs))
    return table


def _row(run: Run, trial: TrialResult, rank: int | None, linear: float) -> dict[str, object]:
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
