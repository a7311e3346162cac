"""The short trainings of a search: range tests, trainings at one rate, evaluations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.keras_models.adjustable_optimizer import is_adaptive
from genokeras.keras_models.model_builder import RATE, ModelBuilder
from genokeras.keras_models.model_pool import ModelPool
from genokeras.keras_models.rate_range import rising_rates
from genokeras.keras_models.restartable_model import RestartableModel
from genokeras.keras_models.search_options import SearchOptions
from genokeras.keras_models.user_functions import UserFunctions, checked_targets, training_batches
from genokeras.streams import Batch, Batches
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning import ParamSpec, RangeTest, exponential_rates, suggest_rate

# Batches at the start, and the share of steps at the end, whose mean losses tell whether a training has learnt.
_REFERENCE, _LAST_SHARE = 5, 4
# A short training is judged by the mean of several evaluations: at a high rate, a single one behind the last step is luck.
_JUDGED_AFTER = (0.5, 0.75, 1.0)
_MOST_CHANCE = 0.02


@dataclass(frozen=True)
class ShortResult:
    """The result of a short training.

    Parameters
    ----------
    score : float
        Mean of the evaluations, higher being better: the accuracy, or by which share the loss fell.
    second : float
        Decides between equal scores: minus the loss.
    trained : bool
        Whether the loss of the training was finite and went down.
    rate : float
        In terms of the spec; NaN for the optimizer's own.
    """

    score: float
    second: float
    trained: bool
    rate: float

    def __str__(self) -> str:
        return f"learning rate {self.rate:.3g} (score {self.score:.4f}, loss {-self.second:.4f})"


@final
class ShortTrainings:
    """Trains the user's models for a few steps.

    All candidates start from the same weights and see the same batches in the same order, so that they differ in their
    parameters alone.

    Parameters
    ----------
    functions : UserFunctions
    options : SearchOptions
    log : callable
        Takes the lines that report progress.

    Attributes
    ----------
    pool : ModelPool
    ramp : tuple of float
        First and last rate of the range tests; known behind :meth:`probe`.
    """

    def __init__(self, functions: UserFunctions, options: SearchOptions, log: Callable[[str], None]) -> None:
        self._options, self._log = options, log
        common: dict[str, Any] = {
            "batch_size": options.batch_size,
            "auto_batch": options.auto_batch,
            "seed": options.seed,
        }
        self._train = functions.batches("train", **common)
        example = checked_targets(self._train.first(), "train")
        # In any order, because a data set may be sorted by its classes.
        shuffled = functions.batches("evaluate", **common, shuffle=True)
        held_out = list(itertools.islice(shuffled.epoch(), options.evaluation_total_steps))
        checked_targets(held_out[0], "evaluate")
        self._n_held_out = sum(keras.tree.flatten(x)[0].shape[0] for x, _, _ in held_out)
        self.pool = ModelPool(
            ModelBuilder(functions, example, options.seed),
            Batches(lambda: held_out),
            options.checkpoint_path,
        )
        self._results: dict[str, ShortResult] = {}
        self.ramp = (0.0, 0.0)

    def probe(self, spec: ParamSpec) -> None:
        """Build and evaluate everything once, so that what the user's functions raise is raised here.

        Raises
        ------
        ParameterError
            If the learning rate to be searched follows a schedule, or what is to decide is not measured.
        """
        model = self.pool.model(spec)
        needs_rate = self._options.search_learning_rate or self._options.warmup_steps
        if needs_rate and model.adjustable.rate is None:
            raise ParameterError(
                "optimizer_fn's optimizer follows a learning-rate schedule, which a range test cannot override: give it a "
                "number, or pass search_learning_rate=False and no warmup_steps."
            )
        self._measured(self.pool.evaluated(model, spec))
        self.ramp = self._options.ramp(model.n_parameters, is_adaptive(model.adjustable.optimizer))

    def error(self, score: float) -> float:
        """By how much two scores may differ by chance: two standard errors of a share of the evaluated rows, at most 0.02.

        The standard error is sqrt(p (1 - p) / n) of p drawn a little towards a half, so that all rows right is no certainty
        (Agresti & Coull 1998). 0 for losses, which have another scale.
        """
        if not self._options.by_acc:
            return 0.0
        n = self._n_held_out
        share = (n * min(max(score, 0.0), 1.0) + 2) / (n + 4)
        return min(2.0 * math.sqrt(share * (1 - share) / (n + 4)), _MOST_CHANCE)

    def score_before(self, spec: ParamSpec) -> float:
        """What the weights score before any training, on the scale of :meth:`short_training`."""
        before = self._losses_before(self._restarted(spec), spec)[1]
        return before if self._options.by_acc else 0.0

    def range_test(self, spec: ParamSpec) -> RangeTest:
        """Train while the learning rate grows; see :func:`genokeras.tuning.suggest_rate`."""
        o = self._options
        model = self._restarted(spec)
        numbers = itertools.count(1)

        def step(batch: Batch, rate: float) -> dict[str, float]:
            logs = model.step(batch, rate, "" if o.select_by_eval else o.measured)
            self._say(next(numbers), o.total_steps, rate, logs)
            return logs

        rates, values = rising_rates(
            step,
            exponential_rates(*self.ramp, o.total_steps),
            self._warmed_up(model, o.total_steps + (not o.select_by_eval)),
            measure=self._measured,
            every=o.evaluate_every_n_steps,
            evaluate=(lambda: self._measured(self.pool.evaluated(model, spec))) if o.select_by_eval else None,
        )
        test = suggest_rate(rates, values, higher_is_better=o.by_acc, window=o.window, max_thres=o.max_thres)
        return replace(test, measured=o.measured)

    def short_training(self, spec: ParamSpec, rate: float | None, times: int = 1) -> ShortResult:
        """Train and evaluate.

        Parameters
        ----------
        spec : ParamSpec
        rate : float or None
            None: the optimizer's own.
        times : int
            Train for `times` x ``total_steps``.
        """
        own = {name: value for name, value in spec.items() if rate is None or name != RATE}
        key = repr((sorted(own.items()), rate, times))
        if key not in self._results:
            self._results[key] = self._trained(spec, rate, times * self._options.total_steps)
        return self._results[key]

    def evaluations(self, spec: ParamSpec, rate: float | None) -> Callable[[ParamSpec], tuple[float, float]]:
        """Train at one rate, or the optimizer's own; what is returned scores these weights under specs that differ in evaluation."""
        self._trained(spec, rate, self._options.total_steps)
        model = self.pool.model(spec)
        return lambda other: self._scores(model, other)

    def _trained(self, spec: ParamSpec, rate: float | None, steps: int) -> ShortResult:
        model = self._restarted(spec)
        before = self._losses_before(model, spec)[0]
        given = math.nan if rate is None else rate
        losses: list[float] = []
        scores: list[tuple[float, float]] = []
        judged = {math.ceil(steps * share) for share in _JUDGED_AFTER}
        for step, batch in enumerate(self._warmed_up(model, steps), start=1):
            logs = model.step(batch, rate)
            self._say(step, steps, rate, logs)
            losses.append(logs["loss"])
            if not math.isfinite(losses[-1]):
                return ShortResult(math.nan, -math.inf, False, given)
            if step in judged:
                scores.append(self._scores(model, spec))
        score, second = np.mean(scores, axis=0).tolist()
        after = float(np.mean(losses[-max(1, len(losses) // _LAST_SHARE) :]))
        return ShortResult(score, second, math.isfinite(score) and after < before, given)

    def _scores(self, model: RestartableModel, spec: ParamSpec) -> tuple[float, float]:
        """The score of a model's current weights, and what decides between equal ones."""
        logs = self.pool.evaluated(model, spec)
        value, second = self._measured(logs), -logs.get("loss", 0.0)
        if self._options.by_acc:
            return value, second
        first = value if model.losses_before is None else model.losses_before[1]
        return (first - value) / max(abs(first), 1e-12), second

    def _losses_before(self, model: RestartableModel, spec: ParamSpec) -> tuple[float, float]:
        """Losses before any training: of the first batches, and of the evaluation."""
        if model.losses_before is None:
            some = list(training_batches(self._train, min(_REFERENCE, self._options.total_steps)))
            before = model.built.evaluated(Batches(lambda: some))["loss"]
            model.losses_before = before, self._measured(self.pool.evaluated(model, spec))
        return model.losses_before

    def _restarted(self, spec: ParamSpec) -> RestartableModel:
        model = self.pool.model(spec)
        model.restart()
        return model

    def _warmed_up(self, model: RestartableModel, steps: int) -> Iterator[Batch]:
        """Train for the steps of the warm-up; what is returned are the batches behind them."""
        o = self._options
        batches = training_batches(self._train, o.warmup_steps + steps)
        for batch in itertools.islice(batches, o.warmup_steps):
            model.step(batch, o.warmup_lr)
        return batches

    def _measured(self, logs: dict[str, float]) -> float:
        o = self._options
        if o.measured not in logs:
            argument = "acc_name" if o.by_acc else "loss_name"
            raise ParameterError(
                f"by_acc={o.by_acc} needs a metric {o.measured!r}, but measured are {listed(logs)}."
                f"{did_you_mean(o.measured, list(logs))} Return ModelSpec(model, log_info={{{o.measured!r}: ...}}), or pass "
                f"{argument}=... or another by_acc."
            )
        return logs[o.measured]

    def _say(self, step: int, steps: int, rate: float | None, logs: dict[str, float]) -> None:
        if step % self._options.log_every_n_steps == 0:
            values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
            at = "" if rate is None else f"learning rate {rate:.3g}, "
            self._log(f"step {step} of {steps}: {at}{values}")
