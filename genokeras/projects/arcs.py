"""An ENAS project: shared weights rank the arcs of a space, the best ones are trained from scratch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.enas import EnasSearch, EnasSettings, SearchData, SupernetSettings, check_top_k
from genokeras.errors import ConfigError, ParameterError, TrainingError
from genokeras.graph import Graph
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph
from genokeras.projects import announce
from genokeras.projects.arc_optimizers import arc_optimizer
from genokeras.projects.config import EnasConfig
from genokeras.projects.rows import ProjectRows
from genokeras.support.wording import counted
from genokeras.training import PackedTrainer, TrainingSettings

# Members of one network that differ in their learning rate alone; the configuration of an ENAS project names none. Of Adam.
RATES = (1e-2, 3e-3, 1e-3)
SHARED_RATE = 1e-3
DROPOUT = 0.2
# Of the shared weights: in fewer steps a thousand arcs learn little.
_FEW_STEPS = 200


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
        On the rows held out; of numbers the accuracy is minus the loss.
    """

    model: Any
    arc: Arc
    place: int
    rate: float
    best_step: int
    accuracy: float
    loss: float

    @property
    def score(self) -> tuple[float, float]:
        """By which networks are compared, higher being better."""
        return self.accuracy, -self.loss


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
    optimizer = arc_optimizer(config.optimizer.type, shared=True)
    supernet = SupernetSettings(
        steps=search_steps(trainer.max_number_of_epoches_in_search, len(rows.train), trainer.batch_size),
        batch_size=trainer.batch_size,
        learning_rate=SHARED_RATE * optimizer.scale,
        weight_decay=optimizer.decay,
        optimizer=optimizer.update,
        child_l2_reg=trainer.child_l2_reg,
        dropout=DROPOUT,
        loss=trainer.loss,
        seed=config.seed,
    )
    settings = EnasSettings(supernet=supernet, controller=trainer.controller, monitor=_monitor(config))
    member = np.zeros((2, rows.inputs.shape[1]), dtype="float32")
    member[0, rows.train], member[1, rows.validation] = 1.0, 1.0
    data = SearchData(rows.inputs, rows.targets, member[:1], member[1:])
    found = EnasSearch(space, settings).run(data, log=announce.say)
    best = found.top(trainer.top_k_candidates)
    return {
        "arcs": [str(arc) for arc in best],
        "accuracy": np.nan_to_num(found.accuracy[: len(best)]).tolist(),
        "loss": found.loss[: len(best)].tolist(),
        "n_scored": found.n_scored,
        "compilations": found.compilations,
        "controller": found.controller,
        "controller_state": {name: np.asarray(a).tolist() for name, a in found.controller_state.items()},
    }


def train_arcs(
    config: EnasConfig,
    rows: ProjectRows,
    state: Mapping[str, Any],
    keep: Callable[[ArcNetwork], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> ArcNetwork:
    """Train the arcs of :func:`search_arcs` from scratch; the best on the rows held out wins.

    Parameters
    ----------
    config : EnasConfig
    rows : ProjectRows
    state : mapping
        What the search found.
    keep : callable
        Takes the network of every arc, to write it.
    should_stop : callable
        Whether to stop with what there is, the first arc's network at least.

    Raises
    ------
    TrainingError
        If no loss was ever finite.
    """
    space, found = arc_space(config), []
    for place, text in enumerate(state["arcs"], start=1):
        arc = Arc.parse(text)
        announce.say(f"training {arc}")
        network = _trained(
            config, rows, arc, arc_to_graph(arc, space, rows.targets.shape[1]), place, should_stop
        )
        keep(network)
        announce.say(f"training arc: {arc}, {_shown(config, network.accuracy)}")
        found.append(network)
        if should_stop():
            break
    best = max(found, key=lambda network: network.score)
    if not np.isfinite(best.loss):
        raise TrainingError("the loss of no arc was ever finite: look for extreme values in the data.")
    shown = _shown(config, best.accuracy).replace("valid_", "eval_").replace(": ", ":")
    announce.say(f"Best arc:{best.arc}, {shown}, max_k:{len(found)}")
    return best


def search_steps(epochs: int, n_rows: int, batch_size: int) -> int:
    """Steps that train the shared weights: passes over the training rows."""
    steps = math.ceil(epochs * n_rows / min(n_rows, batch_size))
    if steps < _FEW_STEPS:
        announce.say(
            f"{counted(epochs, 'epoch')} (max_number_of_epoches_in_search) of {counted(n_rows, 'training row')} "
            f"{'is' if epochs == 1 else 'are'} {counted(steps, 'step')}, which is few to compare architectures by: with "
            f"{math.ceil(_FEW_STEPS * min(n_rows, batch_size) / n_rows)} epochs the ranking is worth more."
        )
    announce.running_until(steps)
    return steps


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


def _trained(
    config: EnasConfig,
    rows: ProjectRows,
    arc: Arc,
    graph: Graph,
    place: int,
    should_stop: Callable[[], bool],
) -> ArcNetwork:
    trainer, optimizer = config.trainer, arc_optimizer(config.optimizer.type)
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
        optimizer=optimizer.update,
        loss=trainer.loss,
        monitor=_monitor(config),
    )
    rates = np.array(RATES) * optimizer.scale
    task = rows.packed(graph, rates, np.full(len(rates), DROPOUT), optimizer.decay, config.seed)
    announce.running_until(steps)
    watch = _Watch(config, settings.score_every)
    result = PackedTrainer(settings).run(task, watch=watch, should_stop=should_stop)
    values = np.where(np.isfinite(result.monitored), result.monitored, np.inf).min(axis=0)
    member = int(values.argmin())
    # The monitor is the loss, or minus the accuracy with a trace of the loss that decides between equals.
    accuracy = round(float(-values[member]), 3) if np.isfinite(values[member]) else float("nan")
    return ArcNetwork(
        rows.model(graph, result, member),
        arc,
        place,
        float(rates[member]),
        int(result.best_step[member]),
        accuracy,
        float(result.best_loss[member]),
    )


class _Watch:
    """Says every scoring of a candidate, as AutoGenome did."""

    def __init__(self, config: EnasConfig, every: int) -> None:
        self._config, self._every = config, every
        self._said, self._best = 0, math.inf

    def __call__(self, steps: int, curves: np.ndarray) -> None:
        for number in range(self._said, len(curves)):
            scoring = curves[number]
            values = np.where(np.isfinite(scoring[:, 2]), scoring[:, 2], np.inf)
            training, held_out, value = (float(one) for one in scoring[values.argmin()])
            step = min((number + 1) * self._every, steps)
            figures = {"train_loss": training, "valid_loss": held_out}
            if _monitor(self._config) == "accuracy":
                figures["valid_acc"] = round(-value, 3)
            if value < self._best:
                before = "none" if math.isinf(self._best) else _shown(self._config, -self._best)
                announce.say(f"old: {before}, new: {_shown(self._config, -value)}")
                self._best = value
            announce.validated(step, figures)
        self._said = len(curves)


def _monitor(config: EnasConfig) -> str:
    return "accuracy" if config.task == "classification" else "loss"


def _shown(config: EnasConfig, accuracy: float) -> str:
    if config.task == "classification":
        return f"valid_acc: {round(accuracy, 3):.6g}"
    return f"valid_mse: {-accuracy:.6g}"
