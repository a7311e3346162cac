"""How good at survival: GenoKeras and the best of tuned peers of scikit-survival, five outer folds stratified by event.

    python -m benchmarks.quality.survival --data ../shared/data --results survival.jsonl [--sets ...] [--seconds 60] [--folds 5]
    python -m benchmarks.quality.survival table --results survival.jsonl
    python -m benchmarks.quality.survival shuffled --data ../shared/data --results shuffled.jsonl [--shuffles 10] [--sets ...]

Appends a JSON line a set, tool and outer fold, and leaves out those that are there, so that it can be stopped and started again. Both sides are
judged by scikit-survival on the same rows: Harrell's and Uno's C-index, the integrated Brier score and the mean time-dependent AUC, the
censoring being that of the whole set. The peer has no time limit: see ``survival_peers``. ``shuffled`` fits whole sets whose times and events
are dealt out anew, and counts how often the interval of the own estimate holds one half.

Defaults were chosen on lung_beer, breast_vantveer and breast_nki70; the two ovarian sets are reported.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.survival_peers import FAMILIES, as_survival, tune
from benchmarks.speed.machine import describe_machine
from genokeras.estimators import GenomeSurvival

GENOKERAS, PEER = TOOLS = ("genokeras", "peer")
SETS = {
    "survival_ovarian_4cohort_os": True,
    "survival_ovarian_4cohort_relapse": True,
    "survival_lung_beer": False,
    "survival_breast_vantveer": False,
    "survival_breast_nki70": False,
}
MEASURES = ("c_index", "c_index_uno", "integrated_brier", "auc")
OUTER_FOLDS, OUTER_SEED, TIMES = 5, 0, 15


@dataclass(frozen=True, eq=False)
class SurvivalSet:
    """One set: ``x`` ``(n, p)``, and times and events as scikit-survival has them; samples with a time of 0 are left out."""

    name: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer:
    """Risks and curves ``(m, times)`` of the test rows, the C-index a tool expected of itself, and facts worth keeping."""

    risk: np.ndarray
    curves: np.ndarray
    estimate: float
    facts: dict[str, Any]


# Fits to rows and predicts others: (x, y, x_test, times, seconds).
Tool = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], Answer]


def read_set(folder: Path, name: str) -> SurvivalSet:
    """A set of a folder."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        x, at, event = file["X"], file["time"].astype("float64"), file["event"]
    kept = at > 0
    return SurvivalSet(name, x[kept].astype("float32"), as_survival(at[kept], event[kept]))


def genokeras(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, times: np.ndarray, seconds: float) -> Answer:
    """GenoKeras with its defaults."""
    folder = tempfile.mkdtemp(prefix="genokeras-benchmark-")
    model = GenomeSurvival(f"{folder}/run", time_limit=seconds, random_state=0, verbose=0).fit(x, y)
    own = model.estimate_
    facts = {name: own[name] for name in ("interval", "linear_baseline", "uncorrected")}
    facts |= {"trials": model.n_trials_, "stop_reason": model.stop_reason_}
    facts["own_brier"] = own["also"]["integrated_brier"]["value"]
    found = Answer(model.predict(x_test), model.predict_survival_function(x_test, times), own["value"], facts)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def peer(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, times: np.ndarray, seconds: float) -> Answer:
    """The family with the best C-index in inner cross-validation; the risks of all are kept."""
    tuned = tune(x, y, x_test, times, FAMILIES)
    chosen = max(tuned, key=lambda name: tuned[name]["inner"])
    best = tuned[chosen]
    facts = {
        "chosen": chosen,
        "families": {
            name: {"inner": round(found["inner"], 4), "settings": found["settings"]}
            for name, found in tuned.items()
        },
        "risks": {name: [float(f"{value:.5g}") for value in found["risk"]] for name, found in tuned.items()},
    }
    return Answer(best["risk"], best["curves"], best["inner"], facts)


def judged(whole: np.ndarray, test: np.ndarray, answer: Answer, times: np.ndarray) -> dict[str, float]:
    """The four measures, by scikit-survival."""
    from sksurv import metrics

    tau = float(np.quantile(test["time"], 0.9))
    auc = metrics.cumulative_dynamic_auc(whole, test, answer.risk, times)[0]
    found = (
        metrics.concordance_index_censored(test["event"], test["time"], answer.risk)[0],
        metrics.concordance_index_ipcw(whole, test, answer.risk, tau)[0],
        metrics.integrated_brier_score(whole, test, answer.curves, times),
        float(np.nanmean(auc)),
    )
    return {name: round(float(value), 4) for name, value in zip(MEASURES, found, strict=True)}


def judging_times(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Times of events of the training rows that lie well within the test rows' follow-up."""
    events = train["time"][train["event"]]
    first = max(np.quantile(events, 0.1), test["time"][test["event"]].min() * 1.001)
    last = min(np.quantile(events, 0.9), np.quantile(test["time"], 0.9))
    return np.linspace(first, last, TIMES)


def evaluate_set(
    data: SurvivalSet, tools: dict[str, Tool], seconds: float, count: int, results: Path
) -> Iterator[dict[str, Any]]:
    """Run the tools on the first ``count`` of five outer folds, appending a line for each that is not in ``results`` yet."""
    done = {(line["set"], line["fold"], line["tool"], line["seconds"]) for line in read_lines(results)}
    outer = StratifiedKFold(OUTER_FOLDS, shuffle=True, random_state=OUTER_SEED)
    for number, (train, test) in enumerate(outer.split(data.x, data.y["event"])):
        times = judging_times(data.y[train], data.y[test])
        for name, tool in tools.items():
            limit = None if name == PEER else seconds
            if number >= count or (data.name, number, name, limit) in done:
                continue
            started = time.perf_counter()
            answer = tool(data.x[train], data.y[train], data.x[test], times, seconds)
            line = {
                **{"set": data.name, "fold": number, "tool": name, "seconds": limit},
                **judged(data.y, data.y[test], answer, times),
                "estimate": round(answer.estimate, 4),
                "fit_seconds": round(time.perf_counter() - started, 1),
                **answer.facts,
                "machine": describe_machine(),
            }
            _append(results, line)
            yield line


def shuffled(data: SurvivalSet, seconds: float, shuffles: int, results: Path) -> Iterator[dict[str, Any]]:
    """GenoKeras on whole sets whose times and events are dealt out anew."""
    done = {(line["set"], line["shuffle"], line["seconds"]) for line in read_lines(results)}
    for number in range(shuffles):
        if (data.name, number, seconds) in done:
            continue
        y = data.y[np.random.default_rng(number).permutation(len(data.y))]
        answer = genokeras(data.x, y, data.x[:2], np.array([float(np.median(y["time"]))]), seconds)
        low, high = answer.facts["interval"]
        line = {"set": data.name, "shuffle": number, "seconds": seconds, "estimate": answer.estimate}
        line |= {
            "interval": [low, high],
            "holds_half": bool(low <= 0.5 <= high),
            "trials": answer.facts["trials"],
        }
        _append(results, line)
        yield line


def _append(results: Path, line: dict[str, Any]) -> None:
    with results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def table(lines: list[dict[str, Any]]) -> str:
    """Means over the outer folds that both tools have, differences, and averages over the sets; of shuffled sets how many intervals hold one half."""
    if lines and "shuffle" in lines[0]:
        held = [line["holds_half"] for line in lines]
        return f"{sum(held)} of {len(held)} intervals hold one half"
    frame = pd.DataFrame(lines)
    frame["tool"] = [
        name if pd.isna(limit) else f"{name} {limit:g} s"
        for name, limit in zip(frame["tool"], frame["seconds"], strict=True)
    ]
    both = frame.groupby(["set", "fold"])["tool"].transform("nunique") == frame["tool"].nunique()
    frame = frame[both]
    if frame.empty:
        return "no outer fold has both tools yet"
    columns = [*MEASURES, "estimate", "fit_seconds"]
    means = frame.groupby(["set", "tool"])[columns].mean()
    means["estimate - c_index"] = means["estimate"] - means["c_index"]
    parts = [means.round(4).to_string()]
    for reported, title in ((True, "reported sets"), (False, "sets to choose on"), (None, "all sets")):
        some = [
            name
            for name in means.index.get_level_values("set").unique()
            if reported is None or SETS[name] == reported
        ]
        if some:
            averaged = means.loc[some].groupby(level="tool").mean().round(4)
            parts.append(f"{title} ({len(some)}):\n{averaged.to_string()}")
    return "\n\n".join(parts)


def main() -> None:
    """Print what each fold gave, append a line for it, and print the tables at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["run", "table", "shuffled"], default="run")
    parser.add_argument("--data", type=Path, help="folder of npz files")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--results", type=Path, default=Path("survival.jsonl"), help="JSON lines")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--folds", type=int, default=OUTER_FOLDS, help="the first of the five outer folds")
    parser.add_argument("--shuffles", type=int, default=10)
    arguments = parser.parse_args()
    if arguments.command != "table":
        if arguments.data is None:
            raise SystemExit(f"{arguments.command} needs --data, a folder of npz files")
        _run(arguments)
    print(table(read_lines(arguments.results)))


def _run(arguments: argparse.Namespace) -> None:
    """Set by set, so that an interrupted run has whole sets."""
    known: dict[str, Tool] = {GENOKERAS: genokeras, PEER: peer}
    for name in arguments.sets:
        data = read_set(arguments.data, name)
        if arguments.command == "shuffled":
            found = shuffled(data, arguments.seconds, arguments.shuffles, arguments.results)
        else:
            tools = {tool: known[tool] for tool in arguments.tools}
            found = evaluate_set(data, tools, arguments.seconds, arguments.folds, arguments.results)
        for line in found:
            kept = {key: value for key, value in line.items() if key not in ("machine", "families", "risks")}
            print(json.dumps(kept), flush=True)


if __name__ == "__main__":
    main()
