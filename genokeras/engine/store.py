"""Trials in a run folder: written as they finish, read back for inheritance, resuming and delivery."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from genokeras.engine.jobs import Begun, Father, Outcome, weights_from_arrays, weights_to_arrays
from genokeras.engine.trial_index import WORTHWHILE, unchanged_trials, write_index
from genokeras.errors import GenoKerasError, NewerFormatError, RunFolderError
from genokeras.graph import Weights
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.support.files import DAMAGED, arrays_fault, read_arrays
from genokeras.support.folder import RunFolder
from genokeras.support.wording import cause

_DIGITS_OF_GAIN = 6
_REMOVED = "removed_weights.json"
_WEIGHTS, _PREDICTIONS, _GRAPH = "weights.npz", "predictions.npz", "graph.json"


class DamagedTrials(RunFolderError):
    """Trials whose files cannot be read.

    Attributes
    ----------
    faults : dict of int to str
        What is wrong, by the trial's id.
    """

    def __init__(self, folder: RunFolder, faults: Mapping[int, str]) -> None:
        trials = ", ".join(map(str, faults))
        super().__init__(
            f"trials of the run {str(folder.path)!r} are damaged ({trials}): {next(iter(faults.values()))} Load the run with "
            "gk.load_estimator(path): it then goes on without them."
        )
        self.faults = dict(faults)


class TrialStore:
    """What a run knows of its trials.

    Parameters
    ----------
    folder : RunFolder

    Attributes
    ----------
    damage : dict of int to str
        What was wrong with trials that were read, by their ids.
    read_singly : int
        Trials that were read from their own files, and not from the index of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.damage: dict[int, str] = {}
        self.read_singly = 0
        self._without: frozenset[int] | None = None

    def write(self, *outcomes: Outcome) -> None:
        """Arrays first, then ``graph.json``, which makes a trial count, then the journal's lines; one wait for the disk."""
        files: dict[str, object] = {}
        for outcome in outcomes:
            result, name = outcome.result, self.folder.trial_name(outcome.result.id)
            if result.status == "ok":
                files[f"{name}/{_WEIGHTS}"] = weights_to_arrays(outcome.weights)
                predictions = {"probabilities": outcome.answers, "curve": outcome.curve}
                files[f"{name}/{_PREDICTIONS}"] = predictions
            else:
                files[f"{name}/error.txt"] = result.error or ""
            files[f"{name}/{_GRAPH}"] = {"trial": result.to_dict()}
        self.folder.write(files)
        self.record([outcome.result for outcome in outcomes])

    def record(self, results: Sequence[TrialResult]) -> None:
        """Write the journal's lines of trials."""
        self.folder.record_all([_journal_line(result) for result in results])

    def history(self, whole: bool = False) -> History:
        """All trials whose record is complete; where their files are damaged, they count as failed, or not at all without a graph.

        Parameters
        ----------
        whole : bool
            Read all of each file: without, only what was cut short is found.
        """
        known = {} if whole else unchanged_trials(self.folder, self._needed)
        found = []
        for trial_id in self.folder.begun_trials():
            trial = known.get(trial_id) or self._read_singly(trial_id, whole)
            if trial is not None:
                found.append(trial)
        return History(tuple(found))

    def write_index(self, history: History) -> None:
        """Write what makes a run of many trials open fast; nothing where they are few, or where the disk is full."""
        if len(history) >= WORTHWHILE:
            whole = [trial for trial in history if trial.id not in self.damage]
            with suppress(RunFolderError):
                write_index(self.folder, whole, (_GRAPH, _PREDICTIONS, _WEIGHTS))

    def checked(self, trial: TrialResult, whole: bool = True) -> TrialResult:
        """The trial, or a failure in its place where its files are damaged; see `history`."""
        for name in self._needed(trial)[1:]:
            fault = arrays_fault(self.folder.path / self.folder.trial_name(trial.id) / name, whole)
            if fault:
                return self.left_out(trial, f"{name}: {fault}")
        return trial

    def _needed(self, trial: TrialResult) -> tuple[str, ...]:
        """Names of the files that a trial is made of."""
        if trial.status != "ok":
            return (_GRAPH,)
        return (_GRAPH, _PREDICTIONS, _WEIGHTS) if self.has_weights(trial.id) else (_GRAPH, _PREDICTIONS)

    def has_weights(self, trial_id: int) -> bool:
        """Whether the weights of a trial were kept."""
        if self._without is None:
            held = self.folder.read_json(_REMOVED) if self.folder.has(_REMOVED) else {"trials": []}
            self._without = frozenset(int(trial) for trial in held["trials"])
        return trial_id not in self._without

    def remove_weights(self, trial_ids: Iterable[int]) -> None:
        """Remove the weights of these trials for good; what they answered and their curves stay."""
        removed = {trial for trial in self.folder.trial_ids() if not self.has_weights(trial)} | set(trial_ids)
        self.folder.write_json(_REMOVED, {"trials": sorted(removed)})
        self._without = frozenset(removed)
        for trial in removed:
            (self.folder.path / self.folder.trial_name(trial) / _WEIGHTS).unlink(missing_ok=True)

    def left_out(self, trial: TrialResult, fault: str) -> TrialResult:
        """A failure in place of a trial whose files are damaged."""
        self.damage[trial.id] = fault
        return TrialResult.failure(trial.id, trial.proposal, f"its files are damaged: {fault}")

    def sayings(self) -> list[str]:
        """What is to be said about the damage found so far."""
        if not self.damage:
            return []
        trials = ", ".join(f"trial {trial} ({fault})" for trial, fault in sorted(self.damage.items()))
        return [f"these trials are damaged and were left out: {trials}"]

    def _read_singly(self, trial_id: int, whole: bool) -> TrialResult | None:
        """A trial from its own files; None where its record is damaged, or not complete."""
        if not self.folder.has(f"{self.folder.trial_name(trial_id)}/{_GRAPH}"):
            return None
        self.read_singly += 1
        try:
            trial = self.read(trial_id)
        except NewerFormatError:
            raise
        except (GenoKerasError, *DAMAGED) as error:
            self.damage[trial_id] = f"{_GRAPH}: {cause(error)}"
            return None
        if trial.id != trial_id:
            self.damage[trial_id] = f"{_GRAPH}: it is of trial {trial.id}"
            return None
        return self.checked(trial, whole)

    def read(self, trial_id: int) -> TrialResult:
        name = f"{self.folder.trial_name(trial_id)}/{_GRAPH}"
        try:
            return TrialResult.from_dict(self.folder.read_json(name)["trial"])
        except KeyError as error:
            raise RunFolderError(f"{name} of {str(self.folder.path)!r} lacks {error}.") from error

    def father(self, trial: TrialResult) -> Father:
        """The graph and the fold members of a trial.

        Raises
        ------
        RunFolderError
            If its weights were removed.
        """
        if not self.has_weights(trial.id):
            raise RunFolderError(
                f"the run {str(self.folder.path)!r} kept the weights of its best trials alone, and trial {trial.id} is none of them. "
                'Fit with keep="all" to load any trial.'
            )
        arrays = self._arrays(trial.id, _WEIGHTS)
        return Father(trial.proposal.graph, weights_from_arrays(arrays))

    def outcome(self, trial: TrialResult, weights: Weights, proposal: Proposal) -> Outcome:
        """A trial with other weights and another proposal, its answers and its curve as they are here."""
        answers = self.answers((trial,))[0]
        return Outcome(replace(trial, proposal=proposal), weights, answers, self.curve(trial.id))

    def begun(self, trial: TrialResult) -> Begun:
        """What there is of a trial that lacks folds."""
        n = len(trial.folds)
        held = self.father(trial).weights
        # A run that was killed may have the weights of further folds.
        weights = {layer: {name: w[:n] for name, w in arrays.items()} for layer, arrays in held.items()}
        return Begun(trial, weights, self.curve(trial.id))

    def answers(self, trials: tuple[TrialResult, ...]) -> np.ndarray:
        """``(n_trials, n_samples, n_outputs)`` out of fold.

        Raises
        ------
        DamagedTrials
            Of all trials whose file cannot be read.
        """
        found, damage = [], {}
        for trial in trials:
            try:
                found.append(self._predicted(trial.id, "probabilities"))
            except DamagedTrials as error:
                damage.update(error.faults)
        if damage:
            raise DamagedTrials(self.folder, damage)
        return np.stack(found)

    def curve(self, trial_id: int) -> np.ndarray:
        """``(scorings, 3)``: step, training loss, held-out loss."""
        return self._predicted(trial_id, "curve")

    def _predicted(self, trial_id: int, key: str) -> np.ndarray:
        arrays = self._arrays(trial_id, _PREDICTIONS)
        if key not in arrays:
            raise DamagedTrials(self.folder, {trial_id: f"{_PREDICTIONS} lacks {key}"})
        return arrays[key]

    def _arrays(self, trial_id: int, name: str) -> dict[str, np.ndarray]:
        self.folder.check_there()
        try:
            return read_arrays(self.folder.path / self.folder.trial_name(trial_id) / name)
        except RunFolderError as error:
            raise DamagedTrials(self.folder, {trial_id: str(error)}) from error


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
