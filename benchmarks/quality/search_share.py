"""What a search spends its trials on, and what comes of it: shares of grown trials, lineages, graphs, compilations.

    python -m benchmarks.quality.search_share --data ../shared/data [--sets ...] [--seconds 60] [--folds 2] [--seeds 0] [--out F.jsonl]
    python -m benchmarks.quality.search_share RUN [RUN ..]

Fits GenoKeras with its defaults, each fit in a process of its own, or reads run folders of finished fits. Only files of the run folder
are read, and they are read without GenoKeras, so that this file gives the same figures when it is copied into an older checkout: run it
in both with the same arguments.

trials       all, failed ones included
grown        share of the trials beyond the initial design that are children made by morphism (replicates of one are none)
surrogate    share of these children that the surrogate chose
depth        morphisms that follow each other in the longest lineage, every generation counted once
graphs/min   different graphs a minute (isomorphic ones are one); shapes/min: views that inputs name disregarded
compiled     programs compiled in the fit
ensemble     share of the delivered weights that is of grown graphs
single       log loss of the held-out rows by the single best model, as the search chooses it and as it is handed out
calibrated   the same of this model where its answers are sharpened by the out-of-fold answers of its trial, on both sides
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import balanced_accuracy_score

from benchmarks.quality.evaluate import outer_folds, read_lines
from benchmarks.quality.sets import read_set
from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier
from genokeras.training import PackedTrainer

CHOOSING = [
    "alon_colon",
    "gravier_breast",
    "nutt_glioma",
    "tox171",
    "yeoh_all_subtypes",
    "shipp_dlbcl",
    "pomeroy_cns_outcome",
    "ramaswamy_gcm14",
]
# What the origins of trials begin with.
DESIGN, SURROGATE, REPLICATE = ("father:", "design"), "bayesian", "replicate"
KEY = ("set", "fold", "seed", "seconds")
_FEWEST_GENERATIONS = 3


# ---- reading a run folder


def facts_of(folder: Path, seconds: float | None = None, compilations: int | None = None) -> dict[str, Any]:
    """What the trials of a finished run say of its search; None where it cannot be known.

    Parameters
    ----------
    folder : Path
        The run's.
    seconds : float, optional
        How long the fit took.
    compilations : int, optional
        As counted around the fit; otherwise what the journal says.
    """
    trials = read_trials(folder)
    beyond = [trial for trial in trials if not str(trial["proposal"]["origin"]).startswith(DESIGN)]
    children = [trial for trial in beyond if is_child(trial)]
    chosen = [trial for trial in children if str(trial["proposal"]["origin"]).startswith(SURROGATE)]
    graphs, shapes = (_count_graphs(trials, views) for views in (True, False))
    minutes = None if seconds is None else seconds / 60
    return {
        "trials": len(trials),
        "failed": sum(trial["status"] == "failed" for trial in trials),
        "beyond": len(beyond),
        "grown": _share(len(children), len(beyond)),
        "surrogate": _share(len(chosen), len(children)),
        "replicates": sum(_is_replicate(trial) for trial in trials),
        "depth": max(generations(trials).values(), default=0),
        "graphs": graphs,
        "shapes": shapes,
        "graphs_a_minute": None if minutes is None else graphs / minutes,
        "shapes_a_minute": None if minutes is None else shapes / minutes,
        "compilations": _journalled(folder) if compilations is None else compilations,
        "ensemble": _grown_weight(folder, trials),
    }


def read_trials(folder: Path) -> list[dict[str, Any]]:
    """The records of all trials, by id."""
    files = sorted((folder / "trials").glob("*/graph.json"))
    trials = [json.loads(file.read_text(encoding="utf-8"))["trial"] for file in files]
    return sorted(trials, key=lambda trial: trial["id"])


def is_child(trial: Mapping[str, Any]) -> bool:
    """Whether a trial was made from another one by morphism, and is not only trained again."""
    return bool(trial["proposal"]["morphisms"]) and not _is_replicate(trial)


def _is_replicate(trial: Mapping[str, Any]) -> bool:
    return str(trial["proposal"]["origin"]).startswith(REPLICATE)


def generations(trials: list[dict[str, Any]]) -> dict[int, int]:
    """Trial id to the number of its ancestors, itself included, that are children made by morphism."""
    found: dict[int, int] = {}
    # A father is older than its children.
    for trial in trials:
        found[trial["id"]] = found.get(trial["proposal"]["father"], 0) + is_child(trial)
    return found


def digest(graph: Mapping[str, Any], views: bool = True) -> str:
    """Text that isomorphic graphs share, by colour refinement (Weisfeiler & Leman 1968) of the written layers.

    Parameters
    ----------
    graph : mapping
        As in ``graph.json``; its layers stand behind those that they read.
    views : bool
        Whether graphs whose inputs name different views differ.
    """
    layers = graph["layers"]
    left_out = {"id", "inputs"} if views else {"id", "inputs", "view"}
    colours = {la["id"]: _hash({k: v for k, v in la.items() if k not in left_out}) for la in layers}
    for _ in layers:
        up: dict[int, str] = {}
        for layer in layers:
            sources = [up[source] for source in layer["inputs"]]
            up[layer["id"]] = _hash([colours[layer["id"]], _ordered(layer, sources)])
        down = {layer["id"]: [colours[layer["id"]]] for layer in layers}
        for layer in layers:
            for place, source in enumerate(layer["inputs"]):
                down[source].append(_hash([up[layer["id"]], 0 if layer["kind"] == "add" else place]))
        refined = {id: _hash([up[id], sorted(down[id])]) for id in colours}
        settled = len(set(refined.values())) == len(set(colours.values()))
        colours = refined
        if settled:
            break
    return _hash(sorted(colours.values()))


def _ordered(layer: Mapping[str, Any], sources: list[str]) -> list[str]:
    return sorted(sources) if layer["kind"] == "add" else sources


def _hash(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()


def _count_graphs(trials: list[dict[str, Any]], views: bool) -> int:
    # Most trials share their graph with others as it is written.
    written = {json.dumps(trial["proposal"]["graph"], sort_keys=True) for trial in trials}
    return len({digest(json.loads(text), views) for text in written})


def _grown_weight(folder: Path, trials: list[dict[str, Any]]) -> float | None:
    """Weight of the trials in the ensemble whose graph some child brought, be it trained again or with other rates."""
    result = folder / "result.json"
    if not result.exists():
        return None
    made = {id for id, depth in generations(trials).items() if depth}
    graphs = {trial["id"]: json.dumps(trial["proposal"]["graph"], sort_keys=True) for trial in trials}
    grown = {graphs[id] for id in made}
    shares = json.loads(result.read_text(encoding="utf-8"))["shares"]
    return float(sum(share for id, share in shares.items() if graphs[int(id)] in grown))


def _journalled(folder: Path) -> int | None:
    """The number of compilations that the journal's events say, if any does."""
    journal = folder / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    counts = [event["compilations"] for event in map(json.loads, lines) if "compilations" in event]
    return max(counts, default=None)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# ---- fits


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call in a new process, so that nothing an earlier fit compiled is there."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def warm_up() -> None:
    """A process's first fit pays for the start of the backend, which is no search's fault."""
    x = np.random.default_rng(0).normal(size=(24, 12)).astype("float32")
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        GenomeClassifier(f"{folder}/run", folds=2, max_trials=2, verbose=0).fit(x, np.arange(24) % 2)


@contextmanager
def counted_compilations() -> Iterator[Callable[[], int]]:
    """Count what packed trainers compile, from outside, so that a checkout that does not write it down counts alike."""
    made: list[PackedTrainer] = []
    original = PackedTrainer.__init__

    def remember(self: PackedTrainer, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        made.append(self)

    type.__setattr__(PackedTrainer, "__init__", remember)
    try:
        yield lambda: sum(trainer.compilations for trainer in made)
    finally:
        type.__setattr__(PackedTrainer, "__init__", original)


def one_fit(data: Path, name: str, fold: int, seed: int, seconds: float) -> dict[str, Any]:
    """Fit the defaults to the training rows of one outer fold: facts of the search, and scores of the held-out rows."""
    held = read_set(data, name)
    train, test = list(outer_folds(held, 5))[fold]
    groups = None if held.groups is None else held.groups[train]
    warm_up()
    with tempfile.TemporaryDirectory(prefix="quality-") as folder, counted_compilations() as compiled:
        started = time.perf_counter()
        clf = GenomeClassifier(f"{folder}/run", time_limit=seconds, random_state=seed, verbose=0)
        clf.fit(held.x[train], held.codes[train], groups=groups)
        fit_seconds = time.perf_counter() - started
        p = np.asarray(clf.predict_proba(held.x[test]), dtype="float64")
        facts = facts_of(Path(folder) / "run", fit_seconds, compiled())
        truth, classes = held.codes[test], np.asarray(clf.classes_)
        searcher = clf.load_searcher()
        best = searcher.load_best_model().produce_keras_model(weights=True)
        alone = np.asarray(best.predict(held.x[test], verbose=0), dtype="float64")
        file = Path(folder) / f"run/trials/{searcher.get_best_model_id():06d}/predictions.npz"
        sharper = sharpened(
            alone, np.load(file)["probabilities"], np.searchsorted(classes, held.codes[train])
        )

    def log_loss(answers: np.ndarray) -> float:
        own = np.where(classes == truth[:, None], answers, 0).sum(axis=1)
        return float(-np.log(np.clip(own, 1e-7, 1)).mean())

    scores = {
        "log_loss": log_loss(p),
        "single_log_loss": log_loss(alone),
        "calibrated_log_loss": log_loss(sharper),
        "balanced_accuracy": float(balanced_accuracy_score(truth, classes[p.argmax(axis=1)])),
    }
    return {**scores, "fit_seconds": fit_seconds, **facts}


def sharpened(answers: np.ndarray, out_of_fold: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Probabilities to the power that suits a trial's out-of-fold ones, by log loss with a normal prior on the power's logarithm."""
    own = np.isfinite(out_of_fold).all(axis=1)
    logs, codes = np.log(np.clip(out_of_fold[own], 1e-7, 1)), codes[own]

    def power(logarithm: float, logs: np.ndarray) -> np.ndarray:
        raised = np.exp(np.exp(logarithm) * (logs - logs.max(axis=1, keepdims=True)))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def loss(logarithm: float) -> float:
        true = power(logarithm, logs)[np.arange(len(codes)), codes]
        return float(-np.log(np.clip(true, 1e-30, 1)).sum() + 5 * logarithm**2)

    best = minimize_scalar(loss, bounds=(-1.2, 0.6), method="bounded").x
    doubt = 1 / (len(codes) + 1)
    return (1 - doubt) * power(best, np.log(np.clip(answers, 1e-7, 1))) + doubt / answers.shape[1]


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line for each fit that the results lack."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    for name in arguments.sets:
        for fold in range(arguments.folds):
            for seed in arguments.seeds:
                key = (name, fold, seed, arguments.seconds)
                if key in done:
                    continue
                found = apart(one_fit, arguments.data, name, fold, seed, arguments.seconds)
                line = {**dict(zip(KEY, key, strict=True)), **found, "machine": describe_machine()}
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                yield line


# ---- the table

_COLUMNS = {
    "trials": ("trials", "6.0f"),
    "grown": ("grown", "6.2f"),
    "surrogate": ("surrogate", "9.2f"),
    "depth": ("depth", "5.1f"),
    "graphs_a_minute": ("graphs/min", "10.1f"),
    "shapes_a_minute": ("shapes/min", "10.1f"),
    "compilations": ("compiled", "8.1f"),
    "ensemble": ("ensemble", "8.2f"),
}


def header() -> str:
    return f"{'fit':26}" + "".join(f" {title:>{_width(form)}}" for title, form in _COLUMNS.values())


def row(label: str, facts: Mapping[str, Any]) -> str:
    """One fit, or means; what is unknown is a dash."""
    cells = [
        f" {'-':>{_width(form)}}" if facts[name] is None else f" {facts[name]:{form}}"
        for name, (_, form) in _COLUMNS.items()
    ]
    return f"{label:26}" + "".join(cells)


def _width(form: str) -> int:
    return int(form.split(".")[0])


def summary(lines: list[dict[str, Any]]) -> str:
    """Means over fits, and in how many there is a lineage of three generations."""
    means = {name: _mean([line[name] for line in lines]) for name in _COLUMNS}
    deep = sum(line["depth"] >= _FEWEST_GENERATIONS for line in lines)
    text = f"{row('mean', means)}\nlineages of {_FEWEST_GENERATIONS} generations or more: {deep} of {len(lines)} fits"
    for name in ("log_loss", "single_log_loss", "calibrated_log_loss", "balanced_accuracy"):
        if all(name in line for line in lines):
            text += (
                f"\n{name.replace('_', ' ')} of held-out rows: {_mean([line[name] for line in lines]):.4f}"
            )
    return text


def _mean(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.search_share",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="*", type=Path, help="run folders of finished fits")
    parser.add_argument("--data", type=Path, help="folder of npz files: fit these sets")
    parser.add_argument("--sets", nargs="+", default=CHOOSING)
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--folds", type=int, default=2, help="use the first FOLDS of the five outer folds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("search_share.jsonl"))
    arguments = parser.parse_intermixed_args(argv)
    print(header())
    for folder in arguments.runs:
        print(row(str(folder)[-26:], facts_of(folder)))
    if arguments.data is not None:
        for line in run(arguments):
            print(row(f"{line['set']} {line['fold']} {line['seed']}", line), flush=True)
    lines = [line for line in read_lines(arguments.out) if line["seconds"] == arguments.seconds]
    if lines and not arguments.runs:
        print(summary(lines))


if __name__ == "__main__":
    main()
