"""Several assays together: ``python -m benchmarks.quality.omics --data FOLDER [--planted] [--seconds 60] [--folds 5] [--sets ...]``.

Arms, on the same outer folds: ``all`` (GenoKeras with all blocks), ``only BLOCK`` (GenoKeras with one, same time limit),
``concatenation`` (L2 logistic regression on all columns side by side, C chosen by inner cross-validation, missing values filled with medians) and
``logistic BLOCK`` (the same on one). Where the split is published, that is the one fold. ``--planted`` adds made-up sets whose answer is the
sign of a product of a factor of one block and a factor of the other, which neither block, nor any linear model, can tell: ``planted_factors``,
which many genes follow, and ``planted_genes``, one gene each among 20 (at 60 trials and 133 training samples not found). Appends a JSON line a set, fold and arm, and leaves out those that are there. Beside our scores stand the run's own estimates for each block.

Published: balanced error of DIABLO on breast.TCGA .068 (published split, mrna and mirna) and .052 (10 x 10 folds of the training samples,
three blocks), Singh et al. 2019, Bioinformatics 35: 3055, and the vignette of mixOmics.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.tools import logistic
from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier

SEED = 0
ALL, CONCATENATION, ONLY, LOGISTIC = "all", "concatenation", "only ", "logistic "
# Name: file, labels, blocks (all by default), which samples.
REAL: dict[str, dict[str, Any]] = {
    "breast_split": {"file": "omics_breast_tcga", "blocks": ("mrna", "mirna"), "split": True},
    "breast_folds": {"file": "omics_breast_tcga", "train_only": True},
    "brca_pam50": {"file": "omics_brca_jive", "labels": "y_pam50"},
    "mouse_genotype": {"file": "omics_nutrimouse"},
    "mouse_diet": {"file": "omics_nutrimouse", "labels": "y_diet"},
    "scmt": {"file": "omics_scmt_mesc"},
}
PLANTED = ("planted_factors", "planted_genes")
PUBLISHED = {"breast_split": 1 - 0.068, "breast_folds": 1 - 0.052}
KEY = ("set", "fold", "arm", "seconds", "trials")


@dataclass(frozen=True)
class OmicsSet:
    """Blocks of the same samples.

    Attributes
    ----------
    blocks : dict of str to pandas.DataFrame
    y : numpy.ndarray
    test : numpy.ndarray or None
        ``(n,)`` bool of a published split.
    """

    blocks: dict[str, pd.DataFrame]
    y: np.ndarray
    test: np.ndarray | None = None

    def folds(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows to train on and to judge by."""
        if self.test is not None:
            yield np.flatnonzero(~self.test), np.flatnonzero(self.test)
            return
        least = int(np.unique(self.y, return_counts=True)[1].min())
        folds = StratifiedKFold(min(count, least), shuffle=True, random_state=SEED)
        yield from folds.split(np.zeros(len(self.y)), self.y)

    def rows(self, picked: np.ndarray, names: list[str]) -> dict[str, pd.DataFrame]:
        """Some samples of some blocks."""
        return {name: self.blocks[name].iloc[picked] for name in names}


def read_omics(folder: Path | None, name: str) -> OmicsSet:
    """A set by its name in ``REAL`` or ``PLANTED``."""
    if name in PLANTED:
        return planted(name)
    if folder is None:
        raise SystemExit(f"{name} is a real set: give its folder with --data.")
    how = REAL[name]
    with np.load(folder / f"{how['file']}.npz") as held:
        known = [key.removeprefix("X_") for key in held.files if key.startswith("X_")]
        y = held[how.get("labels", "y")].astype(str)
        keep = y != ""
        test = held["split"] == "test" if how.get("split") else None
        if how.get("train_only"):
            keep &= held["split"] == "train"
        blocks = {
            block: pd.DataFrame(
                held[f"X_{block}"], index=held["sample_ids"], columns=held[f"feature_names_{block}"]
            )[keep]
            for block in how.get("blocks", known)
        }
    return OmicsSet(blocks, y[keep], None if test is None else test[keep])


def planted(name: str, n: int = 200) -> OmicsSet:
    """Two blocks whose interaction decides: factors that many genes follow, or one gene each among few."""
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, n))
    y = np.where(a * b + 0.2 * rng.normal(size=n) > 0, "same", "other")
    sizes, followers = ((400, 250), (60, 40)) if name == "planted_factors" else ((12, 8), (1, 1))
    blocks = {}
    for block, size, count, factor in zip(("rna", "meth"), sizes, followers, (a, b), strict=True):
        x = rng.normal(size=(n, size))
        x[:, :count] = 1.2 * factor[:, None] + x[:, :count] * (1.0 if count > 1 else 0.2)
        blocks[block] = pd.DataFrame(x, columns=[f"{block}{i}" for i in range(size)])
    return OmicsSet(blocks, y)


def one_fit(
    data: OmicsSet, train: np.ndarray, test: np.ndarray, arm: str, seconds: float | None, trials: int | None
) -> dict[str, Any]:
    """Scores of one arm on one fold."""
    names = [name for name in data.blocks if arm in (ALL, CONCATENATION) or arm.endswith(f" {name}")]
    y, beside = data.y[train], {}
    if arm == CONCATENATION or arm.startswith(LOGISTIC):
        x, new = (
            np.hstack([b.to_numpy() for b in data.rows(rows, names).values()]) for rows in (train, test)
        )
        codes = np.unique(y, return_inverse=True)[1]
        model = make_pipeline(SimpleImputer(strategy="median"), logistic(int(np.bincount(codes).min())))
        p = model.fit(x, codes).predict_proba(new)
    else:
        with tempfile.TemporaryDirectory(prefix="omics-") as folder:
            clf = GenomeClassifier(
                f"{folder}/run",
                time_limit=seconds,
                max_trials=trials,
                random_state=SEED,
                verbose=0,
                missing="median",
            )
            p = clf.fit(data.rows(train, names), y).predict_proba(data.rows(test, names))
            beside = {
                "estimate": clf.estimate_["also"]["balanced_accuracy"]["value"],
                "estimated_loss": clf.estimate_["value"],
                "trials_done": clf.n_trials_,
                "blocks": clf.block_estimates()[["block", "value", "gain", "gain_low", "gain_high"]].to_dict(
                    "records"
                ),
            }
    classes = np.unique(y)
    p = p.astype("float64") / p.sum(axis=1, keepdims=True, dtype="float64")
    return {
        "balanced_accuracy": float(balanced_accuracy_score(data.y[test], classes[p.argmax(axis=1)])),
        "log_loss": float(log_loss(data.y[test], p, labels=classes)),
        **beside,
    }


def arms_of(data: OmicsSet) -> list[str]:
    """All of them, ours first."""
    names = list(data.blocks)
    return [ALL, *(ONLY + n for n in names), CONCATENATION, *(LOGISTIC + n for n in names)]


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All fits that the results lack, appended one by one."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    for name in arguments.sets:
        data = read_omics(arguments.data, name)
        for fold, (train, test) in enumerate(data.folds(arguments.folds)):
            for arm in arms_of(data):
                ours = arm == ALL or arm.startswith(ONLY)
                limits = (arguments.seconds, arguments.trials) if ours else (None, None)
                key = (name, fold, arm, *limits)
                if key in done or (arguments.arms and arm.split()[0] not in arguments.arms):
                    continue
                found = one_fit(data, train, test, arm, *limits)
                line = {**dict(zip(KEY, key, strict=True)), **found, "machine": describe_machine()}
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                yield line


def show(lines: list[dict[str, Any]]) -> str:
    """Means over folds by set and arm, and whether all blocks are at least the best of the others."""
    text = [f"{'set':16} {'arm':22} {'folds':>5} {'bal. acc.':>9} {'log loss':>8} {'estimate':>8}"]
    for name in dict.fromkeys(line["set"] for line in lines):
        scores: dict[str, tuple[float, float]] = {}
        for arm in dict.fromkeys(line["arm"] for line in lines if line["set"] == name):
            mine = [line for line in lines if (line["set"], line["arm"]) == (name, arm)]
            scores[arm] = _mean(mine, "balanced_accuracy"), _mean(mine, "log_loss")
            known = [line for line in mine if "estimate" in line]
            estimate = f"{_mean(known, 'estimate'):8.3f}" if known else ""
            text.append(
                f"{name:16} {arm:22} {len(mine):5d} {scores[arm][0]:9.3f} {scores[arm][1]:8.3f} {estimate}"
            )
        others = {arm: score for arm, score in scores.items() if arm != ALL}
        if ALL in scores and others:
            best = max(others, key=lambda arm: others[arm][0])
            least = min(others, key=lambda arm: others[arm][1])
            text.append(
                f"{name:16} all less the best other: balanced accuracy {scores[ALL][0] - others[best][0]:+.3f} ({best}), log loss "
                f"{scores[ALL][1] - others[least][1]:+.3f} ({least})"
            )
            if name in PUBLISHED:
                text[-1] += (
                    f"; published {PUBLISHED[name]:.3f}, ahead by {scores[ALL][0] - PUBLISHED[name]:+.3f}"
                )
    return "\n".join(text)


def _mean(lines: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([line[name] for line in lines]))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.omics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder of npz files; planted sets need none")
    parser.add_argument("--sets", nargs="+", choices=[*REAL, *PLANTED])
    parser.add_argument("--planted", action="store_true", help="the planted sets, too")
    parser.add_argument("--arms", nargs="+", choices=["all", "only", "concatenation", "logistic"])
    parser.add_argument("--seconds", type=float, help="time limit of a fit; 60 without --trials")
    parser.add_argument("--trials", type=int, help="trials of a fit at most")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("omics.jsonl"), help="JSON lines")
    arguments = parser.parse_args(argv)
    if arguments.seconds is None and arguments.trials is None:
        arguments.seconds = 60.0
    if arguments.sets is None:
        arguments.sets = list(REAL) if arguments.data is not None else []
    arguments.sets += [name for name in PLANTED if arguments.planted and name not in arguments.sets]
    for line in run(arguments):
        print(
            f"{line['set']:16} fold {line['fold']} {line['arm']:22} {line['balanced_accuracy']:.3f} {line['log_loss']:.3f}",
            flush=True,
        )
    print(show(read_lines(arguments.out)))


if __name__ == "__main__":
    main()
