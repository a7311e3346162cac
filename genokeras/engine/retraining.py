"""Known networks trained again, from the start, on another problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Outcome
from genokeras.engine.methods import PackedMethod
from genokeras.engine.problem import Problem
from genokeras.searchers import Proposal
from genokeras.tasks.objectives import Objective


def retrained(
    problem: Problem,
    objective: Objective,
    proposals: Sequence[Proposal],
    deadline: Deadline | None = None,
) -> dict[int, Outcome]:
    """The outcomes of those proposals on a table that could be trained, by their place.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    proposals : sequence of Proposal
        The most important first; each of them an object of its own.
    deadline : Deadline, optional
        No job starts behind it, but the first.
    """
    until = deadline or Deadline()
    method = PackedMethod()
    runner = method.runner(problem, objective, None, None)
    # Jobs number their trials in the order in which they train them, which is another one.
    places = {id(proposal): place for place, proposal in enumerate(proposals)}
    found: dict[int, Outcome] = {}
    for job in method.packer(problem).jobs(proposals, 0):
        if found and until.passed():
            break
        outcomes = runner.run(job, until if found else Deadline())
        for proposal, outcome in zip(job.proposals, outcomes, strict=True):
            if outcome.result.status == "ok":
                found[places[id(proposal)]] = outcome
    return dict(sorted(found.items()))


def on_its_own(proposal: Proposal) -> Proposal:
    """The same network, without a parent, on the first split."""
    return replace(proposal, father=None, morphisms=(), inherit=False, split=0, folds=0, completes=None)
