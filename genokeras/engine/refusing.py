"""Trials that would need more memory than there is are refused before they are trained."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import final

import numpy as np

from genokeras.encoders import TableEncoder
from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.outcomes import input_units
from genokeras.engine.problem import Problem
from genokeras.searchers import Proposal, TrialResult
from genokeras.support.memory_limits import size_text
from genokeras.training import NetworkSettings, TrainingSettings

_NUMBER = 4
# Weights, their gradients, two moments of the optimiser and the best ones so far; activations, and their gradients.
_COPIES_OF_WEIGHTS, _COPIES_OF_ACTIVATIONS = 6, 2


def memory_of(problem: Problem, proposal: Proposal) -> float:
    """Bytes that training the members of a trial takes, beside the samples; 0 of a graph that cannot be trained on them."""
    graph = proposal.graph
    if any(view not in problem.widths for view in graph.views(proposal.hyper.view).values()):
        return 0.0
    units = input_units(problem, proposal)
    # The members of a table train at once, those of other samples one by one.
    is_table = isinstance(problem.encoder, TableEncoder)
    settings, members = (TrainingSettings(), problem.n_folds) if is_table else (NetworkSettings(), 1)
    batch = settings.batch_of(problem.n_samples)
    activations = batch * sum(float(np.prod(shape)) for shape in graph.shapes(units).values())
    weights = graph.n_parameters(units)
    each = _COPIES_OF_WEIGHTS * weights + _COPIES_OF_ACTIVATIONS * activations
    return float(_NUMBER * members * each)


@final
class RefusingExecutor(Executor):
    """Hands jobs on to another executor, without the trials that are too large, and in parts that are not.

    Parameters
    ----------
    inner : Executor
    problem : Problem
    memory : float
        Bytes that there are for a job.
    """

    def __init__(self, inner: Executor, problem: Problem, memory: float) -> None:
        self._inner, self._problem, self._memory = inner, problem, memory
        self._refused: list[Outcome] = []
        self.n_refused = 0

    @property
    def slots(self) -> int:
        return self._inner.slots

    @property
    def seconds_to_begin(self) -> float:
        return self._inner.seconds_to_begin

    def submit(self, job: Job, deadline: Deadline) -> None:
        needs = [memory_of(self._problem, proposal) for proposal in job.proposals]
        for place, need in enumerate(needs):
            if need > self._memory:
                self._refused.append(self._refusal(job.ids[place], job.proposals[place], need))
        for part in self._parts(needs):
            self._inner.submit(job.part(part), deadline)

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        refused, self._refused = self._refused, []
        return refused or self._inner.collect(timeout)

    def close(self) -> None:
        self._inner.close()

    def _parts(self, needs: Sequence[float]) -> list[list[int]]:
        """Places of the trials that fit, in parts that fit together."""
        parts: list[list[int]] = []
        held = 0.0
        for place, need in enumerate(needs):
            if need > self._memory:
                continue
            if not parts or held + need > self._memory:
                parts, held = [*parts, []], 0.0
            parts[-1].append(place)
            held += need
        return parts

    def _refusal(self, trial: int, proposal: Proposal, need: float) -> Outcome:
        self.n_refused += 1
        if self.n_refused == 1:
            warnings.warn(
                f"A trial was refused because it would need about {size_text(need)} of memory, and there is {size_text(self._memory)}; "
                "further ones like it fail, too. A larger memory_limit trains them.",
                stacklevel=2,
            )
        error = f"refused: it would need about {size_text(need)} of memory, and there is {size_text(self._memory)}"
        return Outcome(TrialResult.failure(trial, proposal, error))
