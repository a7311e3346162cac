"""A run with at least one trained trial and what is delivered from it: written to its folder, and read back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from genokeras.encoders import NetworkEncoder, TableEncoder
from genokeras.engine.delivery import (
    Delivery,
    OutOfFold,
    deliver,
    deliver_best,
    ensemble_out_of_fold,
    read_estimate,
    single_best,
)
from genokeras.engine.delivery_time import DeliveryTime
from genokeras.engine.growth import Growth, growth_of
from genokeras.engine.jobs import weights_from_arrays
from genokeras.engine.methods import method_of
from genokeras.engine.model_files import reading_sidecar, sidecar_content
from genokeras.engine.problem import Problem, ScoredRows
from genokeras.engine.problem_files import TASK_FILE, read_scored_rows, read_task_of
from genokeras.engine.store import DamagedTrials, TrialStore
from genokeras.errors import RunFolderError
from genokeras.networks import TrainedNetwork
from genokeras.searchers import GEOMETRIC, MEAN, History, TrialResult
from genokeras.support import RunFolder
from genokeras.support.checks import check_choice
from genokeras.tasks.calibration import Calibration, read_calibration
from genokeras.tasks.objectives import Objective, get_objective, named_objective
from genokeras.tasks.task import Task

MODEL_FILE, SIDECAR_FILE, RESULT_FILE = "best.keras", "best.json", "result.json"
# What a final fit delivers in place of a trial's members.
FINAL_WEIGHTS = "final.npz"


@dataclass(frozen=True, eq=False)
class Run:
    """A run with at least one trained trial, and what is delivered from it.

    Attributes
    ----------
    folder : RunFolder
    rows : ScoredRows
        The whole `Problem` where the samples were read, too.
    task : Task
    history : History
    delivery : Delivery
    stop_reason : str
        Why the search ended.
    objective : Objective
        What trials were scored by.
    model : keras.Model or None
        Raw samples in, answers out; None where it was not read.
    """

    folder: RunFolder
    rows: ScoredRows
    task: Task
    history: History
    delivery: Delivery
    stop_reason: str
    objective: Objective
    model: Any = None

    @property
    def problem(self) -> Problem:
        """The problem of the run.

        Raises
        ------
        RunFolderError
            If the run was opened without its samples.
        """
        if not isinstance(self.rows, Problem):
            raise RunFolderError(f"the run {str(self.folder.path)!r} was opened without its samples.")
        return self.rows

    @property
    def kind(self) -> str:
        """What the samples are: "genome", "sequence", "image", "text", or the kind of a module."""
        return str(self.folder.settings.get("kind") or "genome")

    @property
    def names(self) -> np.ndarray:
        """``(n_outputs,)`` the classes, or what the numbers are called."""
        named = self.folder.settings.get(self.task.names_key)
        return np.arange(self.task.n_outputs) if named is None else np.asarray(named)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features of a table; none of other samples."""
        return tuple(self.folder.settings["feature_names"])

    @property
    def noted(self) -> dict[str, Any]:
        """What ``result.json`` says; nothing where the run was loaded while it was searched, or from where nothing can be written."""
        self.folder.check_there()
        return self.folder.read_json(RESULT_FILE) if self.folder.has(RESULT_FILE) else {}

    @property
    def best(self) -> TrialResult:
        """The single best trial: see `single_best`; where none was chosen, by its out-of-fold score."""
        if self.delivery.best is not None:
            return self.history.get(self.delivery.best)
        return self.history.ranked()[0]

    @property
    def growth(self) -> Growth:
        """How much of the search and of what is delivered was grown by morphism."""
        return growth_of(self.history, self.delivery.shares)

    def out_of_fold(self) -> OutOfFold:
        """Out-of-fold predictions of the delivered ensemble; a final fit trains on all rows and has none of its own."""
        return ensemble_out_of_fold(TrialStore(self.folder), self.rows, self.delivery)

    def sidecar(self) -> dict[str, Any]:
        """What a file beside an exported model says of its inputs and answers."""
        answers = {self.task.names_key: self.names.tolist(), "answers": self.task.answers_name}
        read = self.problem.encoder.sidecar() | reading_sidecar(self.kind, self.folder.settings)
        return {"kind": self.kind} | answers | read

    def model_files(self) -> dict[str, Any]:
        """The model and what is beside it, as `RunFolder.write` takes them."""
        beside = sidecar_content(self.sidecar(), self.delivery.estimate)
        return {MODEL_FILE: self.model.save, SIDECAR_FILE: beside}

    def network(self, trial: TrialResult, share: float = 1.0) -> TrainedNetwork:
        """A trial as merging needs it."""
        return trained_network(TrialStore(self.folder), trial, share)

    def ensemble(self) -> list[TrainedNetwork]:
        """The trials of the delivered ensemble, with their shares."""
        store = TrialStore(self.folder)
        return [trained_network(store, store.read(id), share) for id, share in self.delivery.shares.items()]

    def model_for(self, encoder: NetworkEncoder) -> Any:
        """What is delivered as a model of its own, for samples that another encoder reads alike: shorter rows of the same sequences."""
        problem, fitted = replace(self.problem, encoder=encoder), self.final_network()
        if fitted is not None:
            return method_of(problem).merge(problem, [fitted])
        delivery = self.delivery
        return method_of(problem).merge(problem, self.ensemble(), delivery.calibration, delivery.pooling)

    def final_network(self) -> TrainedNetwork | None:
        """The network of a final fit, where one is delivered; its members are of the encoder that was fitted to all rows."""
        if not self.folder.has(FINAL_WEIGHTS):
            return None
        noted = self.noted.get("final_fit")
        if noted is None:
            return None
        weights = weights_from_arrays(self.folder.read_arrays(FINAL_WEIGHTS))
        return replace(self.network(self.best), weights=weights, sharpness=noted.get("sharpness", 1.0))

    def with_model(
        self, model: Any, note: Mapping[str, Mapping[str, Any]], files: Mapping[str, Any] | None = None
    ) -> Run:
        """The run delivering another model, written to its folder.

        Parameters
        ----------
        model : keras.Model
        note : mapping
            Joins ``result.json`` and the journal.
        files : mapping, optional
            Further files that belong to the model.
        """
        run = replace(self, model=model)
        result = {**(self.noted or _result_of(self)), **note}
        self.folder.write({**(files or {}), **run.model_files(), RESULT_FILE: result})
        for event, values in note.items():
            self.folder.record(event, **values)
        return run


def trained_network(store: TrialStore, trial: TrialResult, share: float = 1.0) -> TrainedNetwork:
    """A trial as merging needs it, its weights read from the run folder."""
    proposal = trial.proposal
    weights = store.father(trial).weights
    return TrainedNetwork(
        f"trial_{trial.id}", proposal.graph, proposal.hyper, weights, share, trial.sharpness, proposal.split
    )


def finish_run(
    folder: RunFolder,
    problem: Problem,
    history: History,
    objective: Objective,
    stop_reason: str,
    time: DeliveryTime | None = None,
    best_alone: bool = False,
) -> Run:
    """Choose, estimate, merge and write what the run delivers; trials whose files are damaged are left out, with a warning.

    Parameters
    ----------
    folder : RunFolder
    problem : Problem
    history : History
        With at least one trial that did not fail.
    objective : Objective
    stop_reason : str
    time : DeliveryTime, optional
        What there is time for; everything by default.
    best_alone : bool
        Deliver the best trial and not an ensemble, without an estimate: a module does.

    Raises
    ------
    RunFolderError
        If the files of all trials are damaged.
    """
    store = TrialStore(folder)
    run = chosen_run(store, problem, history, objective, stop_reason, time, best_alone)
    write_run(run)
    store.write_index(run.history)
    tell_damage(folder, store.sayings(), write=True)
    return run


def chosen_run(
    store: TrialStore,
    problem: Problem,
    history: History,
    objective: Objective,
    stop_reason: str,
    time: DeliveryTime | None = None,
    best_alone: bool = False,
) -> Run:
    """What :func:`finish_run` delivers, not written yet; `store` keeps which trials were left out."""
    choose = partial(_chosen, store, problem, objective, time, best_alone)
    while True:
        try:
            delivery = choose(history)
            model = merged(store, problem, delivery)
            return Run(store.folder, problem, problem.task, history, delivery, stop_reason, objective, model)
        except DamagedTrials as damage:
            bad = [store.left_out(history.get(trial), fault) for trial, fault in damage.faults.items()]
            history = history.updated(bad)
            if not history.ok():
                raise RunFolderError(
                    f"all trials of the run {str(store.folder.path)!r} are damaged: there is nothing to deliver."
                ) from damage


def _chosen(
    store: TrialStore,
    problem: Problem,
    objective: Objective,
    time: DeliveryTime | None,
    best_alone: bool,
    history: History,
) -> Delivery:
    if best_alone:
        return deliver_best(history, objective)
    seed, largest = int(store.folder.settings["seed"]), method_of(problem).largest_ensemble(problem)
    delivery = deliver(store, problem, history, objective, seed, problem.groups, time, largest)
    if isinstance(problem.encoder, TableEncoder):
        best = single_best(store, problem, history, delivery, objective, tuple(problem.widths))
        if not store.has_weights(best):
            best = next(trial.id for trial in history.ranked() if store.has_weights(trial.id))
        delivery = replace(delivery, best=best)
    return delivery


def merged(store: TrialStore, problem: Problem, delivery: Delivery) -> Any:
    """One model of the delivered trials."""
    networks = [trained_network(store, store.read(id), share) for id, share in delivery.shares.items()]
    calibration = None if delivery.calibration == Calibration() else delivery.calibration
    return method_of(problem).merge(problem, networks, calibration, delivery.pooling)


def write_run(run: Run, trained_on: Mapping[str, Any] | None = None) -> None:
    """Write what a run delivers to its folder.

    Parameters
    ----------
    run : Run
    trained_on : mapping, optional
        What `Run.with_model` noted of a model that was trained on and stays. Without, the model is the ensemble.
    """
    delivery, folder = run.delivery, run.folder
    folder.write({**run.model_files(), RESULT_FILE: {**_result_of(run), **(trained_on or {})}})
    if not trained_on:
        (folder.path / FINAL_WEIGHTS).unlink(missing_ok=True)
    value = delivery.estimate.get("value", delivery.estimate.get("uncorrected"))
    folder.record("finished", reason=run.stop_reason, trials=len(run.history), value=value)


def _result_of(run: Run) -> dict[str, Any]:
    """What ``result.json`` says of a run whose model is the ensemble."""
    delivery = run.delivery
    result: dict[str, Any] = {
        "estimate": delivery.estimate,
        "shares": {str(trial): share for trial, share in delivery.shares.items()},
        "calibration": asdict(delivery.calibration),
        "stop_reason": run.stop_reason,
    }
    if delivery.best is not None:
        result["best"] = delivery.best
    if delivery.pooling != MEAN:
        result["pooling"] = delivery.pooling
    return result


def tell_damage(folder: RunFolder, sayings: Sequence[str], write: bool) -> None:
    """Warn of what is damaged in a run folder, and note it in the journal.

    Parameters
    ----------
    folder : RunFolder
    sayings : sequence of str
        Nothing is said where there are none.
    write : bool
        Whether the journal may be written to; what it has noted already is not noted again.
    """
    if not sayings:
        return
    warnings.warn(f"Of the run {str(folder.path)!r}: {'; '.join(sayings)}.", stacklevel=3)
    if write:
        noted = {
            said for event in folder.journal() if event.get("event") == "damage" for said in event["found"]
        }
        new = [said for said in sayings if said not in noted]
        if new:
            folder.record("damage", found=new)


def read_record(folder: RunFolder, objective: Objective | None = None) -> Run:
    """A finished run without its samples and its model.

    Parameters
    ----------
    folder : RunFolder
    objective : Objective, optional
        As in `open_run`.

    Raises
    ------
    RunFolderError
        If the run was stopped before it was finished.
    """
    with folder.reading():
        if not folder.has(RESULT_FILE):
            raise RunFolderError(
                f"the run {str(folder.path)!r} was stopped before it chose its ensemble. "
                "gk.load_estimator(path) finishes it from the trials it has."
            )
        task, history = read_task_of(folder), TrialStore(folder).history()
        reason = str(folder.read_json(RESULT_FILE)["stop_reason"])
        rows, objective = read_scored_rows(folder), objective or objective_of(folder, task)
        return Run(folder, rows, task, history, read_delivery(folder), reason, objective)


def read_delivery(folder: RunFolder) -> Delivery:
    """What a finished run delivers, its model apart.

    Raises
    ------
    RunFolderError
        If the run is not finished.
    """
    with folder.reading():
        result = folder.read_json(RESULT_FILE)
        shares = {int(trial): float(share) for trial, share in result["shares"].items()}
        return Delivery(
            shares,
            read_calibration(result["calibration"]),
            read_estimate(result["estimate"]),
            result.get("best"),
            check_choice(result.get("pooling", MEAN), "pooling", (MEAN, GEOMETRIC)),
        )


def objective_of(folder: RunFolder, task: Task) -> Objective:
    """What the trials of a run were scored by; a metric that only its user has can show values, and compute none."""
    held = folder.settings.get("metric")
    if held is None:
        return task.objective(str(folder.settings["settings"]["objective"]))
    return named_objective(str(held["name"]), bool(held["greater_is_better"]), task.answers)


def shown_objective(folder: RunFolder) -> Objective:
    """What the trials of a run were scored by: its name and its direction, to show values with."""
    if folder.has(TASK_FILE):
        return objective_of(folder, read_task_of(folder))
    return get_objective(str(folder.settings["settings"]["objective"]))
