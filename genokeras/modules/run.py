"""A module's run: from its last trial to the one network that is delivered, and back from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.encoders import ArrayEncoder
from genokeras.engine import (
    Delivery,
    LoadedNetwork,
    SpatialProblem,
    TrialStore,
    has_problem,
    load_network,
    read_problem,
    trained_network,
)
from genokeras.engine.fitted import MODEL_FILE, RESULT_FILE, write_model
from genokeras.engine.jobs import weights_from_arrays, weights_to_arrays
from genokeras.errors import ParameterError, RunFolderError
from genokeras.graph import Weights
from genokeras.modules.metrics import MetricObjective, make_objective
from genokeras.networks import TrainedNetwork, merged_model
from genokeras.searchers import History, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from genokeras.tasks.objectives import Objective
from genokeras.tasks.task import Task

FINAL_WEIGHTS = "final.npz"
_NO_CALIBRATION = Calibration(1.0, 0.0)


@dataclass(frozen=True)
class ModuleRun:
    """A run with at least one trained trial, and the network that is delivered.

    Attributes
    ----------
    folder : RunFolder
    problem : SpatialProblem
        One fold: the training rows, and the test rows that score.
    history : History
    objective : Objective
    network : TrainedNetwork
    model : keras.Model
        Samples as they were given in, answers out.
    stop_reason : str
    """

    folder: RunFolder
    problem: SpatialProblem
    history: History
    objective: Objective
    network: TrainedNetwork
    model: Any
    stop_reason: str

    @property
    def best(self) -> TrialResult:
        return self.history.ranked()[0]

    @property
    def encoder(self) -> ArrayEncoder:
        encoder = self.problem.encoder
        assert isinstance(encoder, ArrayEncoder)  # modules write no other
        return encoder

    @property
    def classes(self) -> np.ndarray:
        return np.arange(self.problem.task.n_outputs)

    @property
    def delivery(self) -> Delivery:
        """The best trial alone; its value is that on the rows that chose it, so it flatters."""
        value = self.objective.value_of_loss(self.best.score)
        return Delivery(
            {self.best.id: 1.0}, _NO_CALIBRATION, {"metric": self.objective.name, "uncorrected": value}
        )

    def sidecar(self) -> dict[str, Any]:
        answers = "probabilities" if isinstance(self.problem.task, Classes) else "outputs"
        return {"answers": answers, "inputs": self.problem.encoder.describe_inputs()}

    def best_model(self) -> LoadedNetwork:
        """The graph of the best trial, with the weights that are delivered."""
        found = load_network(self.folder, self.best.id)
        return replace(found, network=self.network, problem=self.problem)

    def with_weights(self, weights: Weights, note: Mapping[str, Any]) -> ModuleRun:
        """The same graph trained otherwise, written to the folder as what is delivered."""
        run = _delivering(self, replace(self.network, weights=weights))
        self.folder.write_arrays(FINAL_WEIGHTS, weights_to_arrays(weights))
        write_model(run.model, self.folder.path / MODEL_FILE, run)
        self.folder.write_json(RESULT_FILE, {**self.folder.read_json(RESULT_FILE), "final_fit": dict(note)})
        self.folder.record("final_fit", **note)
        return run


def _delivering(run: ModuleRun, network: TrainedNetwork) -> ModuleRun:
    model = merged_model(run.problem.encoder, run.problem.task, [network])
    return replace(run, network=network, model=model)


def deliver_best(
    folder: RunFolder, problem: SpatialProblem, history: History, objective: Objective, stop_reason: str
) -> ModuleRun:
    """Write what the best trial answers as one model."""
    network = trained_network(TrialStore(folder), history.ranked()[0])
    run = _delivering(ModuleRun(folder, problem, history, objective, network, None, stop_reason), network)
    (folder.path / FINAL_WEIGHTS).unlink(missing_ok=True)
    write_model(run.model, folder.path / MODEL_FILE, run)
    delivery = run.delivery
    folder.write_json(
        RESULT_FILE,
        {
            "estimate": delivery.estimate,
            "shares": {str(trial): share for trial, share in delivery.shares.items()},
            "calibration": {"sharpness": _NO_CALIBRATION.sharpness, "doubt": _NO_CALIBRATION.doubt},
            "stop_reason": stop_reason,
        },
    )
    folder.record("finished", reason=stop_reason, trials=len(history), value=delivery.estimate["uncorrected"])
    return run


def open_module_run(folder: RunFolder, metric: Any = None) -> ModuleRun:
    """Read a run back; one that never finished is delivered from the trials it has.

    Parameters
    ----------
    folder : RunFolder
    metric : optional
        Given again, where it is a function.

    Raises
    ------
    RunFolderError
        If no trial of the run ever finished.
    """
    if not has_problem(folder):
        raise RunFolderError(
            f"the run {str(folder.path)!r} was stopped before its first trial: there is nothing to load."
        )
    problem, history = read_problem(folder), TrialStore(folder).history()
    if not history.ok():
        raise RunFolderError(
            f"no trial of the run {str(folder.path)!r} has finished: there is nothing to load."
        )
    objective = _objective_of(folder, metric, problem.task)
    if not (folder.has(RESULT_FILE) and folder.has(MODEL_FILE)):
        return deliver_best(folder, problem, history, objective, "killed")
    network = trained_network(TrialStore(folder), history.ranked()[0])
    if folder.has(FINAL_WEIGHTS):
        network = replace(network, weights=weights_from_arrays(folder.read_arrays(FINAL_WEIGHTS)))
    model = keras.saving.load_model(Path(folder.path) / MODEL_FILE, compile=False)
    reason = str(folder.read_json(RESULT_FILE)["stop_reason"])
    return ModuleRun(folder, problem, history, objective, network, model, reason)


def describe_metric(metric: Any, objective: Objective) -> dict[str, Any]:
    """What a run folder says of its metric; ``known_as`` is how to get it again, None of a function."""
    is_own = type(objective) is Objective
    known_as = metric if isinstance(metric, str) else objective.name if is_own else None
    return {
        "name": objective.name,
        "greater_is_better": objective.greater_is_better,
        "known_as": known_as,
    }


def _objective_of(folder: RunFolder, metric: Any, task: Task) -> Objective:
    held = folder.settings["metric"]
    if metric is not None or held["known_as"] is not None:
        return make_objective(metric if metric is not None else held["known_as"], task)

    def unknown(*_: Any) -> Any:
        raise ParameterError(
            f"the metric {held['name']!r} of this run is an object of Python, which no run folder can hold: give it again, "
            "load(path, metric=...)."
        )

    return MetricObjective(held["name"], held["greater_is_better"], unknown)
