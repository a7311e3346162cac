"""All trials of a search, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.searchers.values import TrialResult, require
from genokeras.support.json_files import check_format

# In format 1 each proposal has its graph and its hyper-parameters; since, it has their places in lists of different ones.
HISTORY_FORMAT = 2
_SHARED = {"graph": "graphs", "hyper": "hypers"}


@dataclass(frozen=True)
class History:
    """All finished trials, in the order they came back; appending makes a new history."""

    trials: tuple[TrialResult, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", tuple(self.trials))
        if len(self._by_id) < len(self.trials):
            ids = [trial.id for trial in self.trials]
            repeated = sorted({id for id in ids if ids.count(id) > 1})
            raise ParameterError(f"every trial needs an id of its own; repeated: {repeated}.")

    @cached_property
    def _by_id(self) -> dict[int, TrialResult]:
        return {trial.id: trial for trial in self.trials}

    @cached_property
    def _fingerprints(self) -> frozenset[str]:
        return frozenset(trial.proposal.fingerprint() for trial in self.trials)

    @cached_property
    def _ok(self) -> tuple[TrialResult, ...]:
        return tuple(trial for trial in self.trials if trial.status == "ok" and not trial.missing)

    @cached_property
    def _ranked(self) -> tuple[TrialResult, ...]:
        return tuple(sorted(self._ok, key=lambda trial: (trial.score, trial.id)))

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[TrialResult]:
        return iter(self.trials)

    def ok(self) -> tuple[TrialResult, ...]:
        """The trials that did not fail, trained on all folds."""
        return self._ok

    def begun(self) -> tuple[TrialResult, ...]:
        """The trials that did not fail and lack folds."""
        return tuple(trial for trial in self.trials if trial.begun)

    def failed(self) -> tuple[TrialResult, ...]:
        """The trials that failed."""
        return tuple(trial for trial in self.trials if trial.status == "failed")

    def running(self) -> tuple[TrialResult, ...]:
        """The trials that are still being trained."""
        return tuple(trial for trial in self.trials if trial.status == "running")

    def ranked(self) -> tuple[TrialResult, ...]:
        """The trials of `ok`, best first; equal scores in order of their ids."""
        return self._ranked

    def best(self) -> TrialResult | None:
        """The trial of the lowest score, or None while none has one."""
        return self._ranked[0] if self._ranked else None

    def get(self, id: int) -> TrialResult:
        """The trial of this id, or ParameterError."""
        if id not in self._by_id:
            raise ParameterError(f"there is no trial {id!r}; the history has {sorted(self._by_id)}.")
        return self._by_id[id]

    def lineage(self, id: int) -> tuple[TrialResult, ...]:
        """The trial, its father, its father's father and so on, as far as they are in this history."""
        found = [self.get(id)]
        while (father := found[-1].proposal.father) in self._by_id and len(found) <= len(self.trials):
            found.append(self._by_id[father])
        return tuple(found)

    def replicates(self, trial: TrialResult) -> tuple[TrialResult, ...]:
        """The trial, and those of the same network and settings on other splits into folds; failed ones are left out."""
        own = trial.proposal
        network = (own.graph, own.hyper, own.rung)
        others = [
            other
            for other in self._ok
            if other.proposal.split != own.split
            and (other.proposal.graph, other.proposal.hyper, other.proposal.rung) == network
        ]
        return (trial, *others)

    def fingerprints(self) -> frozenset[str]:
        """Fingerprints of all proposals tried, failed ones included."""
        return self._fingerprints

    def append(self, result: TrialResult) -> History:
        """A history with one more trial."""
        return self.extend((result,))

    def extend(self, results: Iterable[TrialResult]) -> History:
        """A history with more trials."""
        return History((*self.trials, *results))

    def updated(self, results: Iterable[TrialResult]) -> History:
        """A history where these results take the place of those with their ids; new ones come behind."""
        new = {result.id: result for result in results}
        return History((*(new.pop(trial.id, trial) for trial in self.trials), *new.values()))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; graphs and hyper-parameters that several proposals have are there once."""
        places: dict[str, dict[Any, int]] = {name: {} for name in _SHARED}
        entries = []
        for trial in self.trials:
            entry = trial.to_dict()
            for name, known in places.items():
                value = getattr(trial.proposal, name)
                entry["proposal"][name] = known.setdefault(value, len(known))
            entries.append(entry)
        shared = {_SHARED[name]: [value.to_dict() for value in known] for name, known in places.items()}
        return {"format": HISTORY_FORMAT, **shared, "trials": entries}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """Read what `to_dict` wrote, also in format 1.

        Raises
        ------
        ParameterError
            If it is incomplete, names a graph or hyper-parameters that it lacks, or is of another format version.
        """
        require(data, "history", ("format", "trials"))
        if data["format"] == 1:
            return cls(tuple(TrialResult.from_dict(entry) for entry in data["trials"]))
        check_format("the history", data["format"], HISTORY_FORMAT, ParameterError)
        require(data, "history", _SHARED.values())
        shared: dict[str, list[Any]] = {
            "graph": [Graph.from_dict(entry) for entry in data["graphs"]],
            "hyper": [HyperParameters.from_dict(entry) for entry in data["hypers"]],
        }
        return cls(tuple(TrialResult.from_dict(_with_shared(entry, shared)) for entry in data["trials"]))


def _with_shared(entry: Mapping[str, Any], shared: Mapping[str, list[Any]]) -> dict[str, Any]:
    """A trial's entry with its graph and its hyper-parameters in place of their numbers."""
    require(entry, "trial", ("proposal",))
    proposal = dict(entry["proposal"])
    require(proposal, "proposal", shared)
    for name, values in shared.items():
        place = proposal[name]
        if type(place) is not int or not 0 <= place < len(values):
            raise ParameterError(
                f"the history has {len(values)} {_SHARED[name]}, and a proposal names number {place!r}."
            )
        proposal[name] = values[place]
    return {**entry, "proposal": proposal}
