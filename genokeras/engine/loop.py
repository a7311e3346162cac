"""The one loop: ask the searcher, submit to the executor, collect, record."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.engine.budget import Budget
from genokeras.engine.executor import Executor
from genokeras.engine.interrupt import Interruption
from genokeras.engine.jobs import Job, Outcome, pack
from genokeras.engine.store import TrialStore
from genokeras.errors import SearchError
from genokeras.searchers import History, Proposal, Searcher

FAILURES_IN_A_ROW = 12


class Observer(ABC):
    """Watches a search; a progress display, for one. It decides nothing."""

    @abstractmethod
    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        """A job is about to be trained."""

    @abstractmethod
    def finished(self, outcomes: Sequence[Outcome], history: History) -> None:
        """Trials came back; ``history`` holds them already."""


@dataclass(frozen=True)
class SearchResult:
    """How a search ended: ``reason`` is "time", "trials", "space" (nothing left to try) or "interrupted"."""

    history: History
    reason: str


class SearchLoop:
    """Runs one search.

    Parameters
    ----------
    searcher : Searcher
    executor : Executor
    store : TrialStore
    budget : Budget
    seed : int
        Every ask gets a generator made from it and the number of trials before, so that a resumed run asks alike.
    max_trials : int, optional
    observers : sequence of Observer
    pack_size : int
        Proposals to ask for at once, and trials in a job at most.
    widths : mapping, optional
        Input width of each view.
    """

    def __init__(
        self,
        searcher: Searcher,
        executor: Executor,
        store: TrialStore,
        budget: Budget,
        seed: int,
        max_trials: int | None = None,
        observers: Sequence[Observer] = (),
        pack_size: int = 6,
        widths: Mapping[str, int] | None = None,
    ) -> None:
        self._searcher = searcher
        self._executor = executor
        self._store = store
        self._budget = budget
        self._seed = seed
        self._max_trials = max_trials
        self._observers = observers
        self._pack_size = pack_size
        self._widths = widths

    def run(self, history: History) -> SearchResult:
        """Go on from ``history`` until the time, the trials or the space are used up, or Ctrl-C.

        Raises
        ------
        SearchError
            If a dozen trials in a row fail; the message carries the last one's error.
        """
        self._history = history
        try:
            with Interruption() as interruption:
                reason = self._search(interruption)
        except KeyboardInterrupt:
            reason = "interrupted"
        finally:
            self._executor.close()
        return SearchResult(self._history, reason)

    def _search(self, interruption: Interruption) -> str:
        while True:
            if self._max_trials is not None and len(self._history) >= self._max_trials:
                return "trials"
            if self._out_of_time():
                return "time"
            jobs = self._ask()
            if not jobs:
                return "space"
            for job in jobs:
                if interruption.pressed:
                    return "interrupted"
                if self._out_of_time():
                    return "time"
                self._train(job)

    def _out_of_time(self) -> bool:
        """The first job always runs: its chunks look at the time themselves."""
        return bool(self._history.ok()) and not self._budget.affords_another()

    def _ask(self) -> list[Job]:
        count = self._pack_size
        if self._max_trials is not None:
            count = min(count, self._max_trials - len(self._history))
        rng = np.random.default_rng([self._seed, len(self._history)])
        proposals = self._searcher.ask(self._history, count, rng)
        next_id = 1 + max((trial.id for trial in self._history), default=-1)
        return [
            self._with_father(job) for job in pack(proposals[:count], next_id, self._pack_size, self._widths)
        ]

    def _with_father(self, job: Job) -> Job:
        """Weights are inherited from a father that is there and looked at the data through the same view."""
        proposal = job.proposals[0]
        if proposal.father is None or not proposal.inherit:
            return job
        father = self._history.get(proposal.father)
        if father.status != "ok" or father.proposal.hyper.view != proposal.hyper.view:
            return job
        return Job(job.ids, job.proposals, self._store.father(father))

    def _train(self, job: Job) -> None:
        for observer in self._observers:
            observer.trying(job.proposals, self._history)
        started = time.perf_counter()
        self._executor.submit(job)
        outcomes = self._executor.collect()
        self._store.write(*outcomes)
        self._history = self._history.extend(outcome.result for outcome in outcomes)
        self._budget.observe(time.perf_counter() - started)
        for observer in self._observers:
            observer.finished(outcomes, self._history)
        self._stop_on_failures()

    def _stop_on_failures(self) -> None:
        latest = self._history.trials[-FAILURES_IN_A_ROW:]
        if len(latest) == FAILURES_IN_A_ROW and all(trial.status == "failed" for trial in latest):
            raise SearchError(
                f"the last {FAILURES_IN_A_ROW} trials failed; error.txt of each is in {self._store.folder.path / 'trials'}. "
                f"The last one said:\n{latest[-1].error}"
            )
