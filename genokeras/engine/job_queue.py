"""Jobs of a run that several processes search, on one machine or many: a folder ``queue`` in the run folder.

::

    leader            a lease: which process asks, records and delivers
    member-TOKEN      a lease of each other process
    000012.job.json   a job, by the number of its first trial: proposals, and which trials it goes on from
    000012.lease      which process trains it
    000012.done.npz   what came of it, until the leader has recorded it
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from genokeras.engine.asks import job_from_dict, jobs_asked
from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Job, Outcome, weights_from_arrays, weights_to_arrays
from genokeras.engine.store import TrialStore
from genokeras.errors import GenoKerasError
from genokeras.searchers import TrialResult
from genokeras.support import RunFolder
from genokeras.support.files import DAMAGED
from genokeras.support.folder import QUEUE
from genokeras.support.leases import Lease, Watch

_JOB, _LEASE, _DONE, _MEMBER = ".job.json", ".lease", ".done.npz", "member-"


@final
class JobQueue:
    """What the processes of a run tell each other.

    Parameters
    ----------
    folder : RunFolder
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._path = folder.path / QUEUE
        self._watch = Watch()

    # ---- the leader's

    def put(self, job: Job, deadline: Deadline) -> None:
        """Let anybody train a job."""
        content = {
            **jobs_asked([job])[0],
            "inherits": [father is not None for father in job.fathers],
            "deadline": None if deadline == Deadline() else deadline.at,
        }
        self._folder.write_json(self._name(job, _JOB), content)

    def outcomes(self, job: Job) -> list[Outcome] | None:
        """What came of a job; None while it is not trained."""
        if not self._file(job, _DONE).exists():
            return None
        try:
            arrays = self._folder.read_arrays(self._name(job, _DONE))
            found = [_outcome(arrays, trial) for trial in job.ids]
        except (GenoKerasError, *DAMAGED):
            found = []
        alike = [outcome.result.proposal.fingerprint() for outcome in found]
        if alike != [proposal.fingerprint() for proposal in job.proposals]:
            # It is of another run that was here, or damaged.
            self._file(job, _DONE).unlink(missing_ok=True)
            return None
        return found

    def lost(self, job: Job) -> bool:
        """Whether who trained a job has ended; anybody may train it then."""
        lease = self._file(job, _LEASE)
        if not lease.exists() or not self._watch.is_over(lease):
            return False
        lease.unlink(missing_ok=True)
        return True

    def remove(self, job: Job) -> None:
        """Forget a job."""
        for suffix in (_JOB, _DONE, _LEASE):
            self._file(job, suffix).unlink(missing_ok=True)

    def members(self) -> int:
        """Other processes that train; those that ended are forgotten."""
        there = list(self._path.glob(f"{_MEMBER}*"))
        ended = [path for path in there if self._watch.is_over(path)]
        for path in ended:
            path.unlink(missing_ok=True)
        return len(there) - len(ended)

    # ---- everybody's

    def join(self) -> Lease:
        """Be counted as a member."""
        lease = Lease.take(self._path / f"{_MEMBER}{uuid.uuid4().hex}")
        assert lease is not None
        return lease

    def taken(self) -> tuple[Job, Deadline, Lease] | None:
        """A job that nobody trains, which this process trains now; None where there is none."""
        for path in sorted(self._path.glob(f"*{_JOB}")):
            number = path.name.removesuffix(_JOB)
            if (self._path / f"{number}{_DONE}").exists():
                continue
            lease = Lease.take(self._path / f"{number}{_LEASE}")
            if lease is None:
                continue
            with suppress(GenoKerasError, *DAMAGED):
                content = self._folder.read_json(f"{QUEUE}/{path.name}")
                deadline = content["deadline"]
                return self._read(content), Deadline() if deadline is None else Deadline(deadline), lease
            lease.release()  # it was recorded a moment ago
        return None

    def give(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Hand in what came of a job."""
        arrays: dict[str, np.ndarray] = {}
        for outcome in outcomes:
            said = json.dumps(outcome.result.to_dict()).encode("utf-8")
            parts = {"result": np.frombuffer(said, dtype="uint8")}
            parts |= {"answers": outcome.answers, "curve": outcome.curve}
            parts |= {f"weights/{name}": array for name, array in weights_to_arrays(outcome.weights).items()}
            arrays |= {f"{outcome.result.id}/{name}": array for name, array in parts.items()}
        self._folder.write_arrays(self._name(job, _DONE), arrays)

    def _read(self, content: dict[str, Any]) -> Job:
        """A job with the weights that it goes on from."""
        job, store = job_from_dict(content), TrialStore(self._folder)
        fathers = tuple(
            store.father(store.read(proposal.father)) if inherits and proposal.father is not None else None
            for proposal, inherits in zip(job.proposals, content["inherits"], strict=True)
        )
        begun = tuple(
            None if proposal.completes is None else store.begun(store.read(proposal.completes))
            for proposal in job.proposals
        )
        return replace(job, fathers=fathers, begun=begun)

    def _name(self, job: Job, suffix: str) -> str:
        return f"{QUEUE}/{job.ids[0]:06d}{suffix}"

    def _file(self, job: Job, suffix: str) -> Path:
        return self._folder.path / self._name(job, suffix)


def _outcome(arrays: dict[str, np.ndarray], trial: int) -> Outcome:
    own = {
        name.removeprefix(f"{trial}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{trial}/")
    }
    result = TrialResult.from_dict(json.loads(own["result"].tobytes()))
    weights = {
        name.removeprefix("weights/"): array for name, array in own.items() if name.startswith("weights/")
    }
    return Outcome(result, weights_from_arrays(weights), own["answers"], own["curve"])
