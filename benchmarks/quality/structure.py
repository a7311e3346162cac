"""Where structure matters: morphism under Bayesian guidance against random templates, random morphism and peers, same time.

    python -m benchmarks.quality.structure --data ../shared/data [--sets ...] [--seconds 60] [--seeds 0 1 2] [--out structure.jsonl]
    python -m benchmarks.quality.structure table [--out structure.jsonl]

Six planted tasks and four real sets (see ``structure_sets``). A seed says which rows are held out, which no arm sees, and drives the
search. Appends a JSON line a set, seed and arm, and leaves out those that are there, so that it can be stopped and started again.
Every fit has a process of its own, whose backend has started before the clock does: nothing that one arm compiled is there for the next. Peers (linear, forest, boosting) have no time limit. Losses are log losses; of brain age 1 - R2.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.search_share import apart
from benchmarks.quality.structure_fits import ALL_ARMS, PEERS, one_line
from benchmarks.quality.structure_sets import NAMES
from benchmarks.quality.structure_table import show
from benchmarks.speed.machine import describe_machine

KEY = ("set", "seed", "arm", "seconds")
Fit = Callable[[Path | None, str, int, str, float | None], dict[str, Any]]


def apart_fit(folder: Path | None, name: str, seed: int, arm: str, seconds: float | None) -> dict[str, Any]:
    """`one_line` in a process of its own."""
    found: dict[str, Any] = apart(one_line, folder, name, seed, arm, seconds)
    return found


def run(arguments: argparse.Namespace, fit: Fit = apart_fit) -> Iterator[dict[str, Any]]:
    """A line for each fit that the results lack; arms to be compared follow each other, in turns."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    for name in arguments.sets:
        for seed in arguments.seeds:
            for arm in _in_turns(arguments.arms, seed):
                key = (name, seed, arm, None if arm in PEERS else arguments.seconds)
                if key in done:
                    continue
                found = fit(arguments.data, *key)
                line = {**dict(zip(KEY, key, strict=True)), **found, "machine": describe_machine()}
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                yield line


def _in_turns(arms: list[str], seed: int) -> list[str]:
    """Another arm begins with each seed, so that a machine that slows down hurts all alike."""
    start = seed % len(arms)
    return [*arms[start:], *arms[:start]]


def describe(line: dict[str, Any]) -> str:
    """One fit as a line of text."""
    text = f"{line['set']:12} seed {line['seed']} {line['arm']:10} loss {line['loss']:.3f}"
    if line["arm"] not in PEERS:
        text += f"  single {line['single']:.3f}  {line['trials']:5d} trials, {line['graphs']} graphs"
    return f"{text}  {line['fit_seconds']:.1f} s"


def main(argv: list[str] | None = None) -> None:
    """Print what each fit gave, append a line for it, and print the tables at the end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.structure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=["run", "table"], default="run")
    parser.add_argument("--data", type=Path, help="folder of npz and h5ad files; planted sets need none")
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--arms", nargs="+", choices=ALL_ARMS, default=list(ALL_ARMS))
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("structure.jsonl"), help="JSON lines")
    arguments = parser.parse_args(argv)
    if arguments.command == "run":
        for line in run(arguments):
            print(describe(line), flush=True)
    print(show(read_lines(arguments.out), arguments.seconds))


if __name__ == "__main__":
    main()
