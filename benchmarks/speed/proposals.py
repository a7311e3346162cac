"""What share of a search its proposals take: the ask of a pack, against the training of that pack, at growing histories.

    python -m benchmarks.speed.proposals [--trials 100 1000 5000] [--samples 80] [--genes 2000]

Histories are simulated (scores of a smooth function of the proposals, with noise), so that 5,000 trials need no hour; the packs
that are timed are asked for and trained for real, on noise of the given size in five folds.
"""

from __future__ import annotations

import argparse
import time
import zlib

import numpy as np

from genokeras.engine import Deadline
from genokeras.engine.methods import method_of
from genokeras.engine.packing import pack_size
from genokeras.engine.problem import Problem
from genokeras.engine.testing import table_problem
from genokeras.features import available_views
from genokeras.graph import HyperParameters
from genokeras.searchers import BayesianSearcher, History, HyperSpace, Proposal, TrialResult
from genokeras.tasks.classes import Classes

_TIMED = 4


def noise_problem(n: int, p: int) -> Problem:
    """Two classes that nothing tells apart, in five folds and all usual views."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 2
    held_out = np.stack([np.arange(n) // 2 % 5 == fold for fold in range(5)])
    x = rng.lognormal(size=(n, p)).astype("float32")
    return table_problem(x, codes, Classes(2), ~held_out, held_out, available_views(p, n_samples=n))


def pretended(number: int, proposal: Proposal, rng: np.random.Generator) -> TrialResult:
    """A trial with a made-up score: its hyper-parameters' own, a little for its graph, and noise."""
    hyper: HyperParameters = proposal.hyper
    own = 0.05 * abs(np.log10(hyper.learning_rate) + 2) + 0.02 * len(hyper.view) / 10
    graph = zlib.crc32(proposal.graph.fingerprint().encode()) % 100 / 2000
    score = 0.4 + own + graph + 0.05 * rng.standard_normal()
    return TrialResult(number, proposal, "ok", float(score), score_se=0.05, step=50, gain=0.001)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--samples", type=int, default=80)
    parser.add_argument("--genes", type=int, default=2000)
    given = parser.parse_args()
    problem = noise_problem(given.samples, given.genes)
    searcher = BayesianSearcher(2, space=HyperSpace(views=tuple(problem.widths)), inherit=False)
    method, size = method_of(problem), pack_size(problem)
    runner, packer = method.runner(problem, problem.task.objective(), None, None), method.packer(problem)
    rng, history = np.random.default_rng(0), History()
    print(
        f"{given.samples} samples, {given.genes} genes, asks of {size}; seconds an ask and a pack, mean of {_TIMED}"
    )
    for wanted in sorted(given.trials):
        while len(history) < wanted:
            asked = searcher.ask(history, min(size, wanted - len(history)), rng)
            history = history.extend(pretended(len(history) + i, p, rng) for i, p in enumerate(asked))
        asking, training = 0.0, 0.0
        for turn in range(_TIMED + 1):
            began = time.perf_counter()
            asked = searcher.ask(history, size, rng)
            between = time.perf_counter()
            for job in packer.jobs(asked, len(history)):
                runner.run(job, Deadline())
            if turn:  # the first one compiles
                asking += between - began
                training += time.perf_counter() - between
            history = history.extend(pretended(len(history) + i, p, rng) for i, p in enumerate(asked))
        share = asking / (asking + training)
        print(
            f"{wanted:6,} trials: ask {asking / _TIMED:.2f}, train {training / _TIMED:.2f}, share {share:.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
