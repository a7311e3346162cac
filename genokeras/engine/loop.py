"""The one loop: ask the searcher, submit to every slot of the executor, collect, record."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.engine.asking import Asker
from genokeras.engine.asks import Earlier, earlier, jobs_asked
from genokeras.engine.budget import Budget
from genokeras.engine.executor import Executor
from genokeras.engine.gains import EnsembleGains
from genokeras.engine.jobs import NO_TIME, Father, Job, Outcome
from genokeras.engine.packing import GraphPacker, Packer
from genokeras.engine.pending import Pending, stand_ins
from genokeras.engine.store import TrialStore
from genokeras.errors import SearchError
from genokeras.interrupt import Interruption
from genokeras.searchers import History, Proposal, Searcher
from genokeras.support.memory import asked_for, is_out_of_memory

FAILURES_IN_A_ROW = 12
# Seconds that a searcher may think in any case: near the deadline an ask may take longer than what is left.
LEAST_THINKING = 10.0
# Seconds to wait for an outcome before the time is looked at again.
_WAIT = 1.0


class Observer(ABC):
    """Watches a search; a progress display, for one. It decides nothing but when enough was seen."""

    @property
    def stop(self) -> bool:
        """Whether the search shall end."""
        return False

    @abstractmethod
    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        """A job is about to be trained."""

    @abstractmethod
    def finished(self, outcomes: Sequence[Outcome], history: History) -> None:
        """Trials came back; ``history`` holds them already."""


@dataclass(frozen=True)
class SearchResult:
    """How a search ended: ``reason`` is "time", "trials", "space" (nothing left to try), "searcher" (it failed), "memory" (it ran
    out between two jobs), "callback" (one asked for it) or "interrupted"."""

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
        Trials at most, those before included.
    observers : sequence of Observer
    pack_size : int
        Proposals to ask for at once.
    gains : EnsembleGains, optional
        Says by how much each job made the ensemble better.
    packer : Packer, optional
        Makes jobs of them; jobs of one graph by default.
    ahead : int, optional
        Makes a search repeatable, however long its jobs take: results are recorded in the order in which they were asked for, and
        the searcher is asked whenever this many jobs, or fewer, lack results. With 0 it knows all results before, so what is
        proposed does not depend on the number of slots. By default it is asked as soon as a slot is free.
    n_outputs : int, optional
        How many numbers a network must answer; by default any.
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
        packer: Packer | None = None,
        gains: EnsembleGains | None = None,
        ahead: int | None = None,
        n_outputs: int | None = None,
    ) -> None:
        self._asker = Asker(searcher, n_outputs)
        self._executor = executor
        self._store = store
        self._budget = budget
        self._seed = seed
        self._max_trials = max_trials
        self._observers = observers
        self._pack_size = pack_size
        self._packer = packer or GraphPacker(pack_size)
        self._gains = gains
        self._ahead = ahead
        self._pending = Pending(in_order=ahead is not None)
        self._last_id = -1
        self._failed = False

    def run(self, history: History) -> SearchResult:
        """Go on from ``history`` until the time, the trials or the space are used up, or Ctrl-C or SIGTERM.

        Raises
        ------
        SearchError
            If a dozen trials in a row fail, the message carrying the last one's error; or if the searcher fails before a trial has
            been trained. Where it fails later, the finished trials are kept and a warning says what happened.
        """
        self._history = history
        with Interruption() as self._interruption:
            try:
                reason = self._search(self._within_limit(self._gone_on_with(history)))
            except KeyboardInterrupt:
                reason = "interrupted"
            except Exception as error:
                if not (is_out_of_memory(error) and self._history.ok()):
                    raise
                reason = self._out_of_memory(error)
            finally:
                # What was trained is delivered, whatever comes.
                self._interruption.finish()
                self._executor.close()
                self._record_what_came()
        return SearchResult(self._history, reason)

    def _gone_on_with(self, history: History) -> list[Job]:
        """Jobs that were asked for before and not trained; all else is as it was when they were."""
        before = earlier(self._store.folder, history)
        self._history, self._last_id = before.history, before.last_id
        self._packer.recall(before.asks)
        if before.unsaid:
            self._store.record(before.unsaid)
        self._learn_gains(before)
        return before.open

    def _out_of_memory(self, error: Exception) -> str:
        said = f"memory ran out{asked_for(error)}"
        self._store.folder.record("out_of_memory", trials=len(self._history), error=str(error))
        warnings.warn(f"The search ended early, with {len(self._history)} trials: {said}.", stacklevel=2)
        return "memory"

    def _learn_gains(self, before: Earlier) -> None:
        found = tuple(trial for trial in before.history.ok() if trial.id not in before.again)
        if self._gains is not None and found:
            self._gains.add(found, list(self._store.answers(found)))

    def _within_limit(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs as far as there may be so many trials: fewer may be wanted than when they were asked for."""
        if self._max_trials is None:
            return list(jobs)
        known, found = {trial.id for trial in self._history}, []
        for job in jobs:
            left = max(0, self._max_trials - len(known))
            new = [trial for trial in job.ids if trial not in known][:left]
            kept = [place for place, trial in enumerate(job.ids) if trial in known or trial in new]
            known.update(new)
            if new or job.proposals[0].completes is not None:
                found.append(job.part(kept))
        return found

    def _search(self, jobs: Sequence[Job]) -> str:
        waiting = deque(jobs)
        while True:
            reason = self._fill(waiting)
            if not self._pending:
                return reason
            self._collect()

    def _fill(self, waiting: deque[Job]) -> str:
        """Submit a job to each free slot; or why there is none."""
        while True:
            self._ask_ahead(waiting)
            if self._pending.running >= self._executor.slots:
                return ""
            reason = self._ended() or self._next(waiting)
            if reason:
                return reason
            self._submit(waiting.popleft())

    def _ended(self) -> str:
        """Why somebody wants the search to end, or nothing."""
        if self._interruption.pressed:
            return "interrupted"
        return "callback" if any(observer.stop for observer in self._observers) else ""

    def _ask_ahead(self, waiting: deque[Job]) -> None:
        """Ask at once where that is repeatable: when the next slot is free, a further result may be known."""
        while self._ahead is not None and self._pending and not self._are_many(waiting):
            if self._ask(waiting):
                return

    def _are_many(self, waiting: Sequence[Job]) -> bool:
        """Whether more jobs lack results than there may be when the searcher is asked."""
        return self._ahead is not None and len(waiting) + len(self._pending) > self._ahead

    def _next(self, waiting: deque[Job]) -> str:
        """See to it that a job is waiting; or why there is none."""
        share = self._affordable(waiting)
        late = share == 0
        if waiting:
            return "time" if late else self._shortened(waiting, share)
        due = [] if self._pending else self._due()
        if due and (not self._history.ok() if late else self._must_begin(due[0])):
            waiting.append(due[0])
            return ""
        reason = "time" if late else "results" if self._are_many(waiting) else self._ask(waiting)
        if reason in ("trials", "space", "searcher") and due:
            waiting.append(due[0])
            return ""
        return reason or self._shortened(waiting, share)

    def _shortened(self, waiting: deque[Job], share: float) -> str:
        """Leave so much of the next job as there is time for, and say so where that is nothing."""
        count = int(len(waiting[0].ids) * share)
        if count < 1:
            return "time"
        if share < 1:
            waiting[0] = waiting[0].part(range(count))
        return ""

    def _due(self) -> list[Job]:
        """Jobs that have to be trained before the search ends."""
        if self._failed:
            return []
        try:
            return [_completion(proposal) for proposal in self._asker.due(self._history)]
        except SearchError as error:
            self._fail(error)
            return []

    def _fail(self, error: SearchError) -> None:
        """The searcher failed: what was trained is kept, and it is not asked again."""
        if not self._history.ok():
            failed = self._history.failed()
            if failed:
                error = SearchError(
                    f"{error} The last of {len(failed)} failed trials said:\n{failed[-1].error}"
                )
            raise error
        self._failed = True
        self._store.folder.record("searcher_failed", trials=len(self._history), error=str(error))
        warnings.warn(f"The search ended early, with {len(self._history)} trials: {error}", stacklevel=2)

    def _must_begin(self, job: Job) -> bool:
        """Whether there may be no time for a job that completes a trial if another one is trained before."""
        trial = self._history.get(job.ids[0])
        return self._budget.must_begin(trial.seconds * trial.missing / max(1, len(trial.folds)))

    def _affordable(self, waiting: Sequence[Job]) -> float:
        """The share of the next job that there is time for. The first one always runs: its chunks look at the time themselves."""
        if not (self._history.ok() or self._history.begun() or self._pending):
            return 1.0
        least = self._packer.seconds_to_begin(waiting[0]) if waiting else 0.0
        return self._budget.affordable_share(least, self._executor.seconds_to_begin if least else 0.0)

    def _ask(self, waiting: deque[Job]) -> str:
        """Jobs to train next; or why there are none."""
        known = self._history.updated(stand_ins([*self._pending.jobs, *waiting]))
        done = len(known)
        count = self._pack_size
        if self._max_trials is not None:
            count = min(count, self._max_trials - done)
        if self._failed or count < 1:
            return "searcher" if self._failed else "trials"
        try:
            jobs, said = self._proposed(known, count)
        except SearchError as error:
            self._fail(error)
            return "searcher"
        asked = {"trials": done, "proposals": sum(len(job.ids) for job in jobs), "jobs": jobs_asked(jobs)}
        self._store.folder.record("asked", **{**said, **asked})
        waiting.extend(jobs)
        self._last_id = max([self._last_id, *(trial for job in jobs for trial in job.ids)])
        return "" if jobs else "space"

    def _proposed(self, known: History, count: int) -> tuple[list[Job], Mapping[str, Any]]:
        """Jobs of what the searcher proposes, and what it says of them."""
        rng = np.random.default_rng([self._seed, len(known)])
        thinking = max(self._budget.search_remaining, LEAST_THINKING)
        proposals = self._asker.ask(known, count, rng, thinking)
        said = self._asker.said(known)
        with self._asker.blamed("made proposals of which no job can be made"):
            jobs = self._packer.jobs([p for p in proposals if p.completes is None], self._last_id + 1)
            jobs += [_completion(proposal) for proposal in proposals if proposal.completes is not None]
        return jobs, said

    def _with_fathers(self, job: Job) -> Job:
        """Weights are inherited from a father that is there and looked at the same split of the data through the same view."""
        found: dict[int, Father | None] = {}
        for proposal in job.proposals:
            if proposal.father is not None and proposal.inherit and proposal.father not in found:
                father = self._history.get(proposal.father)
                there = father.status == "ok" and not father.missing and self._store.has_weights(father.id)
                found[father.id] = self._store.father(father) if there else None
        begun = [
            None if proposal.completes is None else self._store.begun(self._history.get(proposal.completes))
            for proposal in job.proposals
        ]
        fathers = tuple(self._father(proposal, found) for proposal in job.proposals)
        return replace(job, fathers=fathers, begun=tuple(begun))

    def _father(self, proposal: Proposal, found: Mapping[int, Father | None]) -> Father | None:
        if proposal.father is None or not proposal.inherit:
            return None
        father = self._history.get(proposal.father).proposal
        alike = (father.hyper.view, father.split) == (proposal.hyper.view, proposal.split)
        return found[proposal.father] if alike else None

    def _submit(self, job: Job) -> None:
        job = self._with_fathers(job)
        self._packer.begun(job)
        for observer in self._observers:
            observer.trying(job.proposals, self._history)
        self._pending.add(job)
        if job.note:
            self._store.folder.record("note", trials=list(job.ids), note=job.note)
        self._executor.submit(job, self._budget.deadline())

    def _collect(self) -> None:
        """Record the next job that is back, after waiting for it a moment."""
        found = self._pending.taken()
        if found is None:
            self._pending.came(self._executor.collect(_WAIT))
            found = self._pending.taken()
        if found is not None:
            self._record(*found)
            self._stop_on_failures()

    def _record(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        sound = [outcome for outcome in outcomes if outcome.result.status == "ok"]
        if self._interruption.pressed or (sound and self._budget.exhausted()):
            # What failed then may have failed of it: it is trained again where the run goes on.
            outcomes = sound
        elif sound:
            outcomes = [outcome for outcome in outcomes if outcome.result.error != NO_TIME]
        if not outcomes:
            return
        with self._interruption.noting():
            if self._gains is not None:
                outcomes = self._gains.with_gain(outcomes)
            self._store.write(*outcomes)
            self._history = self._history.updated(outcome.result for outcome in outcomes)
        self._budget.observe(seconds)
        for observer in self._observers:
            observer.finished(outcomes, self._history)

    def _record_what_came(self) -> None:
        """Where the search ended early: what is back and waits for what was asked for before it."""
        while (found := self._pending.taken(whatever_came=True)) is not None:
            self._record(*found)

    def _stop_on_failures(self) -> None:
        latest = self._history.trials[-FAILURES_IN_A_ROW:]
        if len(latest) == FAILURES_IN_A_ROW and all(trial.status == "failed" for trial in latest):
            raise SearchError(
                f"the last {FAILURES_IN_A_ROW} trials failed; error.txt of each is in {self._store.folder.path / 'trials'}. "
                f"The last one said:\n{latest[-1].error}"
            )


def _completion(proposal: Proposal) -> Job:
    """The job that trains the folds that a trial lacks; it keeps its number."""
    assert proposal.completes is not None
    return Job((proposal.completes,), (proposal,))
