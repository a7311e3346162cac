"""What a finished run keeps of its trials, so that its folder stays small."""

from __future__ import annotations

from genokeras.engine.run import Run
from genokeras.engine.store import TrialStore
from genokeras.graph import is_linear


def keep_best(run: Run) -> int:
    """Remove the weights of trials that nothing needs which a finished run can do; how many trials lost theirs.

    Those in the delivered ensemble keep them, the single best one with its replicates, the best linear one, which is explained by itself,
    and trials that lack folds.
    """
    history, store = run.history, TrialStore(run.folder)
    needed = {*run.delivery.shares, *(trial.id for trial in history.replicates(run.best)), run.best.id}
    needed |= {next((trial.id for trial in history.ranked() if is_linear(trial.proposal.graph)), run.best.id)}
    unneeded = [
        trial.id
        for trial in history.ok()
        if trial.id not in needed and not trial.missing and store.has_weights(trial.id)
    ]
    if unneeded:
        store.remove_weights(unneeded)
        run.folder.record("weights_removed", trials=unneeded)
    return len(unneeded)
