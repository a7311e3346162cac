"""How fast children reach their parent's level: weights inherited by shrink-and-perturb against fresh ones.

    python -m benchmarks.quality.inheriting RUN_FOLDER ... [--children 100] [--mix 0.5 0.5]

Children that were grown by morphism in finished runs on tables are trained twice on the run's own folds, fresh and with inherited
weights; all else is the same. The parent's level is its posterior mean. A child that never gets there counts with all its steps.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from genokeras.engine import Deadline, outcomes
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.methods import method_of
from genokeras.engine.packing import ClassPacker, pack_size
from genokeras.engine.problem import Problem
from genokeras.engine.problem_files import read_problem
from genokeras.engine.run import objective_of
from genokeras.engine.store import TrialStore
from genokeras.searchers import History, HyperSpace, TrialResult, posterior_means
from genokeras.support import RunFolder


def children_of(history: History, most: int) -> list[TrialResult]:
    """Trials that were grown by morphism from a trial of their own view, spread evenly over the run."""
    found = [
        trial
        for trial in history.ok()
        if trial.proposal.morphisms
        and history.get(trial.proposal.father or 0).proposal.hyper.view == trial.proposal.hyper.view
    ]
    places = np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)
    return [found[place] for place in places]


def trained(
    folder: RunFolder, problem: Problem, chosen: list[TrialResult], history: History, inherit: bool
) -> dict[int, Outcome]:
    """Outcomes by the position of the child."""
    method, store = method_of(problem), TrialStore(folder)
    runner = method.runner(problem, objective_of(folder, problem.task), None, None)
    proposals = [replace(trial.proposal, inherit=inherit) for trial in chosen]
    found: dict[int, Outcome] = {}
    for job in ClassPacker(problem, pack_size(problem)).jobs(proposals, 0):
        fathers = tuple(
            store.father(history.get(p.father)) if inherit and p.father is not None else None
            for p in job.proposals
        )
        for outcome in runner.run(Job(job.ids, job.proposals, fathers, job.shape), Deadline()):
            found[outcome.result.id] = outcome
    return found


def steps_to(outcome: Outcome, level: float) -> int:
    """Steps after which the held-out loss is first at the level or below; all of them where it never is."""
    there = np.flatnonzero(outcome.curve[:, 2] <= level)
    return int(outcome.curve[there[0] if len(there) else -1, 0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--children", type=int, default=100, help="of all runs together")
    parser.add_argument("--mix", type=float, nargs=2, metavar=("SHRINK", "PERTURB"))
    given = parser.parse_args()
    if given.mix:
        outcomes.SHRINK, outcomes.PERTURB = given.mix
    steps: dict[str, list[int]] = {"fresh": [], "inherited": []}
    scores: dict[str, list[float]] = {"fresh": [], "inherited": []}
    reached: dict[str, list[bool]] = {"fresh": [], "inherited": []}
    parents: list[float] = []
    for name in given.folders:
        folder = RunFolder(name)
        problem, history = read_problem(folder), TrialStore(folder).history()
        means = posterior_means(history, HyperSpace(views=tuple(problem.widths)))
        chosen = children_of(history, given.children // len(given.folders))
        levels = [means[trial.proposal.father or 0][0] for trial in chosen]
        parents += levels
        for how, inherit in (("fresh", False), ("inherited", True)):
            found = trained(folder, problem, chosen, history, inherit)
            for number, level in enumerate(levels):
                if found[number].result.status == "ok":
                    steps[how].append(steps_to(found[number], level))
                    scores[how].append(found[number].result.score)
                    reached[how].append(bool((found[number].curve[:, 2] <= level).any()))
    print(f"{len(parents)} children, weights x {outcomes.SHRINK} + fresh x {outcomes.PERTURB}")
    print(f"parents' posterior mean: median {np.median(parents):.4f}")
    for how in steps:
        print(
            f"{how:10} reached {np.mean(reached[how]):4.0%}  steps to it: median {np.median(steps[how]):5.1f}, "
            f"mean {np.mean(steps[how]):5.1f}  score: median {np.median(scores[how]):.4f}, mean {np.mean(scores[how]):.4f}"
        )


if __name__ == "__main__":
    main()
