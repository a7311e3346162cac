"""The sequences, images and texts of a folder, with their published splits, and what a prediction of them is worth.

Sets that come with a split are trained on its training and validation parts and scored on its test part. Of ``gue_emp_h3``
the training part is not among the files: its validation part is trained on. Sets without a split have five stratified folds,
``uci_promoters`` leaves one out, as those who published it did.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from sklearn.metrics import matthews_corrcoef, roc_auc_score
from sklearn.model_selection import LeaveOneOut, StratifiedKFold

from genokeras.data import (
    ImageData,
    SequenceData,
    TextData,
    encode_labels,
    load_images,
    load_sequences,
    load_texts,
)
from genokeras.support.wording import did_you_mean
from genokeras.tasks.class_scores import calibration_error, log_loss_rows

Kind = Literal["sequence", "image", "text"]
Content = SequenceData | ImageData | TextData
# Smaller sets leave one sample out at a time.
SMALLEST_FOR_FOLDS = 200


@dataclass(frozen=True)
class SetFiles:
    """Where a set lies: its kind, its file, a file of labels where they lie apart, and the class that counts as positive."""

    kind: Kind
    file: str
    labels: str | None = None
    positive: str | None = None


@dataclass(frozen=True)
class Goal:
    """What to reach: a measure, its value, and who published it or what it compares with."""

    measure: str
    value: float
    why: str


SETS = {
    "gue_tf_0": SetFiles("sequence", "gue_tf_0.csv.gz"),
    "gue_mouse_2": SetFiles("sequence", "gue_mouse_2.csv.gz"),
    "gue_prom_core_tata": SetFiles("sequence", "gue_prom_core_tata.csv.gz"),
    "gue_emp_h3": SetFiles("sequence", "gue_emp_h3.csv.gz"),
    "ecoli_sigma70": SetFiles("sequence", "ecoli_sigma70.fasta.gz"),
    "uci_splice_junctions": SetFiles("sequence", "uci_splice_junctions.csv.gz"),
    "uci_promoters": SetFiles("sequence", "uci_promoters.csv.gz", positive="promoter"),
    "chimp_gene_family": SetFiles("sequence", "chimp_gene_family.csv.gz"),
    "mnist10k": SetFiles("image", "mnist10k-images-idx3-ubyte.gz", "mnist10k-labels-idx1-ubyte.gz"),
    "sst2_sentiment": SetFiles("text", "sst2_sentiment.csv.gz"),
    "sms_spam": SetFiles("text", "sms_spam.csv.gz", positive="spam"),
}
_FOUNDATION = "best of five DNA foundation models, Nature Communications 2025, s41467-025-65823-8"
GOALS = {
    "gue_tf_0": Goal("roc_auc", 0.880, _FOUNDATION),
    "gue_mouse_2": Goal("roc_auc", 0.935, _FOUNDATION),
    "gue_prom_core_tata": Goal("roc_auc", 0.810, _FOUNDATION),
    "ecoli_sigma70": Goal("mcc", 0.86, "published CNN .84, Umarov and Solovyev 2017"),
    "uci_splice_junctions": Goal("error", 0.03, "at most"),
    "uci_promoters": Goal("error", 4 / 106, "at most 4 of 106, one left out"),
    "mnist10k": Goal("accuracy", 0.985, "at least"),
}


@dataclass(frozen=True, eq=False)
class SpatialSet:
    """One classification set of sequences, images or texts.

    ``codes`` ``(n,)`` index ``classes``; of two classes the second is the positive one. ``split`` ``(n,)`` holds ``"train"``,
    ``"valid"`` and ``"test"``, or is None where nothing is published.
    """

    name: str
    kind: Kind
    data: Content
    codes: np.ndarray
    classes: tuple[str, ...]
    split: np.ndarray | None

    @property
    def protocol(self) -> str:
        """How it is scored: ``"published split"``, ``"5 folds"`` or ``"leave one out"``."""
        if self.split is not None:
            return "published split"
        return "leave one out" if len(self.data) < SMALLEST_FOR_FOLDS else "5 folds"


@dataclass(frozen=True, eq=False)
class Round:
    """Positions of the samples that train, that may choose settings (none, or a published part), and that score."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def find_spatial_sets(folder: str | Path, names: list[str] | None = None) -> list[str]:
    """Names of the sets that a folder holds, in the order of `SETS`; ends the program where one asked for is absent."""
    found = [name for name, files in SETS.items() if (Path(folder) / files.file).exists()]
    for name in names or []:
        if name not in found:
            hint = did_you_mean(name, found)
            raise SystemExit(f"{folder} has no set {name!r}; it has {', '.join(found) or 'none'}.{hint}")
    return [name for name in found if not names or name in names]


def read_spatial_set(folder: str | Path, name: str) -> SpatialSet:
    """Read one set by name."""
    files, root = SETS[name], Path(folder)
    data: Content
    split = None
    if files.kind == "image":
        data = load_images(root / files.file, root / files.labels if files.labels else None)
    else:
        # The split is read as groups, the one column beside the labels that a loader hands on.
        load = load_sequences if files.kind == "sequence" else load_texts
        data = load(root / files.file)
        if _has_split(root / files.file):
            data = load(root / files.file, groups="split")
            parts = np.asarray(data.groups, dtype=str)
            split = np.where(parts == "dev", "valid", parts)
    labels = encode_labels(data.labels)
    codes, classes = labels.codes, tuple(str(value) for value in labels.classes.tolist())
    if files.positive is not None and classes[1] != files.positive:
        codes, classes = 1 - codes, classes[::-1]
    return SpatialSet(name, files.kind, data, codes, classes, split)


def _has_split(file: Path) -> bool:
    if ".csv" not in file.name:
        return False
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return "split" in lines.readline().strip().split(",")


def rounds(data: SpatialSet, count: int | None = None) -> Iterator[Round]:
    """The published split, or the first `count` folds (or samples left out) of a fixed order."""
    nothing = np.empty(0, dtype=np.int64)
    if data.split is not None:
        parts = {name: np.flatnonzero(data.split == name) for name in ("train", "valid", "test")}
        if not len(parts["train"]):
            yield Round(parts["valid"], nothing, parts["test"])
        else:
            yield Round(parts["train"], parts["valid"], parts["test"])
        return
    alone = data.protocol == "leave one out"
    splitter = LeaveOneOut() if alone else StratifiedKFold(5, shuffle=True, random_state=0)
    for number, (train, test) in enumerate(splitter.split(data.codes, data.codes)):
        if count is None or number < count:
            yield Round(train, nothing, test)


def measures(codes: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Matthews correlation, area under the curve (one class against the rest), accuracy, error and their count, log loss, calibration error."""
    predicted = probabilities.argmax(axis=1)
    wrong = int((predicted != codes).sum())
    scored = {
        "mcc": float(matthews_corrcoef(codes, predicted)),
        "accuracy": 1 - wrong / len(codes),
        "error": wrong / len(codes),
        "errors": float(wrong),
        "log_loss": float(log_loss_rows(np.asarray(probabilities, dtype="float64"), codes).mean()),
        "calibration_error": calibration_error(np.asarray(probabilities, dtype="float64"), codes),
    }
    if len(np.unique(codes)) == probabilities.shape[1]:
        two = probabilities.shape[1] == 2
        scored["roc_auc"] = float(
            roc_auc_score(codes, probabilities[:, 1] if two else probabilities, multi_class="ovr")
        )
    return scored


def measures_over_rounds(parts: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Average `measures` over rounds of ``(codes, probabilities)``; where single samples are left out, over all at once."""
    if all(len(codes) == 1 for codes, _ in parts):
        return measures(np.concatenate([c for c, _ in parts]), np.concatenate([p for _, p in parts]))
    each = [measures(codes, probabilities) for codes, probabilities in parts]
    averaged = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    return {**averaged, "errors": float(sum(one["errors"] for one in each))}
