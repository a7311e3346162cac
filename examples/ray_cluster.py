"""Trials of one search on all machines of a Ray cluster.

    ray start --head                     # on the first machine
    ray start --address=FIRST:6379       # on each of the others
    python examples/ray_cluster.py --address auto --out runs/cluster

Without ``--address`` Ray runs on this machine alone. GenoKeras and Ray (``pip install "genokeras[ray]"``) have to be installed on all
machines; the run folder is on the one where this script runs. A machine that is lost costs no trial: what it was at is trained
elsewhere. On machines with graphics cards ``--gpus 0.25`` puts four workers on each card.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import genokeras as gk

DATA = Path(__file__).parent / "data" / "golub_leukemia.tsv.gz"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", help="auto, or ray://HOST:10001")
    parser.add_argument("--workers", type=int, help="as many as the cluster has room for, without it")
    parser.add_argument("--gpus", type=float, default=0.0, help="share of a graphics card for each worker")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("runs/cluster"))
    arguments = parser.parse_args()

    clf = gk.GenomeClassifier(
        arguments.out,
        time_limit=None,
        max_trials=arguments.trials,
        random_state=0,
        executor="ray",
        executor_args={
            "address": arguments.address,
            "workers": arguments.workers,
            "num_gpus": arguments.gpus,
        },
    ).fit(DATA, "label")
    print(clf.leaderboard().head(5).to_string(index=False))
    print(f"{clf.n_trials_} trials; {clf.estimate_['metric']} {clf.estimate_['value']:.3f}")


if __name__ == "__main__":
    main()
