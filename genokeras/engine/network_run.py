"""A run of sequences, images or texts from its last trial to what is delivered, and back from its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np

from genokeras.engine.delivery import Delivery, deliver
from genokeras.engine.fitted import MODEL_FILE, RESULT_FILE, read_delivery, read_groups, write_model
from genokeras.engine.graphs import LoadedGraph
from genokeras.engine.network_problem import SpatialProblem, has_problem, read_problem
from genokeras.engine.store import TrialStore
from genokeras.errors import RunFolderError
from genokeras.graph import Graph
from genokeras.networks.merge_networks import TrainedNetwork, merged_model
from genokeras.searchers import DISCOUNT, History, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from genokeras.tasks.objectives import Objective, get_objective

# So many networks at most are delivered: fold members of a few trials.
MOST_NETWORKS = 24
LEAST_TRIALS, MOST_TRIALS = 3, 12
# From so many rows on, weights are learnt from them.
MANY_ROWS = 1000
_STACKING_STEPS = 100
# With many rows the difference of two mean losses is known well; trials within 0.01 or so of the best still add to it.
_LOSS_THAT_COUNTS = 0.01


@dataclass(frozen=True)
class SpatialRun:
    """A run with at least one trained trial, and what is delivered from it.

    Attributes
    ----------
    folder : RunFolder
    problem : SpatialProblem
    history : History
    delivery : Delivery
    model : keras.Model
        Samples as people have them in, class probabilities or numbers out.
    stop_reason : str
        Why the search ended.
    """

    folder: RunFolder
    problem: SpatialProblem
    history: History
    delivery: Delivery
    model: Any
    stop_reason: str

    @property
    def classes(self) -> np.ndarray:
        return np.asarray(self.folder.settings["classes"])

    @property
    def names(self) -> np.ndarray:
        """``(n_outputs,)`` the classes, or what the numbers are called."""
        named = "classes" if isinstance(self.problem.task, Classes) else "targets"
        return np.asarray(self.folder.settings[named])

    @property
    def objective(self) -> Objective:
        return get_objective(str(self.folder.settings["settings"]["objective"]))

    def sidecar(self) -> dict[str, Any]:
        named = "classes" if isinstance(self.problem.task, Classes) else "targets"
        return {named: self.names.tolist(), "inputs": self.problem.encoder.describe_inputs()}


def finish(
    folder: RunFolder,
    problem: SpatialProblem,
    history: History,
    stop_reason: str,
    max_seconds: float | None = None,
) -> SpatialRun:
    """Choose, estimate, merge and write what the run delivers."""
    store = TrialStore(folder)
    objective = get_objective(str(folder.settings["settings"]["objective"]))
    delivery = deliver(
        store,
        problem,
        history,
        objective,
        int(folder.settings["seed"]),
        read_groups(folder),
        max_seconds,
        discount=max(DISCOUNT, _LOSS_THAT_COUNTS * int(problem.scored.sum())),
        largest=max(LEAST_TRIALS, min(MOST_TRIALS, MOST_NETWORKS // problem.n_folds)),
        steps=_STACKING_STEPS
        if isinstance(problem.task, Classes) and problem.scored.sum() >= MANY_ROWS
        else 0,
    )
    run = SpatialRun(folder, problem, history, delivery, _model(store, problem, delivery), stop_reason)
    write_model(run.model, folder.path / MODEL_FILE, run)
    shares = {str(trial): share for trial, share in delivery.shares.items()}
    result = {"estimate": delivery.estimate, "shares": shares, "calibration": asdict(delivery.calibration)}
    folder.write_json(RESULT_FILE, {**result, "stop_reason": stop_reason})
    folder.record("finished", reason=stop_reason, trials=len(history), value=delivery.estimate["value"])
    return run


def open_run(folder: RunFolder) -> SpatialRun:
    """Read a run back; one that never finished is delivered from the trials it has.

    Raises
    ------
    RunFolderError
        If no trial of the run ever finished, or it is a run of other samples.
    """
    if not has_problem(folder):
        raise RunFolderError(
            f"{str(folder.path)!r} is no run of sequences, images or texts, or was stopped before its first trial: there is "
            "nothing to load."
        )
    problem, history = read_problem(folder), TrialStore(folder).history()
    if not history.ok():
        raise RunFolderError(
            f"no trial of the run {str(folder.path)!r} has finished: there is nothing to load."
        )
    if not (folder.has(RESULT_FILE) and folder.has(MODEL_FILE)):
        return finish(folder, problem, history, "killed")
    result = folder.read_json(RESULT_FILE)
    model = keras.saving.load_model(folder.path / MODEL_FILE, compile=False)
    return SpatialRun(folder, problem, history, read_delivery(folder), model, str(result["stop_reason"]))


def trained_network(store: TrialStore, trial: TrialResult, share: float = 1.0) -> TrainedNetwork:
    """A trial as the delivered model needs it."""
    proposal = trial.proposal
    weights = store.father(trial).weights
    return TrainedNetwork(f"trial_{trial.id}", proposal.graph, proposal.hyper, weights, share)


def _model(store: TrialStore, problem: SpatialProblem, delivery: Delivery) -> Any:
    networks = [trained_network(store, store.read(id), share) for id, share in delivery.shares.items()]
    calibration = delivery.calibration
    return merged_model(problem.encoder, problem.task, networks, calibration.sharpness, calibration.doubt)


@dataclass(frozen=True, eq=False)
class LoadedNetwork(LoadedGraph):
    """The graph of a trial on sequences, images or texts.

    Attributes
    ----------
    network : TrainedNetwork or None
    problem : SpatialProblem or None
    """

    network: TrainedNetwork | None = field(default=None, repr=False)
    problem: SpatialProblem | None = field(default=None, repr=False)

    def produce_keras_model(self, weights: bool = False, n_features: int | None = None) -> Any:
        """A ``keras.Model`` of this architecture: fresh weights, to be trained, or the trained fold members as one model."""
        if weights and self.network is not None and self.problem is not None:
            return merged_model(self.problem.encoder, self.problem.task, [self.network])
        return super().produce_keras_model(weights, n_features)


def load_network(folder: RunFolder, trial_id: int) -> LoadedNetwork:
    """The graph of one trial of a run, trained members included.

    Raises
    ------
    RunFolderError
        If the run has no such trial.
    """
    store, known = TrialStore(folder), folder.trial_ids()
    if trial_id not in known:
        raise RunFolderError(f"the run {str(folder.path)!r} has no trial {trial_id}; it has {known}.")
    trial, problem = store.read(trial_id), read_problem(folder)
    graph: Graph = trial.proposal.graph
    width = None if graph.input_shape is not None else problem.encoder.n_counts
    network = trained_network(store, trial) if trial.status == "ok" else None
    return LoadedNetwork(graph.layers, trial.proposal.hyper, width, network=network, problem=problem)
