"""Which weights of the ensemble predict best: ``python -m benchmarks.quality.ensembles --data ../shared/data``.

One fit for each set and outer fold; then every way of weighting its trials is judged on the same out-of-fold and the same outer
test predictions. The last two lines are what the package delivered and delivers, calibrated; the members of a trial are averaged as its trials are.
No other way is part of the package. ``trials`` are those that were weighted, in the last two lines those that have a weight.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.evaluate import outer_folds
from benchmarks.quality.sets import BenchmarkSet, read_set
from benchmarks.quality.trials import fitted_trials
from benchmarks.speed.machine import describe_machine
from genokeras.engine.delivery import family_of, limits_of
from genokeras.graph import is_linear
from genokeras.searchers import GEOMETRIC, LARGEST_ENSEMBLE, MEAN, combine, select_ensemble
from genokeras.tasks.calibration import fit_calibration
from genokeras.tasks.objectives import get_objective

SETS = "alon_colon gravier_breast nutt_glioma tox171 yeoh_all_subtypes shipp_dlbcl pomeroy_cns_outcome ramaswamy_gcm14"
METRICS = ("log_loss", "balanced_accuracy")
DELIVERED = {
    MEAN: "evidence, views against each other, mean: until 0.2.0",
    GEOMETRIC: "learnt from there, product: delivered",
}
Weights = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS.split())
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--folds", type=int, default=2)
    arguments = parser.parse_args()
    print(describe_machine())
    rows = []
    for name in arguments.sets:
        data = read_set(arguments.data, name)
        for train, test in outer_folds(data, arguments.folds):
            rows += one_fit(data, train, test, arguments.seconds)
    table = pd.DataFrame(rows).groupby("weights", sort=False)[[*METRICS, "trials"]].mean()
    print(table.round(4).to_string())


def one_fit(
    data: BenchmarkSet, train: np.ndarray, test: np.ndarray, seconds: float
) -> list[dict[str, object]]:
    """Fit once, score every way of weighting the trials on the outer test rows."""
    found = []
    with fitted_trials(data, train, test, seconds) as fitted:
        p, codes = fitted.out_of_fold()
        unseen, multiplied = fitted.unseen(fitted.trials), fitted.unseen(fitted.trials, geometric=True)
        linear = np.array([is_linear(trial.proposal.graph) for trial in fitted.trials])
        families = np.array([family_of(trial) for trial in fitted.trials])
        for label, weigh in WAYS.items():
            shares = weigh(p, codes) if label != "best linear trial" else only(best(p, codes, linear), len(p))
            for suffix in ("", " + calibration"):
                mixed = combine(unseen, shares)
                if suffix:
                    mixed = fit_calibration(combine(p, shares), codes).apply(mixed)
                values = fitted.scores(mixed, METRICS)
                found.append({"weights": label + suffix, "trials": len(p), **values})
        for pooling, answers in ((MEAN, unseen), (GEOMETRIC, multiplied)):
            limits = limits_of(len(codes), fitted.run.objective, LARGEST_ENSEMBLE, quick=pooling == MEAN)
            shares = select_ensemble(p, codes, families=families, **limits)
            calibration = fit_calibration(combine(p, shares, pooling), codes)
            values = fitted.scores(calibration.apply(combine(answers, shares, pooling)), METRICS)
            used = np.count_nonzero(shares)
            found.append({"weights": DELIVERED[pooling], "trials": used, **values})
    return found


def losses(p: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return get_objective("log_loss").losses(p, codes)


def best(p: np.ndarray, codes: np.ndarray, among: np.ndarray | None = None) -> int:
    found = losses(p, codes)
    return int(np.argmin(found if among is None else np.where(among, found, np.inf)))


def only(chosen: int | np.ndarray, n: int) -> np.ndarray:
    weights = np.zeros(n)
    weights[chosen] = 1.0
    return weights / weights.sum()


def bagged_greedy(p: np.ndarray, codes: np.ndarray, bags: int = 20, picks: int = 6) -> np.ndarray:
    """Caruana et al. 2004: greedy with replacement, from a random third of the trials, averaged."""
    rng = np.random.default_rng(0)
    q = p[:, np.arange(len(codes)), codes]
    counts = np.zeros(len(p))
    for _ in range(bags):
        bag = rng.choice(len(p), max(picks, len(p) // 3), replace=False)
        total = np.zeros(len(codes))
        for pick in range(1, picks + 1):
            chosen = bag[np.log(np.clip((total + q[bag]) / pick, 1e-7, 1)).sum(axis=1).argmax()]
            total += q[chosen]
            counts[chosen] += 1
    return counts / counts.sum()


def stacking(p: np.ndarray, codes: np.ndarray, prior: float = 0.05) -> np.ndarray:
    """Mixture weights by expectation-maximisation with a Dirichlet prior (Yao et al. 2018, section 3.1)."""
    q = np.clip(p[:, np.arange(len(codes)), codes], 1e-7, 1)
    weights = np.full(len(p), 1.0 / len(p))
    for _ in range(200):
        weights = weights * (q / (weights @ q)).sum(axis=1) + prior
        weights /= weights.sum()
    return weights


WAYS: dict[str, Weights] = {
    "best linear trial": lambda p, codes: only(0, len(p)),
    "best trial": lambda p, codes: only(best(p, codes), len(p)),
    "plain mean of all": lambda p, codes: np.full(len(p), 1.0 / len(p)),
    "plain mean of the best 30": lambda p, codes: only(np.argsort(losses(p, codes))[:30], len(p)),
    "bagged greedy": bagged_greedy,
    "stacking with prior": stacking,
    **{
        f"evidence / {d}": (lambda p, codes, d=d: select_ensemble(p, codes, discount=d, largest=len(p)))
        for d in (1, 2, 4, 8, 16, 32)
    },
}


if __name__ == "__main__":
    main()
