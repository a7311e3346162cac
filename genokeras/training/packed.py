"""Train the members of a packed task, chunk by compiled chunk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.networks import function_of
from genokeras.support.backends import current_backend
from genokeras.training.architectures import Architecture, OneGraph, PaddedGraphs, functions_for
from genokeras.training.batches import MiniBatches
from genokeras.training.constants import constants_of
from genokeras.training.program import Program
from genokeras.training.rows import ScoringBlocks, scored_rows, trained_rows
from genokeras.training.schedules import Cosine, Schedule
from genokeras.training.task import MemberTask, MixedTask, PackedResult, PackedTask, TrainingSettings

_KEPT_PROGRAMS = 32
# Numbers of trials that backends compile for, where they compile for each.
_USUAL_SIZES = (1, 2, 4, 8, 16, 24)


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

    def run(
        self,
        task: MemberTask,
        should_stop: Callable[[], bool] = lambda: False,
        watch: Callable[[int, np.ndarray], None] = lambda steps, curves: None,
        schedule: Schedule | None = None,
        max_steps: int | None = None,
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
        """
        if isinstance(task, MixedTask):
            order = self._order(task)
            arranged = with_trials(task, order)
            result = self._run(arranged, should_stop, watch, schedule, max_steps)
            return of_trials(result, arranged, [order.index(trial) for trial in range(task.n_trials)])
        return self._run(task, should_stop, watch, schedule, max_steps)

    def _run(
        self,
        task: MemberTask,
        should_stop: Callable[[], bool],
        watch: Callable[[int, np.ndarray], None],
        schedule: Schedule | None,
        max_steps: int | None,
    ) -> PackedResult:
        settings, batch_size = self.settings, self.settings.batch_size
        scored, trained = scored_rows(task, batch_size), trained_rows(task, batch_size)
        program = self._program(task, scored)
        constants = constants_of(task, scored, len(trained), program.architecture, batch_size)
        state = program.initial_state(task, scored)
        noise = program.architecture.noise(task, min(task.inputs.shape[1], batch_size))
        batches = MiniBatches(task.seed, len(trained), batch_size)
        most = min(max_steps or settings.max_steps, settings.max_steps)
        schedule = schedule or settings.schedule or Cosine(settings.schedule_steps or most)
        curves, steps, chunk = np.empty((0, task.n_trials, 3)), 0, program.chunk_steps
        while steps < most:
            # As many as a whole chunk takes, also for a shorter last one: other shapes would compile again.
            pool, picks = noise.draw(chunk)
            factors = schedule.factors(steps, chunk, curves[:, :, 2])
            of_members = np.broadcast_to(factors, (chunk, task.n_trials))[:, task.trial_of_member]
            drawn = {"pool": pool, "picks": picks, "factors": of_members}
            drawn["batches"] = trained[batches.draw(chunk)]
            todo = min(chunk, most - steps)
            state, curve = program.run(state, constants, drawn, steps, todo)
            steps += todo
            curves = np.concatenate([curves, curve])
            watch(steps, curves)
            if not program.unsettled(state) or should_stop():
                break
        return program.result(task, state, scored, curves, steps)

    def _order(self, task: MixedTask) -> list[int]:
        """Trials of one function together; the last one again and again where only some numbers of trials are compiled for."""
        names = functions_for(task.networks)
        places = [names.index(function_of(network.graph, network.activation)) for network in task.networks]
        order = sorted(range(task.n_trials), key=lambda trial: places[trial])
        if self._backend.frees_axes:
            return order
        wanted = next(n for n in (*_USUAL_SIZES, task.n_trials) if n >= task.n_trials)
        return order + order[-1:] * (wanted - task.n_trials)

    def _program(self, task: MemberTask, scored: ScoringBlocks) -> Program:
        _, n_rows, width = task.inputs.shape
        key: tuple[Hashable, ...] = (n_rows, width, task.targets.shape[1], scored.rows.shape[1])
        if isinstance(task, MixedTask):
            functions = functions_for(task.networks)
            key += (task.shape, functions, () if self._backend.frees_axes else task.n_members)
        elif isinstance(task, PackedTask):
            # Where all rows are used at once, members get inputs of their own, however few different ones there are.
            batched = n_rows > self.settings.batch_size
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
        return OneGraph(task, self.settings.optimizer.needs_factors)


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


def of_trials(result: PackedResult, task: MixedTask, trials: Sequence[int]) -> PackedResult:
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
    )
