"""An ENAS project: shared weights rank the arcs of a space, the best ones are trained from scratch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.enas import EnasSearch, EnasSettings, SearchData, SupernetSettings, check_top_k
from genokeras.errors import ConfigError, ParameterError, TrainingError
from genokeras.graph import Graph
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph
from genokeras.projects import announce
from genokeras.projects.config import EnasConfig
from genokeras.projects.rows import ProjectRows
from genokeras.support.wording import counted
from genokeras.training import PackedTrainer, TrainingSettings

# Members of one network that differ in their learning rate alone; the configuration of an ENAS project names none.
RATES = (1e-2, 3e-3, 1e-3)
DROPOUT, DECAY = 0.2, 0.1
# Of the shared weights: an epoch of a small set is one or two steps, and in a few steps a thousand arcs learn nothing.
_FEWEST_STEPS = 200


@dataclass(frozen=True)
class ArcNetwork:
    """The network of the best arc.

    Attributes
    ----------
    model : keras.Model
        Raw features in, probabilities out.
    arc : Arc
    place : int
        Of the arc among those that the shared weights ranked, from 1.
    rate : float
    best_step : int
    accuracy, loss : float
        On the rows held out.
    """

    model: Any
    arc: Arc
    place: int
    rate: float
    best_step: int
    accuracy: float
    loss: float


def search_arcs(config: EnasConfig, rows: ProjectRows) -> dict[str, Any]:
    """Train the shared weights and rank arcs by them.

    Returns
    -------
    dict
        JSON values: ``arcs``, the best ``top_k_candidates``; ``accuracy`` and ``loss`` of each by shared weights; how
        many were scored, and the state of the controller.
    """
    trainer = config.trainer
    space = arc_space(config)
    supernet = SupernetSettings(
        steps=search_steps(trainer.max_number_of_epoches_in_search, len(rows.train), trainer.batch_size),
        batch_size=trainer.batch_size,
        child_l2_reg=trainer.child_l2_reg,
        dropout=DROPOUT,
        seed=config.seed,
    )
    settings = EnasSettings(supernet=supernet, controller=trainer.controller, monitor="accuracy")
    member = np.zeros((2, rows.inputs.shape[1]), dtype="float32")
    member[0, rows.train], member[1, rows.validation] = 1.0, 1.0
    data = SearchData(rows.inputs, rows.targets, member[:1], member[1:])
    found = EnasSearch(space, settings).run(data, log=announce.say)
    best = found.top(trainer.top_k_candidates)
    return {
        "arcs": [str(arc) for arc in best],
        "accuracy": found.accuracy[: len(best)].tolist(),
        "loss": found.loss[: len(best)].tolist(),
        "n_scored": found.n_scored,
        "compilations": found.compilations,
        "controller": found.controller,
        "controller_state": {name: np.asarray(a).tolist() for name, a in found.controller_state.items()},
    }


def train_arcs(config: EnasConfig, rows: ProjectRows, state: Mapping[str, Any]) -> ArcNetwork:
    """Train the arcs of :func:`search_arcs` from scratch; the best on the rows held out wins.

    Raises
    ------
    TrainingError
        If no loss was ever finite.
    """
    space, found = arc_space(config), []
    for place, text in enumerate(state["arcs"], start=1):
        arc = Arc.parse(text)
        announce.say(f"training {arc}")
        network = _trained(config, rows, arc, arc_to_graph(arc, space, rows.targets.shape[1]), place)
        announce.say(f"training arc: {arc}, valid_acc: {network.accuracy:.6g}")
        found.append(network)
    best = max(found, key=lambda network: (network.accuracy, -network.loss))
    if not np.isfinite(best.loss):
        raise TrainingError("the loss of no arc was ever finite: look for extreme values in the data.")
    announce.say(f"Best arc:{best.arc}, eval_acc:{best.accuracy:.6g}, max_k:{len(found)}")
    return best


def search_steps(epochs: int, n_rows: int, batch_size: int) -> int:
    """Steps that train the shared weights: whole passes over the training rows, more than were asked for if those are too short."""
    batch = min(n_rows, batch_size)
    asked = math.ceil(epochs * n_rows / batch)
    enough = math.ceil(_FEWEST_STEPS * batch / n_rows)
    if asked < _FEWEST_STEPS:
        announce.say(
            f"{counted(epochs, 'epoch')} (max_number_of_epoches_in_search) of {counted(n_rows, 'training row')} "
            f"{'is' if epochs == 1 else 'are'} {counted(asked, 'step')}, too few to compare architectures: "
            f"{counted(enough, 'epoch')} ({_FEWEST_STEPS} steps) are trained at most."
        )
    announce.running_until(max(asked, _FEWEST_STEPS))
    return max(asked, _FEWEST_STEPS)


def arc_space(config: EnasConfig) -> ArcSpace:
    """The space that a configuration describes.

    Raises
    ------
    ConfigError
        If it holds fewer arcs than are to be trained.
    """
    space = ArcSpace(config.trainer.child_num_layers, config.trainer.max_search_channel)
    try:
        check_top_k(config.trainer.top_k_candidates, space)
    except ParameterError as error:
        raise ConfigError(f"{config.source}: trainer: {error}") from error
    return space


def _trained(config: EnasConfig, rows: ProjectRows, arc: Arc, graph: Graph, place: int) -> ArcNetwork:
    trainer = config.trainer
    epoch = -(-len(rows.train) // trainer.batch_size)
    steps = epoch * trainer.max_number_of_epoches_in_fixed
    settings = TrainingSettings(
        max_steps=steps,
        score_every=min(epoch, steps),
        min_steps=0,
        patience=steps,
        min_improvement=0.0,
        chunk_steps=10 * epoch,
        batch_size=trainer.batch_size,
        monitor="accuracy",
    )
    task = rows.packed(graph, np.array(RATES), np.full(len(RATES), DROPOUT), DECAY, config.seed)
    announce.running_until(steps)
    result = PackedTrainer(settings).run(task)
    values = np.where(np.isfinite(result.monitored), result.monitored, np.inf).min(axis=0)
    member = int(values.argmin())
    # The monitor is minus the accuracy, with a trace of the loss that decides between equals.
    accuracy = round(float(-values[member]), 3) if np.isfinite(values[member]) else float("nan")
    return ArcNetwork(
        rows.model(graph, result.weights, member),
        arc,
        place,
        RATES[member],
        int(result.best_step[member]),
        accuracy,
        float(result.best_loss[member]),
    )
