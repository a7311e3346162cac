"""One convolutional network trained on one fold: mini-batches, a rate that falls with the time allotted, held-out scorings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from genokeras.encoders.encoder import NetworkEncoder, Rows, n_rows
from genokeras.graph import Weights
from genokeras.support.checks import check_number, check_whole
from genokeras.tasks.task import Task
from genokeras.training.allotment import Plan
from genokeras.training.samples import Samples
from genokeras.training.steps import Position
from genokeras.training.trainee import Trainee, train_batches

WARM_UP = 0.05
LEAST_RATE = 0.01
# The rate changes once in this number of steps.
STRETCH = 20
SCORINGS = 20
# A scoring may cost this share of the training before it; a training step costs three forward passes.
SCORING_SHARE = 0.1
# Before so much of a plan is used up the rate is so high, behind a restart above all, that no improvement says little.
_PATIENT_UNTIL = 0.4


@dataclass(frozen=True)
class NetworkSettings:
    """How networks of any kind are trained.

    Attributes
    ----------
    batch_size : int or None
        None is 32 below 1,000 samples, 64 below 4,000, else 128.
    patience : int
        Scorings without improvement before training ends.
    min_improvement : float
        Of the held-out loss, to count as improvement.
    label_smoothing : float
    """

    batch_size: int | None = None
    patience: int = 5
    min_improvement: float = 1e-4
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        for name, value in (("batch_size", self.batch_size or 1), ("max_no_improvement_num", self.patience)):
            check_whole(value, name)
        check_number(self.min_improvement, "min_loss_dec", least=0)

    def batch_of(self, n: int) -> int:
        """Rows of a batch for ``n`` samples."""
        return min(n, self.batch_size or (32 if n < 1000 else 64 if n < 4000 else 128))


@dataclass(frozen=True)
class Scoring:
    """A look at the held-out rows.

    Attributes
    ----------
    step : int
    loss : float
        Mean training loss since the stretch before, label smoothing included.
    held_out_loss : float
        Mean over the rows, as the task has it.
    answers : numpy.ndarray
        ``(n_held_out, n_outputs)``.
    weights : Weights
    used : float
        Share of the plan that was used up.
    """

    step: int
    loss: float
    held_out_loss: float
    answers: np.ndarray
    weights: Weights
    used: float = 0.0


@dataclass
class _Clock:
    """How much of a plan is used up: the larger share of its steps and of its seconds."""

    plan: Plan
    remaining: Callable[[], float]
    now: Callable[[], float] = time.perf_counter
    began: float | None = None
    most: float = math.inf

    def begin(self) -> None:
        """Behind the first step, which compiles."""
        if self.began is None:
            self.began, self.most = self.now(), max(self.remaining(), 1e-3)

    def used(self, step: int) -> float:
        seconds = 0.0 if self.began is None else self.now() - self.began
        allowed = min(self.plan.allowed(seconds / max(1, step - 1)), self.most)
        return min(1.0, max(step / self.plan.steps, seconds / allowed))


@dataclass
class _Watch:
    """Sets the rate, scores, and says when to stop."""

    trainee: Trainee
    held_out: Samples
    rate: float
    clock: _Clock
    every: int
    settings: NetworkSettings
    should_stop: Callable[[], bool]
    keep_all: bool
    until: int | None = None
    scorings: list[Scoring] = field(default_factory=list)
    best: float = math.inf
    idle: int = 0
    scored_at: int = 0

    def start(self) -> None:
        self.trainee.set_rate(self.rate * rate_share(0.0))

    def on_step(self, position: Position, loss: Callable[[], float]) -> bool:
        self.clock.begin()
        stop = self.should_stop()
        if position.batch and not stop:
            return False
        used = self.clock.used(position.step)
        # A trial that is cut short before its first scoring would be lost.
        if used >= 1 or position.step - self.scored_at >= self.every or (stop and not self.scorings):
            stop = self._score(position.step, loss(), used) or stop
        self.trainee.set_rate(self.rate * rate_share(used))
        return stop or used >= 1 or (self.until is not None and position.step >= self.until)

    def _score(self, step: int, loss: float, used: float) -> bool:
        held = self.held_out
        answers = mean_answers(self.trainee, held.task, held.encoder, held.rows)
        held_out_loss = held.task.held_out_loss(answers, held.targets, held.weight)
        self.scored_at = step
        if not (math.isfinite(held_out_loss) and math.isfinite(loss)):
            return True
        improved = held_out_loss < self.best - self.settings.min_improvement
        self.idle = 0 if improved or used < _PATIENT_UNTIL else self.idle + 1
        if held_out_loss < self.best or self.keep_all:
            self.best = min(self.best, held_out_loss)
            weights = self.trainee.weights()
        else:
            weights = {}
        if weights and not self.keep_all:
            self.scorings = [replace(s, answers=s.answers[:0], weights={}) for s in self.scorings]
        answers = answers if weights else answers[:0]
        self.scorings.append(Scoring(step, loss, held_out_loss, answers, weights, used))
        return self.idle >= self.settings.patience


def rate_share(used: float) -> float:
    """Share of the peak rate: a short rise, then half a cosine (Loshchilov and Hutter 2017, ICLR, eq. 5)."""
    rise = min(1.0, max(used, LEAST_RATE) / WARM_UP)
    return rise * max(LEAST_RATE, 0.5 * (1 + math.cos(math.pi * used)))


def mean_answers(trainee: Trainee, task: Task, encoder: NetworkEncoder, rows: Rows) -> np.ndarray:
    """``(n, n_outputs)`` float64, the mean over all looks at a sample."""
    total, times = np.zeros((n_rows(rows), task.n_outputs)), np.zeros((n_rows(rows), 1))
    for look in encoder.looks(rows):
        total[look.samples] += task.answers_of(trainee.outputs(look.tensor))
        times[look.samples] += 1
    return total / times


def train_member(
    trainee: Trainee,
    train: Samples,
    held_out: Samples,
    *,
    plan: Plan,
    rate: float,
    seed: int,
    settings: NetworkSettings,
    remaining: Callable[[], float] = lambda: math.inf,
    should_stop: Callable[[], bool] = lambda: False,
    keep_all: bool = False,
    until: int | None = None,
) -> list[Scoring]:
    """Train a network that was restarted; how it did, scoring by scoring.

    Parameters
    ----------
    trainee : Trainee
    train, held_out : Samples
    plan : Plan
    rate : float
        The largest learning rate.
    seed : int
    settings : NetworkSettings
    remaining : callable
        Seconds there are; the plan is shortened to that.
    should_stop : callable
        Asked every step or so.
    keep_all : bool
        Keep the weights of every scoring; else those of the best alone, and others have none.
    until : int, optional
        The step of a plan to stop at, or a little behind it, and to score at once.

    Returns
    -------
    list of Scoring
        Empty where the loss was not finite from the first.
    """
    size = settings.batch_of(len(train.targets))
    stretch = min(STRETCH, max(1, plan.steps // SCORINGS))
    watch = _Watch(
        trainee=trainee,
        held_out=held_out,
        rate=rate,
        clock=_Clock(plan, remaining),
        every=until or _steps_between_scorings(plan, size, held_out.encoder.n_looks(held_out.rows)),
        settings=settings,
        should_stop=should_stop,
        keep_all=keep_all,
        until=until,
    )
    watch.start()
    train_batches(trainee, train, size, stretch, seed, watch.on_step)
    return watch.scorings


def train_whole(
    trainee: Trainee, samples: Samples, plan: Plan, rate: float, seed: int, settings: NetworkSettings
) -> None:
    """Train a network that was restarted for all the steps of a plan; nothing is held out.

    Parameters
    ----------
    trainee : Trainee
    samples : Samples
    plan : Plan
    rate : float
        The largest learning rate; it rises and falls as in a search.
    seed : int
        Of the order of samples and their augmentation.
    settings : NetworkSettings
    """
    size = settings.batch_of(len(samples.targets))
    stretch = min(STRETCH, max(1, plan.steps // SCORINGS))
    trainee.set_rate(rate * rate_share(0.0))

    def on_step(position: Position, loss: Callable[[], float]) -> bool:
        if not position.batch:
            trainee.set_rate(rate * rate_share(position.step / plan.steps))
        return position.step >= plan.steps

    train_batches(trainee, samples, size, stretch, seed, on_step, until=plan.steps)


def _steps_between_scorings(plan: Plan, batch: int, scored: int) -> int:
    cheap = math.ceil(scored / (3 * batch * SCORING_SHARE))
    return max(1, min(plan.steps, max(plan.steps // SCORINGS, cheap)) if plan.seconds is None else cheap)
