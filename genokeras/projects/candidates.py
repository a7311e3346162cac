"""Networks of a ResNet or DenseNet project, trained as packed members in the row space of the training rows.

Candidates whose graphs are alike (they differ in ``keep_prob`` or the learning rate) train in one run. A range test and
the training behind it share one compiled program.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.errors import TrainingError
from genokeras.graph import Graph, rfcn_densenet, rfcn_resnet
from genokeras.projects.config import ProjectConfig
from genokeras.projects.data import ProjectData
from genokeras.projects.rows import make_rows
from genokeras.training import (
    Cosine,
    PackedResult,
    PackedTask,
    PackedTrainer,
    Plateau,
    Ramp,
    TrainingSettings,
    get_update,
)
from genokeras.tuning import Attempt, RangeTest, suggest_rate

FIRST_RATE, LAST_RATE, RANGE_STEPS = 1e-5, 0.1, 100
_BUILDERS = {"ResNet": rfcn_resnet, "DenseNet": rfcn_densenet}
_DECAY = {"adamw": 0.004}  # Keras' default of AdamW; the others have none
_SCORINGS_IN_A_CHUNK = 10
_LONGEST_GAP = 10
# The rate is halved well before patience is lost, so that training gets a few more chances.
_PLATEAUS_IN_PATIENCE = 3
_LEAST_GAIN = 1e-3
FINAL_RATES = (1.0, 0.3, 0.1)


@dataclass(frozen=True)
class FinalNetwork:
    """The network of the final training.

    Attributes
    ----------
    model : keras.Model
        Raw features in; probabilities, or values, out.
    rate : float
        The learning rate that it was trained with.
    steps, best_step : int
    curve : numpy.ndarray
        ``(scorings, 4)``: step, training loss, loss and what is monitored on the rows held out.
    score : float
        What is monitored, at the best step; higher is better.
    """

    model: Any
    rate: float
    steps: int
    best_step: int
    curve: np.ndarray
    score: float


class Candidates:
    """Trains the networks of a project.

    Parameters
    ----------
    config : ProjectConfig
    data : ProjectData
        With labels.
    train, validation : numpy.ndarray
        Row numbers.

    Attributes
    ----------
    steps_per_epoch, score_every : int
        Of training steps.
    patience : int
        Scorings of the final training.
    trainer : PackedTrainer
        Of range tests and pretraining.
    """

    def __init__(
        self, config: ProjectConfig, data: ProjectData, train: np.ndarray, validation: np.ndarray
    ) -> None:
        self._config = config
        self._rows = make_rows(config.task, data, train, validation)
        steps = -(-len(train) // config.trainer.batch_size)
        self.steps_per_epoch = steps
        self.score_every = min(steps, _LONGEST_GAP)
        self.patience = max(1, config.trainer.patience * steps // self.score_every)
        self.trainer = PackedTrainer(
            self._settings(max(RANGE_STEPS, self._epochs(config.trainer.pre_train_epoch)))
        )

    def tried(
        self, wanted: Sequence[Mapping[str, Any]], epochs: int, rate_searched: bool = False
    ) -> list[Attempt]:
        """Train each for some epochs, with the rate that a range test chose unless the rate itself is searched."""
        found: dict[int, Attempt] = {}
        for numbers in self._alike(wanted):
            started = time.perf_counter()
            alike = [wanted[i] for i in numbers]
            rates = [float(values["learning_rate"]) for values in alike]
            curves: list[tuple[float, ...]] = [()] * len(alike)
            if not rate_searched:
                tests = self.range_tests(alike)
                rates = [test.suggestion for test in tests]
                curves = [tuple(test.raw) for test in tests]
            result = self._run(alike, rates, schedule=None, max_steps=self._epochs(epochs))
            seconds = (time.perf_counter() - started) / len(alike)
            scores = [_score(result, member) for member in range(len(alike))]
            for i, score, rate, curve in zip(numbers, scores, rates, curves, strict=True):
                found[i] = Attempt(score, learning_rate=rate, curve=curve, seconds=seconds)
        return [found[i] for i in range(len(wanted))]

    def range_tests(self, alike: Sequence[Mapping[str, Any]]) -> list[RangeTest]:
        """A range test of every candidate, all in one run."""
        ramp = Ramp(LAST_RATE / FIRST_RATE, RANGE_STEPS)
        result = self._run(alike, [FIRST_RATE] * len(alike), schedule=ramp, max_steps=RANGE_STEPS)
        factors = ramp.factors(0, RANGE_STEPS, np.empty((0, 1)))[:, 0]
        rates = FIRST_RATE * factors[np.asarray(result.curve_steps) - 1]
        return [suggest_rate(rates, result.curves[:, member, 0]) for member in range(len(alike))]

    def final(
        self,
        values: Mapping[str, Any],
        rate: float,
        watch: Callable[[int, np.ndarray], None],
        checkpoint: Callable[[Callable[[], FinalNetwork]], None] = lambda network: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> FinalNetwork:
        """Train until the rows held out say that it is enough, or until it is to stop; the best step's weights are kept.

        Parameters
        ----------
        values : mapping
        rate : float
        watch : callable
            As of ``PackedTrainer.run``.
        checkpoint : callable
            Gets, after every chunk of steps, a function that makes the best network so far.
        should_stop : callable
            Whether to stop behind the current chunk.

        A rate just short of divergence learns the fastest, and is often not the one that ends lowest: it and two lower
        ones train side by side, as members of one network, and the best of their steps wins.

        Raises
        ------
        TrainingError
            If the loss never was finite.
        """
        settings = replace(
            self._settings(self._config.trainer.max_steps),
            patience=self.patience,
            schedule=Plateau(max(1, self.patience // _PLATEAUS_IN_PATIENCE)),
        )
        rates = [rate * share for share in FINAL_RATES]
        task = self._task([values] * len(rates), rates)
        result = PackedTrainer(settings).run(
            task,
            watch=watch,
            should_stop=should_stop,
            checkpoint=lambda so_far: checkpoint(lambda: self._best(task.graph, rates, so_far())),
        )
        if not np.isfinite(result.best_loss).any():
            raise TrainingError(
                f"the loss of the final training was never finite in {result.steps} steps at a learning rate of {rate:g}: "
                "look for extreme values in the data, or give a lower learning rate."
            )
        return self._best(task.graph, rates, result)

    def _best(self, graph: Graph, rates: Sequence[float], result: PackedResult) -> FinalNetwork:
        """The best of several rates; of equals the earliest, which is the one that the log tells of."""
        best = min(range(len(rates)), key=lambda i: (-_score(result, i), result.best_step[i]))
        columns = [result.curve_steps, *result.curves[:, best].T, result.monitored[:, best]]
        return FinalNetwork(
            self._rows.model(graph, result, best),
            rates[best],
            result.steps,
            int(result.best_step[best]),
            np.column_stack(columns),
            _score(result, best),
        )

    # ---- parts

    def _settings(self, max_steps: int) -> TrainingSettings:
        trainer = self._config.trainer
        name = self._config.optimizer.type
        return TrainingSettings(
            max_steps=max_steps,
            score_every=self.score_every,
            min_steps=0,
            patience=max_steps,
            # Losses creep down for ever; a share of accurate predictions does not.
            min_improvement=_LEAST_GAIN if trainer.monitor == "loss" else 0.0,
            chunk_steps=_SCORINGS_IN_A_CHUNK * self.score_every,
            batch_size=trainer.batch_size,
            optimizer=get_update(name),
            loss=trainer.loss,
            monitor=trainer.monitor,
        )

    def _epochs(self, epochs: int) -> int:
        return epochs * self.steps_per_epoch

    def _graph(self, values: Mapping[str, Any]) -> Graph:
        build = _BUILDERS[self._config.model.type]
        return build(
            self._rows.targets.shape[1], values["n_latent"], values["n_blocks"], values["output_nonlinear"]
        )

    def _alike(self, wanted: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        groups: dict[Graph, list[int]] = {}
        for i, values in enumerate(wanted):
            groups.setdefault(self._graph(values), []).append(i)
        return list(groups.values())

    def _run(
        self,
        alike: Sequence[Mapping[str, Any]],
        rates: Sequence[float],
        schedule: Ramp | None,
        max_steps: int,
    ) -> PackedResult:
        task = self._task(alike, rates)
        return self.trainer.run(task, schedule=schedule or Cosine(2 * max_steps), max_steps=max_steps)

    def _task(self, alike: Sequence[Mapping[str, Any]], rates: Sequence[float]) -> PackedTask:
        dropout = np.array([1.0 - values["keep_prob"] for values in alike])
        decay = _DECAY.get(self._config.optimizer.type, 0.0)
        return self._rows.packed(self._graph(alike[0]), np.asarray(rates), dropout, decay, self._config.seed)


def _score(result: PackedResult, member: int) -> float:
    """What was monitored at the best step, higher being better; minus infinity where nothing was finite."""
    if not np.isfinite(result.best_loss[member]):
        return -math.inf
    # Not the lowest of all: once patience is lost, nothing is kept any more.
    at = np.searchsorted(result.curve_steps, result.best_step[member])
    return -float(result.monitored[at, member])
