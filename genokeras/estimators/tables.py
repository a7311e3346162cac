"""Tables and scores made of a fitted run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from genokeras.encoders import TENSOR
from genokeras.engine import Run, TrialStore, generations, way_of
from genokeras.engine.block_estimates import blocks_in_words, blocks_of
from genokeras.graph import is_linear
from genokeras.searchers import TrialResult
from genokeras.tasks.objectives import Objective


def leaderboard(run: Run, metrics: Sequence[Objective] = ()) -> pd.DataFrame:
    """One row a trial, best first, with a column for each of some metrics; trials that lack folds behind them, and failed ones last, with the last line of their error in ``origin``'s place."""
    ranked, generation = run.history.ranked(), generations(run.history)
    linear = min((trial.score for trial in ranked if is_linear(trial.proposal.graph)), default=np.nan)
    rows = [_row(run, trial, rank, linear) for rank, trial in enumerate(ranked, start=1)]
    rows += [_row(run, trial, None, linear) for trial in (*run.history.begun(), *run.history.failed())]
    table = pd.DataFrame(rows)
    table["rank"] = table["rank"].astype("Int64")
    table["father"] = table["father"].astype("Int64")
    table.insert(list(table.columns).index("origin") + 1, "generation", table["model_id"].map(generation))
    for metric in metrics:
        table.insert(
            list(table.columns).index("parameters"), metric.name, table["model_id"].map(_values(run, metric))
        )
    blocks = blocks_of(run)
    if blocks:
        read = {trial.id: blocks_in_words(trial, blocks) for trial in run.history}
        table.insert(list(table.columns).index("views") + 1, "blocks", table["model_id"].map(read))
    if run.kind != "genome":
        rungs = {trial.id: trial.proposal.rung for trial in run.history}
        table.insert(list(table.columns).index("step"), "rung", table["model_id"].map(rungs))
    return table


def _values(run: Run, metric: Objective) -> dict[int, float]:
    """A metric of the out-of-fold answers of every trial that was trained on all folds."""
    store, scored = TrialStore(run.folder), run.rows.scored
    targets, weight = run.rows.targets[scored], run.rows.sample_weight[scored]
    return {
        trial.id: metric.value(store.answers((trial,))[0][scored], targets, weight)
        for trial in run.history.ranked()
    }


def _row(run: Run, trial: TrialResult, rank: int | None, linear: float) -> dict[str, object]:
    proposal, ok = trial.proposal, trial.status == "ok"
    return {
        "rank": rank,
        "model_id": trial.id,
        "father": proposal.father,
        "origin": _origin(trial),
        "score": run.objective.value_of_loss(trial.score) if ok else np.nan,
        "se": trial.score_se,
        "gap": linear - trial.score if ok else np.nan,
        "parameters": trial.n_parameters,
        "seconds": trial.seconds,
        "graph": proposal.graph.describe(),
        "views": "+".join(view for view in proposal.views if view != TENSOR),
        **proposal.hyper.to_dict(),
        "step": trial.step,
        "share": run.delivery.shares.get(trial.id, 0.0),
        "status": f"{len(trial.folds)} of {run.rows.n_folds} folds" if trial.begun else trial.status,
    }


def _origin(trial: TrialResult) -> str:
    if trial.error:
        return "failed: " + trial.error.strip().splitlines()[-1]
    return way_of(trial.proposal)
