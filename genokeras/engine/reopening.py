"""A run read back from its folder; what is missing or damaged of what it delivers is made again from its trials.

Who loads a run while another process writes to it, or from where nothing can be written, gets what there is, and writes nothing; nor
does a full disk keep anybody from reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from genokeras.encoders import TableEncoder
from genokeras.engine.delivery import Delivery
from genokeras.engine.methods import method_of
from genokeras.engine.problem import Problem
from genokeras.engine.problem_files import has_problem, read_problem
from genokeras.engine.run import (
    FINAL_WEIGHTS,
    MODEL_FILE,
    RESULT_FILE,
    Run,
    chosen_run,
    merged,
    objective_of,
    read_delivery,
    tell_damage,
    write_run,
)
from genokeras.engine.store import TrialStore
from genokeras.engine.trial_index import WORTHWHILE
from genokeras.errors import GenoKerasError, NewerFormatError, RunFolderError
from genokeras.searchers import History
from genokeras.support import RunFolder
from genokeras.support.files import DAMAGED
from genokeras.support.keras_files import load_keras
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import run_lock
from genokeras.support.wording import cause
from genokeras.tasks.objectives import Objective

KILLED = "killed"
# What a model that was trained further is noted by in result.json.
_TRAINED_ON = ("final_fit", "fine_tuning")


@dataclass(frozen=True)
class _Result:
    """What ``result.json`` says."""

    delivery: Delivery
    stop_reason: str
    trained_on: Mapping[str, Any]


@single_precision()
def open_run(folder: RunFolder, objective: Objective | None = None, best_alone: bool = False) -> Run:
    """Read a run back; one that never finished is delivered from the trials it has.

    What is damaged is left out or made again, with a warning that says what.

    Parameters
    ----------
    folder : RunFolder
    objective : Objective, optional
        What trials were scored by, where the run folder cannot hold it.
    best_alone : bool
        As in `finish_run`.

    Raises
    ------
    NewerFormatError
        If a newer GenoKeras made it.
    RunFolderError
        If no trial of the run ever finished, or the samples are damaged.
    """
    store = TrialStore(folder)
    with folder.reading():
        if not has_problem(folder):
            raise RunFolderError(
                f"the run {str(folder.path)!r} was stopped before its first trial: there is nothing to load."
            )
        problem, history = read_problem(folder), store.history()
        if not history.ok():
            why = "".join(f": {said}" for said in store.sayings())
            raise RunFolderError(
                f"no trial of the run {str(folder.path)!r} has finished{why}: there is nothing to load."
            )
        objective = objective or objective_of(folder, problem.task)
    run = _Opening(store, problem, objective, best_alone).run(history)
    if store.read_singly >= WORTHWHILE:
        with _writable(folder) as writable:
            if writable:
                with suppress(OSError):  # it only makes the next reading quicker
                    store.write_index(run.history)
    return run


class _Opening:
    """One run that is being read back."""

    def __init__(self, store: TrialStore, problem: Problem, objective: Objective, best_alone: bool) -> None:
        self._store, self._folder = store, store.folder
        self._problem, self._objective, self._best_alone = problem, objective, best_alone
        self._said: list[str] = []

    def run(self, history: History) -> Run:
        result, model = self._result(), self._model()
        if result is not None:
            members = [trial for trial in history if trial.id in result.delivery.shares]
            history = history.updated(self._store.checked(trial) for trial in members)
        if result is not None and not self._holds(result.delivery, history):
            self._said.append("the ensemble was chosen anew, without them")
            run = self._anew(history, result.stop_reason)
            # What was trained further does not need the trials.
            kept = result.trained_on if model is not None else {}
            run = replace(run, model=model) if kept else run
            return self._written(run, kept, result.trained_on)
        if result is None:
            return self._written(self._anew(history, self._reason()), {}, {})
        run = Run(
            self._folder,
            self._problem,
            self._problem.task,
            history,
            result.delivery,
            result.stop_reason,
            self._objective,
            model,
        )
        if model is not None:
            self._tell(write=False)
            return run
        run, kept = self._with_model_again(run, result)
        return self._written(run, kept, result.trained_on)

    def _anew(self, history: History, reason: str) -> Run:
        return chosen_run(
            self._store, self._problem, history, self._objective, reason, best_alone=self._best_alone
        )

    def _with_model_again(self, run: Run, result: _Result) -> tuple[Run, Mapping[str, Any]]:
        self._said.append(f"{MODEL_FILE} was made again")
        fitted = None
        if set(result.trained_on) == {"final_fit"} and not isinstance(self._problem.encoder, TableEncoder):
            # The bases that a table's final fit read by are in the lost model alone.
            fitted = self._final_network(run)
        if fitted is not None:
            model = method_of(self._problem).merge(self._problem, [replace(fitted, split=0)])
            return replace(run, model=model), result.trained_on
        return replace(run, model=merged(self._store, self._problem, run.delivery)), {}

    def _final_network(self, run: Run) -> Any:
        try:
            return run.final_network()
        except RunFolderError:
            return None

    def _holds(self, delivery: Delivery, history: History) -> bool:
        """Whether all trials that a delivery names are whole."""
        whole = {trial.id for trial in history.ok()}
        return whole.issuperset(delivery.shares) and delivery.best in (None, *whole)

    def _written(self, run: Run, kept: Mapping[str, Any], trained_on: Mapping[str, Any]) -> Run:
        for name in trained_on:
            if name not in kept:
                self._said.append(f"what {name} had trained is lost: call it again")
        with _writable(self._folder) as writable:
            self._tell(write=writable and self._kept(run, kept))
        return run

    def _kept(self, run: Run, kept: Mapping[str, Any]) -> bool:
        """Write what the run delivers; whether that could be done."""
        try:
            write_run(run, kept)
        except OSError as error:
            self._said.append(
                f"what it delivers is in memory alone, and is made again by every load ({cause(error)})"
            )
            return False
        return True

    def _tell(self, write: bool) -> None:
        with suppress(OSError):  # what the journal has no room for was said
            tell_damage(self._folder, [*self._store.sayings(), *self._said], write)

    def _result(self) -> _Result | None:
        """What the run delivers; None where that is not written or damaged."""
        if not self._folder.has(RESULT_FILE):
            return None
        try:
            with self._folder.reading():
                content = self._folder.read_json(RESULT_FILE)
                trained_on = {name: content[name] for name in _TRAINED_ON if name in content}
                return _Result(read_delivery(self._folder), str(content["stop_reason"]), trained_on)
        except NewerFormatError:
            raise
        except GenoKerasError:
            self._said.append(f"{RESULT_FILE} is damaged: what is delivered was chosen anew")
            if self._folder.has(FINAL_WEIGHTS):
                self._said.append("what final_fit had trained is lost: call it again")
            return None

    def _reason(self) -> str:
        """Why the search ended; a run without a result was killed before it had one."""
        reasons = [
            str(event["reason"]) for event in self._folder.journal() if event.get("event") == "finished"
        ]
        return reasons[-1] if reasons and self._folder.has(RESULT_FILE) else KILLED

    def _model(self) -> Any:
        """The delivered model; None where it is not there or damaged."""
        path = self._folder.path / MODEL_FILE
        if not path.exists():
            return None
        try:
            return load_keras(path)
        except GenoKerasError:  # it holds code
            raise
        except (OSError, *DAMAGED) as error:
            self._said.append(f"{MODEL_FILE} cannot be read ({cause(error)})")
            return None


@contextmanager
def _writable(folder: RunFolder) -> Iterator[bool]:
    """Hold the folder's lock, if that can be had."""
    lock = run_lock(folder.path)
    try:
        lock.__enter__()
    except RunFolderError:
        yield False
        return
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)
