"""Advice on tables and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genokeras as gk
from genokeras.data import align_features
from tests.advice.cases import (
    CLASSES,
    RNG,
    TABLE,
    Case,
    X,
    csv,
    follow,
    named,
    put,
    searched,
)

load = gk.load_dataset
SHUFFLED = pd.Series(CLASSES, index=RNG.permutation(12))
PARTLY = pd.Series(CLASSES, index=["Q0", *TABLE.index[1:]])


def archive(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "x.npz", **arrays)
    return folder / "x.npz"


def counts(folder: Path, second: str) -> Path:
    put(folder, "counts/S1.txt", "g1\t1\ng2\t2\n")
    put(folder, second, "Name\tLength\tEffectiveLength\tTPM\tNumReads\ng1\t10\t9\t1.5\t30\n")
    return folder / "counts"


def labels(folder: Path) -> str:
    frame = pd.DataFrame({"age": range(12), "er": CLASSES, "dose": range(12)}, index=TABLE.index)
    return str(csv(folder, frame, "clinical.csv"))


def changed(row: int, column: int, value: Any) -> pd.DataFrame:
    table = TABLE.astype(object)
    table.iloc[row, column] = value
    return table


def triplets(folder: Path) -> Path:
    for name in ("a", "b"):
        put(
            folder,
            f"mtx/{name}_matrix.mtx",
            "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 3\n2 2 4\n",
        )
    return folder / "mtx"


READING = [
    Case(
        "count of genes",
        lambda p: align_features(load(X[:, :2]), ("TP53", "MYC", "CD3E")),
        "Pass the same genes in the same order, or data with gene names",
        lambda p: (
            align_features(load(X), tuple(TABLE)),
            align_features(load(TABLE[["CD3E", "MYC", "TP53"]]), tuple(TABLE)),
        ),
    ),
    Case(
        "repeated genes",
        lambda p: load(TABLE.set_axis(["a", "a", "b"], axis=1)),
        "Rename them, or load the data with duplicates='sum', 'mean', 'first' or 'unique'",
        lambda p: [
            load(TABLE.set_axis(["a", "a", "b"], axis=1), duplicates=how)
            for how in ("sum", "mean", "first", "unique")
        ],
    ),
    Case(
        "repeated samples",
        lambda p: load(TABLE.set_axis(["P"] * 12)),
        "Give every sample an id of its own, and pass repeats of one donor as groups",
        lambda p: load(TABLE, CLASSES, groups=["P"] * 6 + ["Q"] * 6),
    ),
    Case(
        "huge values",
        lambda p: load(changed(0, 0, 1e30).astype(float)),
        "Leave them empty then and fit with missing='median'",
        lambda p: load(changed(0, 0, np.nan).astype(float), missing="median"),
    ),
    Case(
        "missing values",
        lambda p: load(changed(0, 0, np.nan).astype(float)),
        "missing='median'",
        lambda p: load(changed(0, 0, np.nan).astype(float), missing="median"),
    ),
    Case(
        "a column to drop",
        lambda p: load(TABLE, drop_columns="TP35"),
        "Did you mean 'TP53'",
        lambda p: load(TABLE, drop_columns="TP53"),
    ),
    Case(
        "a column of ids",
        lambda p: load(csv(p, TABLE), sample_column="smaple"),
        "Did you mean 'sample'",
        lambda p: load(csv(p, TABLE), sample_column="sample"),
    ),
    Case(
        "thousands",
        lambda p: load(csv(p, changed(0, 0, "1,234.5"))),
        "write 1234.5, not 1,234.5",
        lambda p: load(csv(p, changed(0, 0, "1234.5"))),
    ),
    Case(
        "percentages",
        lambda p: load(csv(p, TABLE.map("{:.0f}%".format))),
        "write 12, not 12%",
        lambda p: load(csv(p, TABLE.map("{:.0f}".format))),
    ),
    Case(
        "decimal commas",
        lambda p: load(csv(p, TABLE, decimal=",", sep=";"), delimiter=";"),
        "decimal commas .read the file with decimal=','",
        lambda p: load(csv(p, TABLE, decimal=",", sep=";"), delimiter=";", decimal=","),
    ),
    Case(
        "a delimiter",
        lambda p: load(csv(p, TABLE, sep=";")),
        "pass delimiter=';'",
        lambda p: load(csv(p, TABLE, sep=";"), delimiter=";"),
    ),
    Case(
        "a suffix",
        lambda p: load(csv(p, TABLE, "x.dat")),
        "Rename the file",
        lambda p: load(csv(p, TABLE, "x.csv")),
    ),
    Case(
        "an archive without X",
        lambda p: load(archive(p, samples=X)),
        r"no array 'X' \(n_samples, n_features\)",
        lambda p: load(archive(p, X=X)),
    ),
    Case(
        "pickled names",
        lambda p: load(archive(p, X=X, feature_names=np.array(list(TABLE), dtype=object))),
        r"save names and labels as text arrays, np.asarray\(names, dtype=str\)",
        lambda p: load(archive(p, X=X, feature_names=np.asarray(list(TABLE), dtype=str))),
    ),
    Case(
        "a file of another kind",
        lambda p: load(put(p, "x.csv", b"\x89HDF\r\n\x1a\n" + bytes(99))),
        "an HDF5 file: rename it so that it ends in .h5",
        lambda p: load(put(p, "x.csv", TABLE.to_csv())),
    ),
    Case(
        "counts of two tools",
        lambda p: load(counts(p, "counts/S2.sf")),
        "put those of one tool into a folder",
        lambda p: load(counts(p / "apart", "others/S2.sf")),
    ),
    Case(
        "genes in rows",
        lambda p: load(csv(p, TABLE.T), CLASSES),
        "if genes are in rows, pass transposed=True",
        lambda p: load(csv(p, TABLE.T), CLASSES, transposed=True),
    ),
    Case(
        "text among numbers",
        lambda p: load(csv(p, changed(0, 0, "much"))),
        "leave them empty and fit with missing='median', or leave the columns out with drop_columns=",
        lambda p: [
            load(csv(p, changed(0, 0, "")), missing="median"),
            load(csv(p, changed(0, 0, "much")), drop_columns="TP53"),
        ],
    ),
    Case(
        "several matrices",
        lambda p: load(triplets(p)),
        "Pass one of the files",
        lambda p: load(triplets(p) / "a_matrix.mtx"),
    ),
]


LABELS = [
    Case(
        "none",
        lambda p: gk.GenomeClassifier(max_trials=1).fit(TABLE),
        "pass y as an array, the name of a column, or a file of labels",
        lambda p: [
            load(TABLE, CLASSES),
            load(TABLE.assign(er=CLASSES), "er"),
            load(TABLE, labels(p) + ":er"),
        ],
    ),
    Case(
        "several columns",
        lambda p: load(TABLE, labels(p)),
        "Name the one to take, such as 'clinical.csv:dose'",
        lambda p: load(TABLE, labels(p) + ":dose"),
    ),
    Case(
        "a file without ids in the data",
        lambda p: load(X, labels(p) + ":er"),
        "give the ids in the first column of the data, or a file with the labels alone, one per row",
        lambda p: [load(csv(p, TABLE), labels(p) + ":er"), load(X, put(p, "alone.txt", "\n".join(CLASSES)))],
    ),
    Case(
        "numbers for classes",
        lambda p: searched(gk.GenomeClassifier(max_trials=1), TABLE, X[:, 0]),
        "use a regressor .GenomeRegressor, --task numbers., cut the numbers into groups",
        lambda p: [
            searched(gk.GenomeRegressor(max_trials=1), TABLE, X[:, 0]),
            searched(
                gk.GenomeClassifier(max_trials=1, folds=2),
                TABLE,
                pd.cut(X[:, 0], 2, labels=["low", "high"]).astype(str),
            ),
        ],
    ),
    Case(
        "some missing",
        lambda p: searched(gk.GenomeClassifier(max_trials=1), TABLE, [None, *CLASSES[1:]]),
        "Give them a label or drop these samples",
        lambda p: searched(gk.GenomeClassifier(max_trials=1, folds=2), TABLE[1:], CLASSES[1:]),
    ),
    Case(
        "a Series of positions",
        lambda p: load(TABLE.reset_index(drop=True), SHUFFLED),
        r"Pass y.sort_index\(\) or y.to_numpy\(\)",
        lambda p: [
            load(TABLE.reset_index(drop=True), y) for y in (SHUFFLED.sort_index(), SHUFFLED.to_numpy())
        ],
    ),
    Case(
        "a Series of other samples",
        lambda p: load(TABLE, PARTLY),
        r"pass y.to_numpy\(\) to go by row",
        lambda p: load(TABLE, PARTLY.to_numpy()),
    ),
    Case(
        "a misspelt column",
        lambda p: load(csv(p, TABLE.assign(er=CLASSES)), "err"),
        "Did you mean 'er'",
        lambda p: load(csv(p, TABLE.assign(er=CLASSES)), "er"),
    ),
]


@pytest.mark.parametrize("case", named([*READING, *LABELS]))
def test_who_follows_the_advice_gets_on(case: Case, tmp_path: Path) -> None:
    follow(case, tmp_path)
