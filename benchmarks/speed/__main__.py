"""How fast: ``python -m benchmarks.speed [trials] [rowspace] [budget] [cells] [project] [enas] [explain] [reading] [views]``; each prints both sides of one run and their ratio.

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
explain     seconds to explain 80 samples of ``--data``, a table or an npz file, against shap.GradientExplainer
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.speed import budget, cells, enas, explain, project, reading, rowspace, trials, views
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
    arguments = parser.parse_args()
    print(describe_machine())
    for part in arguments.parts or ["trials", "rowspace"]:
        PARTS[part](arguments)


if __name__ == "__main__":
    main()
