"""A search in a process of its own, which the tests stop: ``python -m tests.faults.searching FOLDER EXECUTOR ARGUMENTS TRIALS``."""

from __future__ import annotations

import json
import sys

import genokeras as gk
from tests.engine.tables import STEPS, table


def main(folder: str, executor: str, arguments: str, trials: str) -> None:
    x, y = table(40, 60)
    gk.GenomeClassifier(
        folder,
        time_limit=None,
        max_trials=int(trials),
        folds=2,
        searcher_args=STEPS,
        executor=executor,
        executor_args=json.loads(arguments),
        random_state=1,
        resume=True,
        verbose=0,
    ).fit(x, y)


if __name__ == "__main__":
    main(*sys.argv[1:])
