"""Train the members of a packed task, chunk by compiled chunk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from genokeras.support.backends import current_backend
from genokeras.training.batches import MiniBatches
from genokeras.training.constants import constants_of
from genokeras.training.noise import DropoutNoise
from genokeras.training.program import Program
from genokeras.training.rows import ScoringBlocks, scored_rows, trained_rows
from genokeras.training.schedules import Cosine, Schedule
from genokeras.training.task import PackedResult, PackedTask, TrainingSettings

_KEPT_PROGRAMS = 32


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

    def run(
        self,
        task: PackedTask,
        should_stop: Callable[[], bool] = lambda: False,
        watch: Callable[[int, np.ndarray], None] = lambda steps, curves: None,
        schedule: Schedule | None = None,
        max_steps: int | None = None,
    ) -> PackedResult:
        """Train all the members of ``task``.

        Parameters
        ----------
        task : PackedTask
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
        settings, batch_size = self.settings, self.settings.batch_size
        scored, trained = scored_rows(task, batch_size), trained_rows(task, batch_size)
        program = self._program(task, scored)
        constants = constants_of(task, scored, len(trained), program.network, batch_size)
        state = program.initial_state(task, scored)
        n_rows = task.inputs.shape[1]
        noise = DropoutNoise(task.seed, program.network.masks, task.n_members, min(n_rows, batch_size))
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
        return program.result(state, scored, curves, steps)

    def _program(self, task: PackedTask, scored: ScoringBlocks) -> Program:
        _, n_rows, width = task.inputs.shape
        # Where all rows are used at once, members get inputs of their own, however few different ones there are.
        different = len(task.inputs) if n_rows > self.settings.batch_size else task.n_members
        shapes = (different, n_rows, width, task.targets.shape[1], task.n_members, task.n_trials)
        key = (task.graph, task.activation, *shapes, scored.rows.shape[1])
        if key in self._programs:
            self._programs.move_to_end(key)
        else:
            self._programs[key] = Program(task, scored, self.settings, self._backend)
            self.compilations += 1
        if len(self._programs) > _KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return self._programs[key]
