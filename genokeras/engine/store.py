"""Trials in a run folder: written as they finish, read back for inheritance, resuming and delivery."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genokeras.engine.jobs import Begun, Father, Outcome, weights_from_arrays, weights_to_arrays
from genokeras.errors import RunFolderError
from genokeras.searchers import History, TrialResult
from genokeras.support.folder import RunFolder

_DIGITS_OF_GAIN = 6


class TrialStore:
    """What a run knows of its trials.

    Parameters
    ----------
    folder : RunFolder
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def write(self, *outcomes: Outcome) -> None:
        """Arrays first, then ``graph.json``, which makes a trial count, then the journal's lines; one wait for the disk."""
        files: dict[str, object] = {}
        for outcome in outcomes:
            result, name = outcome.result, self.folder.trial_name(outcome.result.id)
            if result.status == "ok":
                files[f"{name}/weights.npz"] = weights_to_arrays(outcome.weights)
                predictions = {"probabilities": outcome.answers, "curve": outcome.curve}
                files[f"{name}/predictions.npz"] = predictions
            else:
                files[f"{name}/error.txt"] = result.error or ""
            files[f"{name}/graph.json"] = {"trial": result.to_dict()}
        self.folder.write(files)
        self.record([outcome.result for outcome in outcomes])

    def record(self, results: Sequence[TrialResult]) -> None:
        """Write the journal's lines of trials."""
        self.folder.record_all([_journal_line(result) for result in results])

    def history(self) -> History:
        """All trials whose record is complete."""
        with self.folder.reading():
            return History(tuple(self.read(trial_id) for trial_id in self.folder.trial_ids()))

    def read(self, trial_id: int) -> TrialResult:
        name = f"{self.folder.trial_name(trial_id)}/graph.json"
        try:
            return TrialResult.from_dict(self.folder.read_json(name)["trial"])
        except KeyError as error:
            raise RunFolderError(f"{name} of {str(self.folder.path)!r} lacks {error}.") from error

    def father(self, trial: TrialResult) -> Father:
        """The graph and the fold members of a trial."""
        arrays = self.folder.read_arrays(f"{self.folder.trial_name(trial.id)}/weights.npz")
        return Father(trial.proposal.graph, weights_from_arrays(arrays))

    def begun(self, trial: TrialResult) -> Begun:
        """What there is of a trial that lacks folds."""
        n = len(trial.folds)
        held = self.father(trial).weights
        # A run that was killed may have the weights of further folds.
        weights = {layer: {name: w[:n] for name, w in arrays.items()} for layer, arrays in held.items()}
        return Begun(trial, weights, self.curve(trial.id))

    def answers(self, trials: tuple[TrialResult, ...]) -> np.ndarray:
        """``(n_trials, n_samples, n_outputs)`` out of fold."""
        names = [f"{self.folder.trial_name(trial.id)}/predictions.npz" for trial in trials]
        return np.stack([self.folder.read_arrays(name)["probabilities"] for name in names])

    def curve(self, trial_id: int) -> np.ndarray:
        """``(scorings, 3)``: step, training loss, held-out loss."""
        return self.folder.read_arrays(f"{self.folder.trial_name(trial_id)}/predictions.npz")["curve"]


def _journal_line(result: TrialResult) -> dict[str, object]:
    proposal = result.proposal
    return {
        "event": "trial",
        "trial": result.id,
        "father": proposal.father,
        "origin": proposal.origin,
        "morphisms": [morphism.to_dict() for morphism in proposal.morphisms],
        "graph": proposal.graph.describe(),
        "fingerprint": proposal.fingerprint(),
        **({"rung": proposal.rung} if proposal.rung else {}),
        "split": proposal.split,
        "hyper": proposal.hyper.to_dict(),
        "status": result.status,
        "score": result.score if result.status == "ok" else None,
        **({"folds": len(result.folds), "missing": result.missing} if result.missing else {}),
        "gain": round(result.gain, _DIGITS_OF_GAIN) if math.isfinite(result.gain) else None,
        "step": result.step,
        "seconds": round(result.seconds, 3),
        "error": result.error.strip().splitlines()[-1] if result.error else None,
    }
