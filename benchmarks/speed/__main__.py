"""How fast: ``python -m benchmarks.speed [trials] [rowspace] [budget] [cells] [project] [enas] [explain] [reading] [views] [executors]``; each prints both sides of one run and their ratio.

trials      trained networks a minute of ``GenomeClassifier.fit`` against a loop that builds, compiles and fits the same
            architectures fold by fold with plain Keras, on the bundled leukemia data
rowspace    seconds a training step in row space against the full space, 100 x 23,361
budget      where the seconds of one ``fit`` go
cells       single-cell scale: memory and accuracy of one ``fit``, rows a second of an epoch against plain Keras
project     a JSON project's training against plain Keras ``fit`` on 104 x 22,283, and the seconds of a whole project on
            100 x 10,000; ``--data`` is the folder of both sets
enas        arcs scored a minute by shared weights against arcs trained one by one, 100 x 10,000
reading     seconds to read 60,000 genes x 500 samples of tsv.gz and a 10x folder of 10,000 cells, and to refuse 7,129 columns
            of text, beside the parsers alone
views       seconds of processor that the views of ``--cells`` sparse samples of ``--genes`` take, against scikit-learn's TruncatedSVD
executors   trials a minute of one and of two worker processes of one thread each on ``--data``, seconds of 1,000 trials that train nothing,
            and, with ``--kills 10``, searches on a Ray cluster of three machines, one of which is killed on the way
explain     seconds to explain 80 samples of ``--data``, a table or an npz file, against shap.GradientExplainer
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.speed import (
    budget,
    cells,
    enas,
    executors,
    explain,
    project,
    reading,
    rowspace,
    trials,
    views,
)
from benchmarks.speed.machine import describe_machine

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "trials": trials.main,
    "rowspace": rowspace.main,
    "budget": budget.main,
    "cells": cells.main,
    "project": project.main,
    "enas": enas.main,
    "explain": explain.main,
    "reading": reading.main,
    "views": views.main,
    "executors": executors.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: trials and rowspace")
    parser.add_argument(
        "--data", default="examples/data/golub_leukemia.tsv.gz", help="table with a column 'label'"
    )
    parser.add_argument(
        "--seconds", type=float, default=60, help="time limit of the fit and of the plain loop"
    )
    parser.add_argument("--cells", type=int, default=100_000, help="rows of the single-cell matrix")
    parser.add_argument("--genes", type=int, default=2_000, help="its columns")
    parser.add_argument("--kills", type=int, default=0, help="searches on Ray of which a machine is killed")
    arguments = parser.parse_args()
    print(describe_machine())
    for part in arguments.parts or ["trials", "rowspace"]:
        PARTS[part](arguments)


if __name__ == "__main__":
    main()
