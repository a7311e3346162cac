"""How good: outer cross-validation of GenoKeras and its peers over a folder of sets.

    python -m benchmarks.quality run --data ../shared/data --results quality.jsonl [--tools ...] [--sets ...]
    python -m benchmarks.quality table --results quality.jsonl
    python -m benchmarks.quality pictures --results quality.jsonl [MORE.jsonl ..] --out FOLDER
    python -m benchmarks.quality ablation --data ../shared/data --results ablation.jsonl --seconds 20 --seeds 3
    python -m benchmarks.quality peers --envs FOLDER [autogluon autokeras celltypist flaml]
    python -m benchmarks.quality enas tau --data ../shared/data --results enas.jsonl

``run`` appends a JSON line a set, tool and outer fold and can be stopped and started again; ``table`` prints means over
cohorts, ranks, and how far each tool's own estimate was from the truth; ``peers`` makes the environments of those peers
that need one of their own, which ``run --envs FOLDER --tools autogluon ...`` then uses. ``pictures``, ``ablation`` (what the
search adds) and ``enas`` (what shared weights are worth) have arguments of their own: see their ``--help``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.quality import ablation, enas, pictures
from benchmarks.quality.evaluate import Plan, evaluate, read_lines
from benchmarks.quality.peers import PEERS, find_peers, install_peers
from benchmarks.quality.sets import find_sets, read_set
from benchmarks.quality.table import frame_of, show
from benchmarks.quality.tools import BALANCED, TOOLS

WITH_OWN_ARGUMENTS = {"pictures": pictures.main, "ablation": ablation.main, "enas": enas.main}


def main() -> None:
    if sys.argv[1:] and sys.argv[1] in WITH_OWN_ARGUMENTS:
        return WITH_OWN_ARGUMENTS[sys.argv[1]](sys.argv[2:])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "table", "peers", *WITH_OWN_ARGUMENTS])
    parser.add_argument("peer", nargs="*", help="of the command peers; default: all of them")
    parser.add_argument("--data", type=Path, help="folder of npz and h5ad files")
    parser.add_argument("--results", type=Path, default=Path("quality.jsonl"))
    parser.add_argument(
        "--tools", nargs="+", choices=sorted({*TOOLS, *BALANCED, *PEERS}), default=sorted(TOOLS)
    )
    parser.add_argument("--envs", type=Path, help="folder with the environments of peers")
    parser.add_argument("--sets", nargs="+", help="default: all of the folder")
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--folds", type=int, default=5, help="use the first FOLDS of the five outer folds")
    parser.add_argument("--shuffle", action="store_true", help="labels shuffled: nothing is to be found")
    parser.add_argument("--label", help="name under which the results of the (single) tool are kept")
    arguments = parser.parse_intermixed_args()
    if arguments.command == "peers":
        return install_peers(arguments.peer, arguments.envs)
    if arguments.peer:
        parser.error(f"unrecognized arguments: {' '.join(arguments.peer)}")
    if arguments.command == "run":
        run(arguments)
    print(show(frame_of(read_lines(arguments.results), arguments.shuffle)))


def run(arguments: argparse.Namespace) -> None:
    """Set by set, so that an interrupted run has whole sets."""
    if arguments.data is None:
        raise SystemExit("run needs --data, a folder of npz and h5ad files")
    peers = {name: peer.fit for name, peer in find_peers(arguments.tools, arguments.envs).items()}
    tools = {**TOOLS, **BALANCED, **peers}
    plan = Plan(arguments.seconds, arguments.folds, arguments.shuffle)
    for name in find_sets(arguments.data, arguments.sets):
        data = read_set(arguments.data, name)
        for tool in arguments.tools:
            label = arguments.label or tool
            for line in evaluate(data, label, tools[tool], plan, arguments.results):
                print(
                    f"{name:22} {label:12} fold {line['fold']}  balanced accuracy {line['balanced_accuracy']:.3f}  "
                    f"log loss {line['log_loss']:.3f}  {line['fit_seconds']:.1f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
