"""Runs far larger than usual: the ask behind 10,000 trials, opening a run of 100,000, the report of 1,000.

    python -m benchmarks.reliability.scale [--asked 10000] [--opened 100000] [--reported 1000]

The trials behind the ask are simulated, as in ``benchmarks.speed.proposals``. The runs are one small search whose trial folders stand there many times, with numbers
of their own; their arrays are links to the same files. A run that grew as runs do has its index when it ends; this one gets it when it is first opened.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import genokeras as gk
from benchmarks.reliability.workloads import genes
from benchmarks.speed.machine import describe_machine
from benchmarks.speed.proposals import noise_problem, pretended
from genokeras.searchers import BayesianSearcher, History, HyperSpace
from genokeras.support.journal import line_of

_SMALL, _ASKED_AT_ONCE, _PACK, _TIMED = 24, 240, 24, 3


def seconds_of_an_ask(trials: int) -> float:
    """For a pack, behind this number of trials: the mean of a few."""
    problem = noise_problem(80, 200)
    searcher = BayesianSearcher(2, space=HyperSpace(views=tuple(problem.widths)), inherit=False)
    rng, history = np.random.default_rng(0), History()
    while len(history) < trials:
        proposals = searcher.ask(history, min(_ASKED_AT_ONCE, trials - len(history)), rng)
        first = len(history)
        history = history.updated(pretended(first + i, proposal, rng) for i, proposal in enumerate(proposals))
    began = time.perf_counter()
    for _ in range(_TIMED):
        searcher.ask(history, _PACK, rng)
    return (time.perf_counter() - began) / _TIMED


def small_run(folder: Path) -> None:
    """A search of few trials."""
    gk.GenomeClassifier(folder, time_limit=None, max_trials=_SMALL, folds=2, random_state=1, verbose=0).fit(
        *genes()
    )


def enlarge(folder: Path, trials: int) -> None:
    """Add trials to a run, until there are so many: the ones that it has, once more and once more."""
    journal = folder / "journal.jsonl"
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    lines = {event["trial"]: event for event in events if event["event"] == "trial"}
    graphs = {
        number: json.loads((folder / "trials" / f"{number:06}" / "graph.json").read_text(encoding="utf-8"))
        for number in lines
    }
    added = []
    for number in range(len(lines), trials):
        source = number % len(lines)
        place, model = folder / "trials" / f"{number:06}", folder / "trials" / f"{source:06}"
        place.mkdir()
        for name in ("weights.npz", "predictions.npz"):
            os.link(model / name, place / name)
        graph = graphs[source]
        content = {**graph, "trial": {**graph["trial"], "id": number}}
        (place / "graph.json").write_text(json.dumps(content), encoding="utf-8")
        event = {name: value for name, value in lines[source].items() if name != "crc"}
        added.append(line_of({**event, "trial": number}))
    with journal.open("a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in added))


def opened(folder: Path, trials: int) -> tuple[gk.GenomeClassifier, float]:
    """The estimator of a run that has this number of trials, and the seconds that it took to load."""
    began = time.perf_counter()
    clf = gk.load_estimator(folder)
    seconds = time.perf_counter() - began
    assert len(clf.leaderboard()) == trials
    return clf, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asked", type=int, default=10_000, help="trials behind the ask; 0 leaves it out")
    parser.add_argument("--opened", type=int, default=100_000, help="trials of the run that is opened")
    parser.add_argument("--reported", type=int, default=1_000, help="trials of the run that is reported on")
    given = parser.parse_args()
    print(describe_machine())
    if given.asked:
        print(
            f"an ask of {_PACK} behind {given.asked:,} trials: {seconds_of_an_ask(given.asked):.2f} s",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as place:
        small = Path(place) / "small"
        small_run(small)
        for what, trials in (("report", given.reported), ("opening", given.opened)):
            if not trials:
                continue
            large = Path(place) / what
            shutil.copytree(small, large)
            enlarge(large, trials)
            clf, without = opened(large, trials)
            _, seconds = opened(large, trials)
            print(
                f"opening a run of {trials:,} trials: {seconds:.2f} s; from their own files, before there was an index: {without:.2f} s",
                flush=True,
            )
            if what == "report":
                began = time.perf_counter()
                clf.report(Path(place) / "report.html", explain=False)
                plain = time.perf_counter() - began
                began = time.perf_counter()
                clf.report(Path(place) / "report.html")
                print(
                    f"its report: {plain:.2f} s, with an explanation {time.perf_counter() - began:.2f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
