"""Bad input gets one clear error, and nothing is written or lost."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras import DataError, DataFileError, GenoKerasError, GenomeClassifier, RunFolderError

LABELS = np.array(["a", "b"])[np.arange(20) % 2]


def table(n: int = 20, p: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, p)).astype("float32")
    x[1::2, :3] += 3
    return pd.DataFrame(x, columns=[f"G{i}" for i in range(p)], index=[f"P{i}" for i in range(n)])


def fit(path: Path, x: object, y: object, **arguments: object) -> GenomeClassifier:
    clf = GenomeClassifier(
        path / "run", time_limit=None, max_trials=2, random_state=0, verbose=0, **arguments
    )
    return clf.fit(x, y)


def with_cell(row: int, column: int, value: float) -> pd.DataFrame:
    x = table()
    x.iloc[row, column] = value
    return x


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


CASES: dict[str, tuple[Callable[[Path], object], object, type[GenoKerasError], str]] = {
    "nan": (lambda _: with_cell(2, 4, np.nan), LABELS, DataError, r"G4.*missing=.median"),
    "infinite": (lambda _: with_cell(2, 4, np.inf), LABELS, DataError, r"P2.*G4|G4.*P2"),
    "duplicated gene names": (
        lambda _: table().rename(columns={"G5": "G4"}),
        LABELS,
        DataError,
        r"(?s)G4",
    ),
    "strings among numbers": (
        lambda _: table().astype(object).assign(G3=["1.5"] * 19 + ["high"]),
        LABELS,
        DataError,
        r"G3.*high",
    ),
    "dates": (
        lambda _: table(),
        np.array(["2026-01-01", "2026-01-02"] * 10, dtype="datetime64[D]"),
        DataError,
        r"y holds values of the type datetime64, .* Pass np.asarray\(y\).astype\(str\)",
    ),
    "dates of pandas": (
        lambda _: table(),
        pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"] * 10), index=table().index),
        DataError,
        "y holds values of the type Timestamp",
    ),
    "bytes": (lambda _: table(), LABELS.astype("S"), DataError, "of the type bytes_, and a classifier"),
    "one class": (
        lambda _: table(),
        np.repeat("a", 20),
        DataError,
        r"at least 2 classes|two classes|one class",
    ),
    "labels and rows differ": (lambda _: table(), LABELS[:18], DataError, r"expected 20, got 18"),
    "fewer samples than folds": (
        lambda _: table(4),
        LABELS[:4],
        DataError,
        r"folds",
    ),
    "empty file": (
        lambda folder: written(folder, "x.csv", ""),
        "label",
        DataFileError,
        r"x\.csv.*empty|empty.*x\.csv",
    ),
    "wrong delimiter": (
        lambda folder: written(folder, "x.csv", table().assign(label=LABELS).to_csv(sep=";")),
        "label",
        DataError,
        r";",
    ),
    "duplicated sample ids": (
        lambda _: table().set_axis(["P0", *[f"P{i}" for i in range(19)]]),
        LABELS,
        DataError,
        r"P0",
    ),
    "missing file": (lambda folder: folder / "nowhere.tsv", "label", DataFileError, r"nowhere\.tsv"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_error_and_nothing_written(case, tmp_path):
    make, y, kind, message = CASES[case]
    with pytest.raises(kind, match=message):
        fit(tmp_path, make(tmp_path), y)
    assert not (tmp_path / "run").exists()


def test_truncated_gz_is_said(tmp_path):
    whole = gzip.compress(table().assign(label=LABELS).to_csv(sep="\t").encode())
    (tmp_path / "x.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataFileError, match=r"x\.tsv\.gz.*truncated|truncated.*x\.tsv\.gz"):
        fit(tmp_path, tmp_path / "x.tsv.gz", "label")


def test_truncated_h5ad_is_said(tmp_path):
    (tmp_path / "x.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(DataFileError, match=r"x\.h5ad"):
        fit(tmp_path, tmp_path / "x.h5ad", "label")


def test_constant_genes_get_no_weight_and_are_counted(tmp_path):
    x = table()
    x[["G7", "G9"]] = 5.0
    clf = fit(tmp_path, x, LABELS)
    assert any("2 constant genes" in note for note in clf.notes_)
    changed = x.assign(G7=1e6)
    np.testing.assert_allclose(clf.predict_proba(changed), clf.predict_proba(x), atol=1e-6)


def test_a_class_with_one_sample_is_kept_in_training_and_said(tmp_path):
    y = LABELS.copy().astype(object)
    y[0] = "rare"
    clf = fit(tmp_path, table(), y)
    assert list(clf.classes_) == ["a", "b", "rare"]
    assert any("rare" in note for note in clf.notes_)
    assert clf.estimate_["n_samples"] == 19


def test_an_unwritable_path_is_said_before_any_training(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunFolderError, match=r"run.*is a file"):
        fit(tmp_path, table(), LABELS)
    clf = GenomeClassifier(tmp_path / "run" / "below", time_limit=None, max_trials=1, verbose=0)
    with pytest.raises(RunFolderError, match=r"cannot write .* Give a path that can be written"):
        clf.fit(table(), LABELS)


def test_a_path_with_another_run_is_left_alone(tmp_path):
    first = fit(tmp_path, table(), LABELS)
    before = {file: file.read_bytes() for file in first.path_.rglob("*") if file.is_file()}
    with pytest.raises(RunFolderError, match=r"holds another run.*resume=True"):
        fit(tmp_path, table(), LABELS)
    assert {file: file.read_bytes() for file in first.path_.rglob("*") if file.is_file()} == before


def test_a_folder_of_somebody_elses_files_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="is not empty and holds no run"):
        fit(tmp_path, table(), LABELS)
    assert (tmp_path / "run" / "thesis.txt").read_text() == "mine"


def test_a_fit_that_fails_leaves_the_earlier_one_usable(tmp_path):
    clf = fit(tmp_path, table(), LABELS)
    before = clf.predict_proba(table())
    with pytest.raises(DataError):
        clf.fit(with_cell(0, 0, np.nan), LABELS)
    np.testing.assert_array_equal(clf.predict_proba(table()), before)


def test_an_unknown_label_in_evaluate_is_named(tmp_path):
    clf = fit(tmp_path, table(), LABELS)
    with pytest.raises(DataError, match="c"):
        clf.evaluate(table(), np.repeat("c", 20))


def test_wrong_sample_weights_are_said(tmp_path):
    clf = GenomeClassifier(tmp_path / "run", max_trials=1, verbose=0)
    with pytest.raises(DataError, match=r"expected 20, got shape \(3,\)"):
        clf.fit(table(), LABELS, sample_weight=[1, 2, 3])


def test_damaged_run_settings_are_said(tmp_path):
    clf = fit(tmp_path, table(), LABELS)
    (clf.path_ / "run.json").write_text('{"format": 1, "run_id"')
    with pytest.raises(RunFolderError, match=r"run\.json"):
        GenomeClassifier.load(clf.path_)


def test_a_fit_says_which_labels_became_one_class(tmp_path: Path) -> None:
    found = fit(tmp_path, table(), [1, "b", "1", "b "] * 5)
    assert found.classes_.tolist() == ["1", "b"]
    assert [note.split(":")[0] for note in found.notes_ if "count as one class" in note] == [
        "'b ' and 'b' count as one class",
        "'1' and 1 count as one class",
    ]
