"""Train the members of a packed task, chunk by compiled chunk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.networks import function_of
from genokeras.support.backends import current_backend
from genokeras.training.architectures import Architecture, OneGraph, PaddedGraphs, functions_for
from genokeras.training.batches import MiniBatches
from genokeras.training.constants import constants_of
from genokeras.training.noise import TrialNoise
from genokeras.training.program import Program
from genokeras.training.rows import ScoringBlocks, scored_rows, trained_rows
from genokeras.training.schedules import Cosine, Schedule
from genokeras.training.task import MemberTask, MixedTask, PackedResult, PackedTask, TrainingSettings

_KEPT_PROGRAMS = 32
# Numbers of trials that backends compile for, where they compile for each.
_USUAL_SIZES = (1, 2, 4, 8, 16, 24)


@dataclass(frozen=True)
class _Asked:
    """How a run was asked for: the schedule, None for the usual one, and the most steps."""

    schedule: Schedule | None
    most: int


class PackedTrainer:
    """Trains packed tasks; keeps the compiled programs of the latest shapes, so that a second task of a shape is cheap.

    Parameters
    ----------
    settings : TrainingSettings
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self._backend = current_backend()
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self.compilations = 0

    @property
    def frees_axes(self) -> bool:
        """Whether a program of a shape class serves any number of trials; else it is compiled for a few numbers."""
        return self._backend.frees_axes

    @property
    def seconds_to_begin(self) -> float:
        """What the slowest of the programs that are kept took before it trained; 0 before there is one."""
        return max((program.seconds_to_begin or 0.0 for program in self._programs.values()), default=0.0)

    def run(
        self,
        task: MemberTask,
        should_stop: Callable[[], bool] = lambda: False,
        watch: Callable[[int, np.ndarray], None] = lambda steps, curves: None,
        schedule: Schedule | None = None,
        max_steps: int | None = None,
        checkpoint: Callable[[Callable[[], PackedResult]], None] = lambda result: None,
    ) -> PackedResult:
        """Train all the members of ``task``.

        Parameters
        ----------
        task : PackedTask or MixedTask
        should_stop : callable
            Asked between chunks of steps.
        watch : callable
            ``(steps so far, curves (scorings, trials, 3))`` after every chunk: training loss, held-out loss, and what is
            monitored, lower being better.
        schedule : Schedule, optional
            In place of that of the settings; nothing is compiled for it.
        max_steps : int, optional
            Fewer than the settings say.
        checkpoint : callable
            Gets a function that returns the result so far, after every chunk of a PackedTask.
        """
        asked = _Asked(schedule, min(max_steps or self.settings.max_steps, self.settings.max_steps))
        if isinstance(task, MixedTask):
            return self._mixed(task, asked, should_stop, watch)
        run = _Started(self, task, asked)
        while run.go_on(watch) and run.unsettled.any() and not should_stop():
            checkpoint(run.result)
        return run.result()

    def _mixed(
        self,
        task: MixedTask,
        asked: _Asked,
        should_stop: Callable[[], bool],
        watch: Callable[[int, np.ndarray], None],
    ) -> PackedResult:
        """Train trials of one function side by side, and let those that have settled go."""
        order = self._order(task)
        run = _Started(self, with_trials(task, order), asked)
        names = order
        finished: dict[int, PackedResult] = {}
        while run.go_on(watch) and run.unsettled.any() and not should_stop():
            if self.frees_axes and not run.unsettled.all():
                result = run.result()
                for place in np.flatnonzero(~run.unsettled):
                    finished[names[place]] = of_trials(result, run.task, [int(place)])
                left = np.flatnonzero(run.unsettled).tolist()
                names = [names[place] for place in left]
                run = run.only(left)
        result = run.result()
        for last, name in enumerate(names):
            finished.setdefault(name, of_trials(result, run.task, [last]))
        return joined([finished[trial] for trial in range(task.n_trials)])

    def _order(self, task: MixedTask) -> list[int]:
        """Trials of one function together; the last one again and again where only some numbers of trials are compiled for."""
        names = functions_for(task.networks)
        places = [names.index(function_of(network.graph, network.activation)) for network in task.networks]
        order = sorted(range(task.n_trials), key=lambda trial: places[trial])
        if self._backend.frees_axes:
            return order
        return order + order[-1:] * (compiled_size(task.n_trials) - task.n_trials)

    def program(self, task: MemberTask, scored: ScoringBlocks) -> Program:
        """The compiled program for tasks of this shape."""
        _, n_rows, width = task.inputs.shape
        key: tuple[Hashable, ...] = (n_rows, width, task.targets.shape[1], scored.rows.shape[1])
        if isinstance(task, MixedTask):
            functions = functions_for(task.networks)
            key += (task.shape, functions, () if self._backend.frees_axes else task.n_members)
        elif isinstance(task, PackedTask):
            # Where all rows are used at once, members get inputs of their own, however few different ones there are.
            batched = n_rows > self.settings.batch_of(n_rows)
            key += (OneGraph.key(task), len(task.inputs) if batched else task.n_members)
        if key in self._programs:
            self._programs.move_to_end(key)
        else:
            self._programs[key] = Program(
                self._architecture(task), task, scored, self.settings, self._backend
            )
            self.compilations += 1
        if len(self._programs) > _KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return self._programs[key]

    def _architecture(self, task: MemberTask) -> Architecture:
        if isinstance(task, MixedTask):
            return PaddedGraphs(task.shape, functions_for(task.networks), self._backend)
        assert isinstance(task, PackedTask)
        return OneGraph(task, self.settings.optimizer.needs_factors, self._backend)


class _Started:
    """A run that is going on: its program, its state, and what it draws."""

    def __init__(self, trainer: PackedTrainer, task: MemberTask, asked: _Asked) -> None:
        settings = trainer.settings
        self._trainer, self._asked, self._settings = trainer, asked, settings
        self._schedule = asked.schedule or settings.schedule or Cosine(settings.schedule_steps or asked.most)
        batch = settings.batch_of(task.inputs.shape[1])
        self._trained = trained_rows(task, batch)
        self._batches = MiniBatches(task.seed, len(self._trained), batch)
        self._curves, self._steps = np.empty((0, task.n_trials, 3)), 0
        self._set(task)
        self._noise = self._program.architecture.noise(task, batch)
        self._state = self._program.initial_state(task, self._scored)

    def _set(self, task: MemberTask) -> None:
        self.task = task
        batch_size = self._settings.batch_of(task.inputs.shape[1])
        self._scored = scored_rows(task, batch_size)
        self._program = self._trainer.program(task, self._scored)
        self._constants = constants_of(
            task, self._scored, len(self._trained), self._program.architecture, batch_size
        )

    def go_on(self, watch: Callable[[int, np.ndarray], None]) -> bool:
        """Train for one chunk; whether there are steps left."""
        task, chunk = self.task, self._program.chunk_steps
        # As many as a whole chunk takes, also for a shorter last one: other shapes would compile again.
        pool, picks = self._noise.draw(chunk)
        factors = self._schedule.factors(self._steps, chunk, self._curves[:, :, 2])
        of_members = np.broadcast_to(factors, (chunk, task.n_trials))[:, task.trial_of_member]
        drawn = {"pool": pool, "picks": picks, "factors": of_members}
        drawn["batches"] = self._trained[self._batches.draw(chunk)]
        todo = min(chunk, self._asked.most - self._steps)
        self._state, curve = self._program.run(self._state, self._constants, drawn, self._steps, todo)
        self._steps += todo
        self._curves = np.concatenate([self._curves, curve])
        watch(self._steps, self._curves)
        return self._steps < self._asked.most

    @property
    def unsettled(self) -> np.ndarray:
        """``(trials,)`` bool: which have not lost their patience yet."""
        return self._program.unsettled(self._state)

    def only(self, trials: Sequence[int]) -> _Started:
        """The run with these of its trials, which go on as they would have."""
        assert isinstance(self.task, MixedTask) and isinstance(self._noise, TrialNoise)
        members = np.flatnonzero(np.isin(self.task.trial_of_member, trials))
        self._state = self._program.taken(self._state, members, np.asarray(trials))
        self._curves = self._curves[:, list(trials)]
        self._noise.keep(trials)
        self._set(with_trials(self.task, trials))
        return self

    def result(self) -> PackedResult:
        return self._program.result(self.task, self._state, self._scored, self._curves, self._steps)


def compiled_size(n_trials: int) -> int:
    """The number of trials, not below this one, that a program is compiled for, on a backend where it does not serve any number."""
    return next(n for n in (*_USUAL_SIZES, n_trials) if n >= n_trials)


def with_trials(task: MixedTask, trials: Sequence[int]) -> MixedTask:
    """The task with these of its trials, in this order; one may come several times."""
    own = [np.flatnonzero(task.trial_of_member == trial) for trial in trials]
    members = np.concatenate(own)
    arrays = ("train_weights", "score_weights", "learning_rate", "weight_decay", "dropout", "input_rank")
    return replace(
        task,
        **{name: getattr(task, name)[members] for name in arrays},
        trial_of_member=np.repeat(np.arange(len(own)), [len(found) for found in own]),
        input_of_member=task.inputs_seen()[members],
        networks=tuple(task.networks[trial] for trial in trials),
    )


def of_trials(result: PackedResult, task: MemberTask, trials: Sequence[int]) -> PackedResult:
    """The part of a task's result that is of these trials, in this order."""
    members = np.concatenate([np.flatnonzero(task.trial_of_member == trial) for trial in trials])
    chosen = list(trials)
    return replace(
        result,
        networks=tuple(result.networks[trial] for trial in chosen),
        logits=result.logits[members],
        rows=result.rows[members],
        best_step=result.best_step[chosen],
        best_loss=result.best_loss[chosen],
        curves=result.curves[:, chosen],
        monitored=result.monitored[:, chosen],
        n_scorings=result.n_scorings[chosen],
    )


def joined(results: Sequence[PackedResult]) -> PackedResult:
    """Results of trials side by side; curves of those that trained for less have NaN behind them."""
    longest = max(results, key=lambda result: result.steps)

    def long(array: np.ndarray) -> np.ndarray:
        missing = [(0, len(longest.curve_steps) - len(array))] + [(0, 0)] * (array.ndim - 1)
        return np.pad(array, missing, constant_values=np.nan)

    return PackedResult(
        networks=tuple(weights for result in results for weights in result.networks),
        logits=np.concatenate([result.logits for result in results]),
        rows=np.concatenate([result.rows for result in results]),
        best_step=np.concatenate([result.best_step for result in results]),
        best_loss=np.concatenate([result.best_loss for result in results]),
        curves=np.concatenate([long(result.curves) for result in results], axis=1),
        monitored=np.concatenate([long(result.monitored) for result in results], axis=1),
        curve_steps=longest.curve_steps,
        n_scorings=np.concatenate([result.n_scorings for result in results]),
        steps=longest.steps,
    )
