"""What was asked: in the journal before it is trained, so that a run that was killed goes on with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from genokeras.engine.jobs import Job
from genokeras.networks import ShapeClass
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.support.folder import RunFolder


@dataclass(frozen=True)
class Earlier:
    """What a run that goes on had done, as its journal says.

    Attributes
    ----------
    history : History
        In the order in which trials came back, which searchers may look at.
    asks : list of list of Proposal
        Of each ask.
    open : list of Job
        Asked for and not trained: all trials of a job of which some are missing, since a job is trained as a whole.
    last_id : int
        The highest number that a trial was given, -1 for none.
    unsaid : list of TrialResult
        Trials that the journal lacks: the run was killed between their files and their lines.
    """

    history: History
    asks: list[list[Proposal]]
    open: list[Job]
    last_id: int
    unsaid: list[TrialResult]

    @property
    def again(self) -> frozenset[int]:
        """Trials that are there and are trained again, because their job is."""
        return frozenset(
            trial for job in self.open for trial in job.ids if job.proposals[0].completes is None
        )


def jobs_asked(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs as JSON values; what they inherit is read when they are trained."""
    return [
        {
            "ids": list(job.ids),
            "proposals": [proposal.to_dict() for proposal in job.proposals],
            **({"shape": asdict(job.shape)} if job.shape else {}),
            **({"note": job.note} if job.note else {}),
        }
        for job in jobs
    ]


def earlier(folder: RunFolder, history: History) -> Earlier:
    """What was asked and trained before, from the journal; earlier versions wrote down no jobs, only how many trials there were.

    Raises
    ------
    RunFolderError
        If the journal is damaged.
    """
    with folder.reading():
        events = list(folder.journal())
        asked = [event for event in events if event.get("event") == "asked"]
        jobs = [[job_from_dict(held) for held in event.get("jobs", ())] for event in asked]
        came = [event["trial"] for event in events if event.get("event") == "trial"]
        proposals = [trial.proposal for trial in history]
        starts = [int(event["trials"]) for event in asked]
        trained = [proposals[start:end] for start, end in pairwise([*starts, len(proposals)])]
        asks = [
            [proposal for job in made for proposal in job.proposals] if "jobs" in event else found
            for event, made, found in zip(asked, jobs, trained, strict=True)
        ]
        every = [job for made in jobs for job in made]
        open_jobs = _open(every, history)
        again = {trial for job in open_jobs for trial in job.ids}
        last = max([-1, *(trial.id for trial in history), *(trial for job in every for trial in job.ids)])
        unsaid = [trial for trial in history if trial.id not in again.union(came)]
        return Earlier(_ordered(history, came), asks, open_jobs, last, unsaid)


def job_from_dict(held: Mapping[str, Any]) -> Job:
    """The inverse of :func:`jobs_asked`, of one job."""
    shape = held.get("shape")
    return Job(
        tuple(held["ids"]),
        tuple(Proposal.from_dict(proposal) for proposal in held["proposals"]),
        shape=None if shape is None else ShapeClass(**shape),
        note=held.get("note", ""),
    )


def _open(jobs: Sequence[Job], history: History) -> list[Job]:
    known = {trial.id for trial in history}
    lacking = {trial.id for trial in history.begun()}
    found = []
    for job in jobs:
        if job.proposals[0].completes is not None:
            is_open = job.ids[0] in lacking
        else:
            is_open = not known.issuperset(job.ids) and _has_fathers(job, known)
            known.update(job.ids if is_open else ())
        if is_open:
            found.append(job)
    return found


def _has_fathers(job: Job, known: Collection[int]) -> bool:
    return all(proposal.father is None or proposal.father in known for proposal in job.proposals)


def _ordered(history: History, came: Sequence[int]) -> History:
    """Trials in the order in which they first came back; a kill may have kept the last ones from the journal."""
    place = {trial: number for number, trial in reversed(list(enumerate(came)))}
    return History(tuple(sorted(history, key=lambda trial: (place.get(trial.id, len(came)), trial.id))))
