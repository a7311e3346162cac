"""Which proposals train together: in jobs of one shape class, so that a new graph needs no compilation of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from typing import final

import numpy as np

from genokeras.engine.jobs import Job
from genokeras.engine.pace import SECONDS_TO_COMPILE
from genokeras.engine.problem import Problem
from genokeras.networks import ShapeClass, class_of
from genokeras.searchers import Proposal
from genokeras.support.backends import current_backend
from genokeras.training import TrainingSettings
from genokeras.training.packed import compiled_size

_TYPICAL_UNITS = 64
_PACK_MULTIPLICATIONS = 250_000_000
_SMALLEST_PACK, _LARGEST_PACK = 4, 24
# A program for larger networks trains smaller ones, too, as long as this wastes little: as many moved numbers (see
# `ShapeClass.cost`) as one core moves in 1.2 s. A compilation itself takes less; but programs stay in memory, and a dozen are enough.
_COMPILATION = 1.2e9
_STEPS = 200
_SOLVED_AT_ONCE = 4
# Graphs of one kind come up again: for each in an ask another one is expected.
_EXPECTED = 2
# Beyond these come only classes that hold whatever there is: about a dozen programs a fit in all.
_MOST_CLASSES = 10

_ALONE = "no shape class holds this graph: it is trained by a program of its own"

Numbered = tuple[int, Proposal]


class Packer(ABC):
    """Makes jobs of proposals."""

    @abstractmethod
    def jobs(self, proposals: Iterable[Proposal], first_id: int) -> list[Job]:
        """Jobs of these proposals, their trials numbered from the first id on; weights are not inherited yet."""

    @abstractmethod
    def begun(self, job: Job) -> None:
        """Know that a job has been submitted."""

    def seconds_to_begin(self, job: Job) -> float:
        """What a job takes before it trains, at least, where none like it has been submitted; see ``genokeras.engine.pace``."""
        return 0.0

    def recall(self, asks: Iterable[Sequence[Proposal]]) -> None:
        """Come to the state behind the asks of a run that is resumed, so that it goes on as if it had not been stopped."""
        for proposals in asks:
            self.jobs(proposals, 0)


@final
class GraphPacker(Packer):
    """Jobs of one graph each.

    Parameters
    ----------
    most : int
        Trials in a job at most.
    widths : mapping, optional
        Input width of each view; fresh networks of equal width train together.
    """

    def __init__(self, most: int, widths: Mapping[str, int] | None = None) -> None:
        self._most = most
        self._widths = widths

    def begun(self, job: Job) -> None:
        """There is nothing to know: every graph is begun anew."""

    def jobs(self, proposals: Iterable[Proposal], first_id: int) -> list[Job]:
        groups: dict[Hashable, list[Numbered]] = {}
        for trial_id, proposal in enumerate(proposals, start=first_id):
            groups.setdefault(_same_graph(proposal, self._widths), []).append((trial_id, proposal))
        return [job for group in groups.values() for job in _split(group, self._most, None)]


@final
class ClassPacker(Packer):
    """Jobs of shape classes, of which there are few: each is one compilation.

    A proposal goes to the cheapest class there is that holds its graph. Where that would waste much, a class is added. Graphs that
    no class holds get jobs of their own; so do linear models that are solved.

    Parameters
    ----------
    problem : Problem
        Of a table.
    most : int
        Trials in a job at most; fewer where their networks are larger than usual.
    """

    def __init__(self, problem: Problem, most: int) -> None:
        self._problem = problem
        self._widths = problem.widths
        # Of a step.
        self._rows = TrainingSettings().batch_of(problem.n_samples)
        self._most = most
        self._classes: list[ShapeClass] = []
        self._compiled: set[tuple[ShapeClass | None, int]] = set()
        self._frees_axes = current_backend().frees_axes

    def begun(self, job: Job) -> None:
        self._compiled.add(self._program_of(job))

    def seconds_to_begin(self, job: Job) -> float:
        there = job.shape is not None and self._program_of(job) in self._compiled
        return 0.0 if there or self._is_solved(job.proposals[0]) else SECONDS_TO_COMPILE

    def _program_of(self, job: Job) -> tuple[ShapeClass | None, int]:
        """What there is a program for: a shape class and, on some backends, a number of trials."""
        return job.shape, 0 if self._frees_axes else compiled_size(len(job.ids))

    def jobs(self, proposals: Iterable[Proposal], first_id: int) -> list[Job]:
        alone: dict[Hashable, list[Numbered]] = {}
        needed: list[tuple[ShapeClass, Numbered]] = []
        for trial_id, proposal in enumerate(proposals, start=first_id):
            shape = self._needed(proposal)
            if shape is None:
                alone.setdefault(_same_graph(proposal, self._widths), []).append((trial_id, proposal))
            else:
                needed.append((shape, (trial_id, proposal)))
        jobs = [
            replace(job, note="" if self._is_solved(job.proposals[0]) else _ALONE)
            for group in alone.values()
            for job in _split(group, self._most_alone(group), None)
        ]
        groups: dict[ShapeClass, list[Numbered]] = {}
        counts = Counter(shape for shape, _ in needed)
        # The largest first: smaller ones may go to their classes.
        for shape, numbered in sorted(
            needed, key=lambda pair: (-pair[0].cost(self._rows), astuple(pair[0]), pair[1][0])
        ):
            groups.setdefault(self._chosen(shape, counts[shape]), []).append(numbered)
        for shape, group in groups.items():
            jobs += _split(sorted(group, key=lambda pair: pair[0]), self._most_of(shape), shape)
        return _numbered(sorted(jobs, key=lambda job: job.ids), first_id)

    def _needed(self, proposal: Proposal) -> ShapeClass | None:
        views = proposal.graph.views(proposal.hyper.view).values()
        if any(view not in self._widths for view in views) or self._is_solved(proposal):
            return None
        if proposal.split >= self._problem.n_splits:
            return None
        widths = self._problem.of_split(proposal.split, views).widths
        return class_of(proposal.graph, sum(widths[view] for view in views))

    def _most_alone(self, group: Sequence[Numbered]) -> int:
        """Linear models gain nothing by being solved together: after each few of them the time is looked at."""
        return min(self._most, _SOLVED_AT_ONCE) if self._is_solved(group[0][1]) else self._most

    def _is_solved(self, proposal: Proposal) -> bool:
        return self._problem.solves(proposal.graph, proposal.hyper.view)

    def _chosen(self, needed: ShapeClass, count: int) -> ShapeClass:
        """The class for a number of graphs that need this one."""
        holding = [shape for shape in self._classes if shape.holds(needed)]
        best = min(holding, key=lambda shape: shape.cost(self._rows), default=None)
        adds = len(self._classes) < _MOST_CLASSES
        if best is not None and (not adds or self._waste(best, needed, count) <= _COMPILATION):
            return best
        if not adds:
            # One that holds whatever comes: there must not be more and more of them.
            needed = _union(needed, max(self._classes, key=lambda shape: shape.cost(self._rows)))
            needed = replace(needed, reading=needed.nodes)
        elif best is None:
            needed = self._widened(needed, count)
        self._classes.append(needed)
        return needed

    def _widened(self, needed: ShapeClass, count: int) -> ShapeClass:
        """The largest union with another class that wastes little: it saves compilations later."""
        unions = [_union(needed, shape) for shape in self._classes if shape.nodes and needed.nodes]
        cheap = [shape for shape in unions if self._waste(shape, needed, count) <= _COMPILATION]
        return max([needed, *cheap], key=lambda shape: shape.cost(self._rows))

    def _waste(self, shape: ShapeClass, needed: ShapeClass, count: int) -> float:
        """Numbers that a number of trials, and those to come, move for nothing in a class."""
        steps = _STEPS * self._problem.n_folds * count * _EXPECTED
        return steps * (shape.cost(self._rows) - needed.cost(self._rows))

    def _most_of(self, shape: ShapeClass) -> int:
        usual = replace(
            shape, input_units=max(self._widths.values()), nodes=1, reading=1, units=_TYPICAL_UNITS
        )
        share = usual.cost(self._rows) / shape.cost(self._rows)
        return int(np.clip(self._most * share, min(_SMALLEST_PACK, self._most), self._most))


def _numbered(jobs: Sequence[Job], first_id: int) -> list[Job]:
    """The jobs with trials numbered in their order: a history read back has its trials in the order they were trained in."""
    found = []
    for job in jobs:
        found.append(replace(job, ids=tuple(range(first_id, first_id + len(job.ids)))))
        first_id += len(job.ids)
    return found


def _union(a: ShapeClass, b: ShapeClass) -> ShapeClass:
    """The smallest class that holds both."""
    return ShapeClass(
        input_units=max(a.input_units, b.input_units),
        nodes=max(a.nodes, b.nodes),
        reading=max(a.reading, b.reading),
        units=max(a.units, b.units),
        outputs=a.outputs,
        squares=a.squares or b.squares,
    )


def _same_graph(proposal: Proposal, widths: Mapping[str, int] | None) -> Hashable:
    """Equal for proposals that one program of a graph trains in one run."""
    hyper, inherits = proposal.hyper, proposal.father is not None and proposal.inherit
    # Inherited weights belong to one view; fresh ones to any of that width.
    view = hyper.view if inherits or widths is None else widths.get(hyper.view)
    others = tuple(proposal.graph.views(hyper.view).values())[1:]
    key = (proposal.graph, proposal.father, proposal.morphisms, proposal.seed, hyper.activation, view)
    return *key, others, proposal.split


def _split(group: Sequence[Numbered], most: int, shape: ShapeClass | None) -> list[Job]:
    jobs = []
    for start in range(0, len(group), most):
        ids, members = zip(*group[start : start + most], strict=True)
        jobs.append(Job(tuple(ids), tuple(members), shape=shape))
    return jobs


def pack_size(problem: Problem) -> int:
    """Trials that train well in one run: as many as keep its matrix products within a few milliseconds a step."""
    multiplications = problem.n_samples * problem.n_folds * max(problem.widths.values()) * _TYPICAL_UNITS
    return int(np.clip(_PACK_MULTIPLICATIONS // multiplications, _SMALLEST_PACK, _LARGEST_PACK))
