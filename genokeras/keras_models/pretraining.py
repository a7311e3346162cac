"""The short trainings of a search: range tests, trainings at one rate, evaluations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.keras_models.building import (
    DECAY,
    RATE,
    Built,
    apply_unread,
    build_model,
    build_optimizer,
    compile_judge,
    compile_model,
    load_checkpoint,
)
from genokeras.keras_models.feeding import checked_targets, feed, training_batches
from genokeras.keras_models.functions import Functions
from genokeras.keras_models.knobs import Turnable, is_adaptive, learning_rate_of
from genokeras.keras_models.model_spec import ModelSpec
from genokeras.keras_models.options import SearchOptions
from genokeras.keras_models.reads import BUILD, METRICS, ReadSpec, reads, show, still_holds
from genokeras.keras_models.spec_trainee import Trainee, evaluated
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning import ParamSpec, RangeTest, exponential_rates, suggest_rate

_KEPT_MODELS = 8
# Batches whose losses say where a training began, and the share of its last steps that say where it ended.
_REFERENCE, _LAST_SHARE = 5, 4
# A short training is judged by the mean of several evaluations: at a high rate, that behind the last step is a matter of luck.
_JUDGED_AFTER = (0.5, 0.75, 1.0)
_MOST_CHANCE = 0.02


@dataclass(frozen=True)
class Outcome:
    """What a short training came to.

    Parameters
    ----------
    score : float
        Mean of the evaluations, higher being better: the accuracy, or the share of the first loss that is gone.
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


@final
class Pretraining:
    """Trains people's models for a few steps, compiling as rarely as possible.

    All candidates start from the same weights and see the same batches in the same order, so that their differences are
    their own.

    Parameters
    ----------
    functions : Functions
    options : SearchOptions
    log : callable
    """

    def __init__(self, functions: Functions, options: SearchOptions, log: Callable[[str], None]) -> None:
        self._functions, self._options, self._log = functions, options, log
        common: dict[str, Any] = {
            "batch_size": options.batch_size,
            "auto_batch": options.auto_batch,
            "seed": options.seed,
        }
        self._train = feed(functions, "train", **common)
        self._example = checked_targets(self._train.first(), "train")
        # In any order, because a data set may be sorted by its classes.
        held_out = feed(functions, "evaluate", **common, shuffle=True)
        self._held_out = list(itertools.islice(held_out.epoch(), options.evaluation_total_steps))
        checked_targets(self._held_out[0], "evaluate")
        self._trainees: list[Trainee] = []
        self._judges: list[Built] = []
        self._first: dict[int, tuple[float, float]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._optimizer_view: ReadSpec | None = None
        self.ramp = (0.0, 0.0)
        self.applied: set[str] = set()

    # ---- what can be asked

    def probe(self, spec: ParamSpec) -> None:
        """Build and evaluate everything once, so that what people's functions raise is raised here.

        Raises
        ------
        ParameterError
            If the learning rate to be searched follows a schedule, or what is to decide is not measured.
        """
        trainee = self._trainee(spec)
        optimizer = trainee.turnable.optimizer
        if (
            self._options.search_learning_rate or self._options.warmup_steps
        ) and trainee.turnable.rate is None:
            raise ParameterError(
                "optimizer_fn's optimizer follows a learning-rate schedule, which a range test cannot override: give it a "
                "number, or pass search_learning_rate=False and no warmup_steps."
            )
        self._measured(self._evaluate(trainee, spec))
        self.ramp = self._options.ramp(trainee.parameters, is_adaptive(optimizer))

    def changes_training(self, name: str, spec: ParamSpec) -> bool | None:
        """Whether a parameter changes the training; False where only evaluation reads it, None where nothing does."""
        trainee = self._trainee(spec)
        assert self._optimizer_view is not None
        read = {**reads(trainee.built.view, BUILD), **reads(self._optimizer_view, BUILD)}
        if name in read or name in (RATE, DECAY):
            return True
        judge = self._judge(trainee, spec)
        return (
            False
            if name in {**reads(judge.view, BUILD, METRICS), **reads(trainee.built.view, METRICS)}
            else None
        )

    def error(self, score: float) -> float:
        """By how much two scores may differ by chance: two standard errors of a share of the evaluated rows, at most 0.02.

        The standard error is sqrt(p (1 - p) / n) of p drawn a little towards a half, so that all rows right is no certainty
        (Agresti & Coull 1998). 0 for losses, which are measured on a scale of their own.
        """
        if not self._options.by_acc:
            return 0.0
        n = sum(keras.tree.flatten(x)[0].shape[0] for x, _, _ in self._held_out)
        share = (n * min(max(score, 0.0), 1.0) + 2) / (n + 4)
        return min(2.0 * math.sqrt(share * (1 - share) / (n + 4)), _MOST_CHANCE)

    def range_test(self, spec: ParamSpec) -> RangeTest:
        """Train while the learning rate grows; see :func:`genokeras.tuning.suggest_rate`."""
        o = self._options
        trainee = self._restored(spec)
        rates = exponential_rates(*self.ramp, o.total_steps)
        batches = self._warm(trainee, o.total_steps + (not o.select_by_eval))
        curve: list[float] = []
        at: list[float] = []
        for step, batch in enumerate(batches):
            rate = float(rates[min(step, o.total_steps - 1)])
            logs = trainee.step(batch, rate, "" if o.select_by_eval else o.measured)
            self._say(step, o.total_steps, rate, logs)
            broken = not math.isfinite(logs["loss"])
            # A rate is judged by the batch behind its step, or by an evaluation behind it.
            behind = step if o.select_by_eval else step - 1
            if behind >= 0 and ((behind + 1) % o.evaluate_every_n_steps == 0 or broken):
                logs = self._evaluate(trainee, spec) if o.select_by_eval and not broken else logs
                curve.append(math.nan if broken else self._measured(logs))
                at.append(float(rates[behind]))
            if broken:
                break
        while len(at) < 2:  # it broke down right away
            at.append(float(rates[len(at)]))
            curve.append(math.nan)
        test = suggest_rate(at, curve, higher_is_better=o.by_acc, window=o.window, max_thres=o.max_thres)
        return replace(test, measured=o.measured)

    def short_training(self, spec: ParamSpec, rate: float | None, times: int = 1) -> Outcome:
        """Train at one rate, or at the optimizer's own, and evaluate; for some times ``total_steps``."""
        key = repr((sorted(spec.to_dict().items()) if rate is None else _without_rate(spec), rate, times))
        if key not in self._outcomes:
            self._outcomes[key] = self._short_training(spec, rate, times * self._options.total_steps)
        return self._outcomes[key]

    def trained(self, spec: ParamSpec, rate: float | None) -> Callable[[ParamSpec], tuple[float, float]]:
        """Train at one rate; what is returned evaluates these weights under specs that differ in evaluation alone."""
        self._short_training(spec, rate, self._options.total_steps)
        trainee = self._trainee(spec)
        return lambda other: self._scored(trainee, self._evaluate(trainee, other))

    # ---- parts

    def _short_training(self, spec: ParamSpec, rate: float | None, steps: int) -> Outcome:
        trainee = self._restored(spec)
        before, _ = self._begun(trainee, spec)
        told = math.nan if rate is None else rate
        losses: list[float] = []
        found: list[tuple[float, float]] = []
        judged = {math.ceil(steps * share) for share in _JUDGED_AFTER}
        for step, batch in enumerate(self._warm(trainee, steps), start=1):
            logs = trainee.step(batch, rate, "")
            self._say(step - 1, steps, rate, logs)
            losses.append(logs["loss"])
            if not math.isfinite(losses[-1]):
                return Outcome(math.nan, -math.inf, False, told)
            if step in judged:
                found.append(self._scored(trainee, self._evaluate(trainee, spec)))
        score, second = np.mean(found, axis=0).tolist()
        ended = float(np.mean(losses[-max(1, len(losses) // _LAST_SHARE) :]))
        return Outcome(score, second, math.isfinite(score) and ended < before, told)

    def _scored(self, trainee: Trainee, logs: dict[str, float]) -> tuple[float, float]:
        value = self._measured(logs)
        second = -logs.get("loss", 0.0)
        if self._options.by_acc:
            return value, second
        first = self._first[id(trainee)][1] if id(trainee) in self._first else value
        return (first - value) / max(abs(first), 1e-12), second

    def _begun(self, trainee: Trainee, spec: ParamSpec) -> tuple[float, float]:
        """Losses before any training: of the first batches, and of the evaluation."""
        if id(trainee) not in self._first:
            some = list(training_batches(self._train, min(_REFERENCE, self._options.total_steps)))
            before = evaluated(trainee.built, some)["loss"]
            evaluation = self._evaluate(trainee, spec)
            self._first[id(trainee)] = before, self._measured(evaluation)
        return self._first[id(trainee)]

    def _restored(self, spec: ParamSpec) -> Trainee:
        trainee = self._trainee(spec)
        trainee.restore()
        return trainee

    def _warm(self, trainee: Trainee, steps: int) -> Any:
        """The batches of a training, behind those of its warm-up."""
        o = self._options
        batches = training_batches(self._train, o.warmup_steps + steps)
        for batch in itertools.islice(batches, o.warmup_steps):
            trainee.step(batch, o.warmup_lr, "")
        return batches

    def _measured(self, logs: dict[str, float]) -> float:
        name = self._options.measured
        if name not in logs:
            kind = "by_acc=True needs" if self._options.by_acc else "by_acc=False needs"
            argument = "acc_name" if self._options.by_acc else "loss_name"
            raise ParameterError(
                f"{kind} a metric {name!r}, but measured are {listed(logs)}.{did_you_mean(name, list(logs))} "
                f"Return ModelSpec(model, log_info={{{name!r}: ...}}), or pass {argument}=... or another by_acc."
            )
        return logs[name]

    def _say(self, step: int, steps: int, rate: float | None, logs: dict[str, float]) -> None:
        if (step + 1) % self._options.log_every_n_steps == 0:
            told = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
            at = "" if rate is None else f"learning rate {rate:.3g}, "
            self._log(f"step {step + 1} of {steps}: {at}{told}")

    # ---- models

    def _trainee(self, spec: ParamSpec) -> Trainee:
        optimizer, view = build_optimizer(self._functions, spec)
        self._optimizer_view = view
        fitting = [t for t in self._trainees if still_holds(t.built.view, spec)]
        made = None
        if not fitting:
            made = build_model(self._functions, spec, "train", self._example, self._options.seed)
        model_view = fitting[0].built.view if made is None else made[1]
        self.applied.update(apply_unread(optimizer, spec, view, model_view))
        turnable = Turnable(optimizer)
        for trainee in fitting:
            if trainee.turnable.signature == turnable.signature:
                trainee.turnable.turn_to(turnable)
                show(trainee.built.view, spec)
                return trainee
        if made is None:
            made = build_model(self._functions, spec, "train", self._example, self._options.seed)
        return self._new_trainee(made, turnable, spec, RATE in reads(view, BUILD))

    def _new_trainee(
        self, made: tuple[ModelSpec, ReadSpec], turnable: Turnable, spec: ParamSpec, reads_rate: bool
    ) -> Trainee:
        model = made[0].model
        for other in [t for t in self._trainees if t.built.model is model]:
            # A model function that hands out one and the same model: it starts again from where it was.
            other.restore()
            self._trainees.remove(other)
        if self._options.checkpoint_path is not None:
            load_checkpoint(model, self._options.checkpoint_path)
        turnable.make_knobs()
        built = compile_model(*made, self._example, turnable.optimizer)
        rate = learning_rate_of(turnable.optimizer)
        scale = 1.0
        if reads_rate and rate and spec.learning_rate:  # it may make another rate of that of the spec
            scale = rate / float(spec.learning_rate)
        trainee = Trainee(built, turnable, scale)
        self._trainees = [*self._trainees[-_KEPT_MODELS + 1 :], trainee]
        return trainee

    def _judge(self, trainee: Trainee, spec: ParamSpec) -> Built:
        """What evaluates: the trained model itself, or one made for evaluation with its weights."""
        if not self._functions.model_knows_mode:
            return trainee.built
        fitting = [j for j in self._judges if still_holds(j.view, spec)]
        if fitting:
            show(fitting[0].view, spec)
            return fitting[0]
        made, view = build_model(self._functions, spec, "evaluate", self._example, self._options.seed)
        judge = compile_judge(made, view, self._example, trainee.built)
        self._judges = [*self._judges[-_KEPT_MODELS + 1 :], judge]
        return judge

    def _evaluate(self, trainee: Trainee, spec: ParamSpec) -> dict[str, float]:
        judge = self._judge(trainee, spec)
        if judge.model is not trainee.built.model:
            copy_weights(trainee.built.model, judge.model)
        return evaluated(judge, self._held_out)


def _without_rate(spec: ParamSpec) -> list[tuple[str, Any]]:
    return sorted((name, value) for name, value in spec.items() if name != RATE)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """The weights of one model in another.

    Raises
    ------
    ParameterError
        If they have not the same shapes in the same order.
    """
    shapes = [[tuple(w.shape) for w in model.weights] for model in (source, target)]
    if shapes[0] != shapes[1]:
        raise ParameterError(
            "model_fn must give models with the same weights in all run modes, but the one for training has "
            f"{len(shapes[0])} of shapes {listed(shapes[0])}, and the other {len(shapes[1])} of shapes {listed(shapes[1])}."
        )
    for old, new in zip(source.weights, target.weights, strict=True):
        new.assign(old.value)
