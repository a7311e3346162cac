"""What people do that must end in an answer or in our own words: global precision, changed folders, surplus genes, no console."""

from __future__ import annotations

import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import genokeras as gk
from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.graph import HyperParameters, mlp
from genokeras.searchers import Proposal
from genokeras.support import temporary

FIT: dict[str, Any] = {"time_limit": 20, "max_trials": 1, "random_state": 0, "verbose": 0, "folds": 2}


def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.array(["healthy", "ill"])[np.arange(24) % 2]
    x = rng.normal(6, 1, (24, 8)).astype("float32")
    x[::2, 0] += 4
    return pd.DataFrame(x, index=[f"P{i}" for i in range(24)], columns=[f"gene{i}" for i in range(8)]), labels


@pytest.fixture(scope="module")
def fitted() -> gk.GenomeClassifier:
    return gk.GenomeClassifier(**FIT).fit(*table())


@pytest.fixture(params=[("float64", "float64"), ("float32", "mixed_float16")], ids=lambda given: given[1])
def precision(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    floats, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param[0])
    keras.config.set_dtype_policy(request.param[1])
    yield request.param
    keras.config.set_floatx(floats)
    keras.config.set_dtype_policy(policy)


def test_a_global_precision_does_not_reach_our_networks(
    fitted: gk.GenomeClassifier, precision: tuple[str, str]
) -> None:
    x, y = table()
    found = gk.GenomeClassifier(**FIT).fit(x, y)
    assert found.predict_proba(x).dtype == "float32"
    np.testing.assert_array_equal(found.predict_proba(x), fitted.predict_proba(x))
    trained = found.load_searcher().load_best_model().produce_keras_model(weights=True)
    assert {weight.dtype for weight in trained.weights} == {"float32"} == {trained.outputs[0].dtype}
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == precision


@pytest.mark.parametrize("x", [np.ones((20, 5)), sparse.csr_matrix((20, 5))])
def test_genes_that_are_all_constant_are_refused(x: Any) -> None:
    with pytest.raises(DataError, match="every gene has the same value in all 20 samples"):
        gk.GenomeClassifier(**FIT).fit(x, [0, 1] * 10)
    with pytest.raises(DataError, match="every gene has the same value in all 20 samples"):
        gk.GenomeClassifier(**FIT).fit(x, [0, 1] * 10, validation_data=(2 * np.eye(4, 5), [0, 1, 0, 1]))


def test_a_run_at_a_relative_path_is_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = table()
    monkeypatch.chdir(tmp_path)
    classifier = gk.GenomeClassifier(path="runs/a", **FIT).fit(x, y)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert classifier.path_ == tmp_path / "runs" / "a"
    assert len(classifier.history_)
    assert classifier.save("copy") == tmp_path / "other" / "copy"


@pytest.mark.slow
def test_a_loaded_run_at_a_relative_path_works_from_another_folder(
    fitted: gk.GenomeClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = table()
    fitted.save(tmp_path / "runs" / "a")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    classifier = gk.load_estimator("runs/a")
    monkeypatch.chdir(tmp_path / "other")
    assert classifier.evaluate(x, y) == fitted.evaluate(x, y)
    assert classifier.explain(x, num_samples=4).shape[0] == 4
    assert classifier.report("report.html", x, y).is_file()
    classifier.final_fit(x, y, x, y, {"max_iter_num": 5})
    assert (tmp_path / "other" / "report.html").is_file() and classifier.final_evaluation_ is not None
    np.testing.assert_array_equal(gk.load_estimator(classifier.save("b")).predict(x), classifier.predict(x))
    np.testing.assert_array_equal(
        gk.load_estimator(tmp_path / "runs" / "a").predict(x), classifier.predict(x)
    )
    assert [path.name for path in (tmp_path / "other").iterdir() if path.is_dir()] == ["b"]


def surplus(x: pd.DataFrame) -> list[pd.DataFrame]:
    twice = pd.DataFrame(1.0, index=x.index, columns=["u", "u"])
    others = [np.nan, np.inf, ["a", 1] * 12]
    return [*(x.assign(unknown=other) for other in others), pd.concat([x, twice], axis=1)]


def test_a_gene_that_the_model_does_not_use_may_hold_anything(fitted: gk.GenomeClassifier) -> None:
    x, _ = table()
    expected = fitted.predict_proba(x)
    for more in surplus(x):
        np.testing.assert_array_equal(fitted.predict_proba(more), expected)


def test_a_missing_value_in_a_gene_that_is_used_comes_with_advice_that_works(
    fitted: gk.GenomeClassifier,
) -> None:
    x, _ = table()
    x.iloc[0, 0] = np.nan
    with pytest.raises(DataError, match=r"gk\.load_dataset\(x, missing='median'\)"):
        fitted.predict(x)
    assert len(fitted.predict(gk.load_dataset(x, missing="median"))) == 24


def test_progress_works_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    gk.GenomeClassifier(**{**FIT, "verbose": 1}).fit(*table())


class ThreeAtOnce(gk.Searcher):
    """A network three times, the first with a rate of its own."""

    def __init__(self, n_outputs: int, rate: float) -> None:
        self.n_outputs, self.rate = n_outputs, rate

    def ask(self, history: Any, n: int, rng: Any) -> list[Proposal]:
        rates = [self.rate, 0.01, 0.02]
        return [Proposal(mlp(self.n_outputs, (8,)), HyperParameters(learning_rate=rate)) for rate in rates][
            :n
        ]


@pytest.mark.slow
def test_a_learning_rate_that_diverges_fails_its_own_trial_only() -> None:
    def scores(rate: float) -> pd.DataFrame:
        arguments = {"search_type": ThreeAtOnce, "rate": rate}
        found = gk.GenomeClassifier(**{**FIT, "max_trials": 3}, searcher_args=arguments).fit(*table())
        assert found.path_ and (found.path_ / "best.keras").is_file()
        errors = (found.path_ / "trials" / "000000" / "error.txt").exists()
        assert errors == (rate > 1)
        return found.leaderboard().set_index("model_id")["score"]

    wild, usual = scores(1e30), scores(0.03)
    assert np.isnan(wild[0])
    np.testing.assert_allclose(wild[[1, 2]], usual[[1, 2]], rtol=1e-5)


def test_one_group_is_said_to_be_no_split() -> None:
    x, y = table()
    with pytest.raises(DataError, match="all samples are of one group, which cannot be split"):
        gk.GenomeClassifier(**FIT).fit(x, y, groups=["a"] * 24)
    assert gk.GenomeClassifier(**FIT).fit(x, y, groups=None).n_trials_


def test_an_objective_of_numbers_is_refused_for_classes() -> None:
    with pytest.raises(ParameterError, match="r2"):
        gk.GenomeClassifier(objective="r2", **FIT).fit(*table())


def test_a_name_that_is_no_text_is_trained_on(tmp_path: Path) -> None:
    x, y = table()
    odd = gk.GenomeClassifier(path=tmp_path / "a", **FIT).fit(x.rename(columns={"gene1": "g\udce9"}), y)
    assert gk.load_estimator(odd.path_).feature_names_in_[1] is not None


def test_a_pickled_classifier_whose_run_is_gone_predicts_and_says_so_otherwise(
    fitted: gk.GenomeClassifier, tmp_path: Path
) -> None:
    x, y = table()
    assert fitted.path_ in temporary.made  # and so gone when Python ends
    gone = gk.GenomeClassifier(path=tmp_path / "a", **FIT).fit(x, y)
    again = pickle.loads(pickle.dumps(gone))
    shutil.rmtree(tmp_path / "a")
    assert len(again.predict(x)) == 24
    for use in (again.explain, lambda x: again.save(tmp_path / "b")):
        with pytest.raises(RunFolderError, match="is gone: it was moved or removed"):
            use(x)


def test_an_export_does_not_change_the_suffix(fitted: gk.GenomeClassifier, tmp_path: Path) -> None:
    for suffix in (".h5", ".onxn", ".pt2", ".model"):
        with pytest.raises(
            ParameterError, match=rf"the suffix '\{suffix}' of .* belongs to no format; known"
        ):
            fitted.export_keras_model(tmp_path / f"m{suffix}")
    assert list(tmp_path.iterdir()) == []
    for name in ("m", "m.v2"):
        assert fitted.export_keras_model(tmp_path / name) == tmp_path / f"{name}.keras"
