"""Jobs that were submitted and are not in the history yet."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import final

from genokeras.engine.jobs import Job, Outcome
from genokeras.searchers import TrialResult


@dataclass
class _Submitted:
    job: Job
    at: float
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def is_back(self) -> bool:
        return len(self.outcomes) == len(self.job.ids)


@final
class Pending:
    """What was submitted, in that order, and what came back of it.

    Parameters
    ----------
    in_order : bool
        Hand out jobs in the order in which they were submitted: one that came back early waits for those before it.
    """

    def __init__(self, in_order: bool = False) -> None:
        self._in_order = in_order
        self._jobs: list[_Submitted] = []

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def running(self) -> int:
        """Jobs that did not come back."""
        return sum(not submitted.is_back for submitted in self._jobs)

    @property
    def jobs(self) -> list[Job]:
        return [submitted.job for submitted in self._jobs]

    def add(self, job: Job) -> None:
        """Note that a job is submitted now."""
        self._jobs.append(_Submitted(job, time.perf_counter()))

    def came(self, outcomes: Iterable[Outcome]) -> None:
        """Note what came back."""
        of_trial = {trial: submitted for submitted in self._jobs for trial in submitted.job.ids}
        for outcome in outcomes:
            of_trial[outcome.result.id].outcomes[outcome.result.id] = outcome

    def taken(self, whatever_came: bool = False) -> tuple[list[Outcome], float] | None:
        """The outcomes of the next job that is back, which leaves, and its seconds; None while there is none.

        Parameters
        ----------
        whatever_came : bool
            In whatever order.
        """
        first_only = self._in_order and not whatever_came
        for place, submitted in enumerate(self._jobs[:1] if first_only else self._jobs):
            if submitted.is_back:
                del self._jobs[place]
                outcomes = [submitted.outcomes[trial] for trial in submitted.job.ids]
                return outcomes, time.perf_counter() - submitted.at
        return None


def stand_ins(jobs: Sequence[Job]) -> list[TrialResult]:
    """What a searcher is shown of the trials of jobs without results, so that it proposes something else."""
    return [
        TrialResult.running(trial, proposal)
        for job in jobs
        for trial, proposal in zip(job.ids, job.proposals, strict=True)
    ]
