"""Labels that do not exclude each other: a sample may have any number of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import sparse
from sklearn.metrics import f1_score, roc_auc_score

from genokeras import DataError, GenomeClassifier, ParameterError, TextClassifier, load_estimator
from genokeras.cli import main
from genokeras.estimators.label_sets import as_table, is_several
from genokeras.tasks.label_scores import f1_macro, roc_auc_macro

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 4, "folds": 3, "random_state": 0, "verbose": 0}
NAMES = ["cancer", "male", "smoker"]


def study(n: int = 80, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each label moves three genes."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 3)) < [0.5, 0.4, 0.3]).astype(int)
    x = rng.normal(8, 1, size=(n, 24))
    x[:, :9] += 2.5 * np.repeat(y, 3, axis=1)
    return pd.DataFrame(x, columns=[f"GENE{i}" for i in range(24)]), pd.DataFrame(y, columns=NAMES)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    return GenomeClassifier(tmp_path_factory.mktemp("runs") / "labels", **QUICK).fit(*study())


def test_each_label_has_a_probability_of_its_own_after_loading_too(fitted: GenomeClassifier) -> None:
    loaded = load_estimator(fitted.path_)
    assert isinstance(loaded, GenomeClassifier) and loaded.classes_.tolist() == NAMES
    x, y = study(seed=1)
    p = loaded.predict_proba(x)
    assert p.shape == (80, 3) and roc_auc_score(y, p, average="macro") > 0.85
    assert (loaded.predict(x) == (p >= 0.5)).all()
    scores = loaded.evaluate(x, y[NAMES[::-1]])
    assert scores["roc_auc_macro"] == pytest.approx(roc_auc_score(y, p, average="macro"), abs=1e-6)
    assert loaded.score(x, y) == pytest.approx((loaded.predict(x) == y.to_numpy()).all(axis=1).mean())
    assert loaded.estimate_["metric"] == "label_log_loss" and "f1_macro" in loaded.estimate_["also"]


def test_sets_of_labels_are_the_same(fitted: GenomeClassifier) -> None:
    x, y = study(seed=1)
    sets = [[name for name in NAMES if row[name]] for _, row in y.iterrows()]
    assert fitted.evaluate(x, sets) == fitted.evaluate(x, y)
    assert is_several(sets) and as_table(sets).to_numpy().tolist() == y.to_numpy().tolist()
    assert as_table(sparse.csr_matrix(y.to_numpy()), NAMES).equals(y)
    with pytest.raises(DataError, match="y has labels the model does not know: tall"):
        fitted.evaluate(x, [*sets[:-1], {"tall"}])


@pytest.mark.parametrize(
    ("y", "several"),
    [
        ([[0, 1], [1, 1]], True),
        ([[0, 1], [1, 0]], False),  # one-hot
        ([[0.5, 1], [1, 1]], False),
        (["a", "b"], False),
        ([set(), {"a"}], True),
        (None, False),
    ],
)
def test_labels_are_told_from_classes(y: Any, several: bool) -> None:
    assert is_several(y) is several


def test_they_are_explained_and_exported_and_reports_are_refused(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    x, _ = study(seed=1)
    explanation = fitted.explain(x.iloc[:2])
    whole = explanation.base_values + explanation.values.sum(axis=1)
    assert whole == pytest.approx(fitted.predict_proba(x.iloc[:2]), abs=0.02)
    assert fitted.export_keras_model(tmp_path / "labels.keras").is_file()
    with pytest.raises(ParameterError, match="predicts any number of labels .* reports are of classes"):
        fitted.report(tmp_path / "report.html")
    with pytest.raises(ParameterError, match="predicts any number of labels .* reports are of classes"):
        fitted.report(tmp_path / "report.html", *study(seed=1))
    with pytest.raises(ParameterError, match="sets of classes are of classes, and this run predicts labels"):
        fitted.predict_set(x)


def test_what_is_no_label_is_refused(tmp_path: Path) -> None:
    x, y = study()
    for wrong, error, said in (
        (y.assign(male=1), DataError, r"these labels are the same for all samples .*: 'male' \(1\)"),
        (y.assign(male=2), DataError, "labels are 1 where a sample has them and 0 where not"),
    ):
        with pytest.raises(error, match=said):
            GenomeClassifier(tmp_path / "run", task="labels", **QUICK).fit(x, wrong)
    with pytest.raises(ParameterError, match="class_weight is for samples of one class each"):
        GenomeClassifier(tmp_path / "run", class_weight="balanced", **QUICK).fit(x, y)
    assert not (tmp_path / "run").exists()


def test_scores_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    p, t, w = rng.random((40, 3)), (rng.random((40, 3)) < 0.4).astype(float), rng.uniform(0.5, 2, 40)
    assert f1_macro(p, t, w) == pytest.approx(f1_score(t, p >= 0.5, average="macro", sample_weight=w))
    assert roc_auc_macro(p, t, w) == pytest.approx(roc_auc_score(t, p, average="macro", sample_weight=w))


def test_texts_may_have_several_labels_too() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (40, 2))
    texts = [f"{('bad', 'good')[good]} film, {('short', 'long')[long]}" for good, long in rows]
    clf = TextClassifier(**{**QUICK, "max_trials": 1, "folds": 2}).fit(texts, rows)
    assert clf.predict_proba(["good film, long"]).shape == (1, 2)


def test_the_command_line_has_a_column_for_each(tmp_path: Path) -> None:
    x, y = study()
    pd.concat([x, y], axis=1).to_csv(tmp_path / "table.csv", index_label="sample")
    targets = [part for name in NAMES for part in ("--target", name)]
    call = ["fit", str(tmp_path / "table.csv"), *targets, "--task", "labels", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, [*call, "--max-trials", "1", "--seed", "0", "-q"])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["predict", str(tmp_path / "run"), str(tmp_path / "table.csv")])
    assert done.stdout.splitlines()[0] == "sample,cancer,male,smoker"
    one = CliRunner().invoke(main, [*call[:4], "--task", "labels", "--out", str(tmp_path / "no")])
    assert one.exit_code == 2 and "--task labels needs two or more --target" in one.output
