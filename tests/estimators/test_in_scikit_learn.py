"""Estimators inside of scikit-learn's tools: pipelines, cross-validation, grids, routed metadata, selectors of features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import genokeras as gk
from genokeras.data import relative_weights
from genokeras.errors import NoImportancesError, NotFittedError, ParameterError, RunFolderError
from genokeras.estimators.places import numbered_place
from genokeras.support import RunFolder

SHORT = {"trainer_args": {"max_iter_num": 5}}
Study = tuple[pd.DataFrame, np.ndarray]


def quick(path: Any = None, kind: Any = gk.GenomeClassifier, **more: Any) -> Any:
    given = {"time_limit": None, "max_trials": 1, "searcher_args": SHORT, "random_state": 0, "verbose": 0}
    return kind(path, **{**given, **more})


@pytest.fixture(scope="module")
def fitted(study: Study) -> gk.GenomeClassifier:
    return quick().fit(*study)


def test_logarithms_of_probabilities(fitted: gk.GenomeClassifier, study: Study) -> None:
    x, _ = study
    np.testing.assert_array_equal(fitted.predict_log_proba(x), np.log(fitted.predict_proba(x)))


def test_importances_find_the_informative_genes_and_are_computed_when_read(
    fitted: gk.GenomeClassifier,
) -> None:
    vars(fitted).pop("feature_importances_", None)
    found = fitted.feature_importances_
    assert found.shape == (fitted.n_features_in_,) and (found >= 0).all()
    assert found.sum() == pytest.approx(1) and found is fitted.feature_importances_
    # The first eight of 120 genes are informative.
    assert set(np.argsort(-found)[:6]) <= set(range(8))


def test_a_selector_of_features_reads_the_importances(fitted: gk.GenomeClassifier, study: Study) -> None:
    x, _ = study
    chosen = SelectFromModel(fitted, prefit=True, max_features=6, threshold=-np.inf).transform(x.to_numpy())
    assert chosen.shape == (len(x), 6)


def test_importances_before_fit_are_an_error_and_hasattr_says_no() -> None:
    clf = gk.GenomeClassifier()
    assert not hasattr(clf, "feature_importances_")
    with pytest.raises(NotFittedError, match=r"call fit\(x, y\)"):
        _ = clf.feature_importances_


def test_importances_that_cannot_be_said_are_an_attribute_error(
    fitted: gk.GenomeClassifier,
) -> None:
    clf = gk.GenomeClassifier.load(fitted.path_)
    del clf._run.problem.encoder.spaces["all"]
    assert not hasattr(clf, "feature_importances_")
    with pytest.raises(NoImportancesError, match="there are no feature_importances_: "):
        _ = clf.feature_importances_


def test_cross_validation_writes_a_run_for_every_fit(study: Study, tmp_path: Path) -> None:
    x, y = study
    scores = cross_val_score(quick(tmp_path / "runs" / "cv_{}"), x, y, cv=2)
    assert scores.mean() > 0.8
    made = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert made == ["cv_0001", "cv_0002"]
    assert all(RunFolder(tmp_path / "runs" / name).settings["n_samples"] == 20 for name in made)


def test_without_a_number_the_error_says_how_to_have_one(study: Study, tmp_path: Path) -> None:
    x, y = study
    quick(tmp_path / "run").fit(x, y)
    with pytest.raises(RunFolderError, match=r"holds another run.*one such as 'runs/\{\}'"):
        quick(tmp_path / "run").fit(x, y)


def test_a_number_that_another_process_took_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "0001").mkdir()
    assert numbered_place(tmp_path / "{}") == tmp_path / "0002"
    assert numbered_place(tmp_path / "{}" / "model") == tmp_path / "0003" / "model"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resume": True}, "resume=True goes on with one run"),
        ({"executor": "shared"}, "needs one path for all processes"),
        ({"path": "{}/{}"}, "may have {} once"),
    ],
)
def test_one_run_needs_a_path_without_a_number(
    given: dict[str, Any], message: str, study: Study, tmp_path: Path
) -> None:
    path = tmp_path / given.pop("path", "{}")
    with pytest.raises(ParameterError, match=message):
        quick(path, **given).fit(*study)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def routing() -> Any:
    with config_context(enable_metadata_routing=True):
        yield


def weights_and_groups(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.arange(n) % 4 < 2, 1.0, 2.0), np.repeat(np.arange(n // 4), 4)


@pytest.mark.usefixtures("routing")
def test_weights_and_groups_reach_the_last_step_of_a_pipeline(study: Study, tmp_path: Path) -> None:
    x, y = study
    weight, groups = weights_and_groups(len(x))
    clf = quick(tmp_path / "run").set_fit_request(sample_weight=True, groups=True)
    model = make_pipeline(gk.LogTransformer(), clf).fit(x, y, sample_weight=weight, groups=groups)
    problem = model[-1]._run.problem
    np.testing.assert_array_equal(problem.sample_weight, relative_weights(weight))
    np.testing.assert_array_equal(problem.groups, groups)
    # No group stands on both sides of a fold.
    assert all(set(groups[held]).isdisjoint(groups[~held]) for held in problem.held_out)


@pytest.mark.usefixtures("routing")
def test_cross_validation_hands_each_fold_its_own_weights_and_groups(study: Study) -> None:
    x, y = study
    weight, groups = weights_and_groups(len(x))
    clf = quick().set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=True)
    found = cross_validate(
        clf,
        x,
        y,
        cv=GroupKFold(2),
        params={"sample_weight": weight, "groups": groups},
        return_estimator=True,
        return_indices=True,
    )
    for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        np.testing.assert_array_equal(fitted._run.problem.sample_weight, relative_weights(weight[train]))
        assert len(np.unique(fitted._run.problem.groups)) == len(np.unique(groups[train]))


@pytest.mark.slow
@pytest.mark.usefixtures("routing")
def test_a_grid_routes_to_every_fit(study: Study, tmp_path: Path) -> None:
    x, y = study
    weight, groups = weights_and_groups(len(x))
    clf = quick(tmp_path / "{}").set_fit_request(sample_weight=True, groups=True)
    clf = clf.set_score_request(sample_weight=False)
    grid = GridSearchCV(clf, {"folds": [2, 3]}, cv=GroupKFold(2))
    grid.fit(x, y, sample_weight=weight, groups=groups)
    assert len(list(tmp_path.iterdir())) == 5  # 2 x 2, and the best one again
    np.testing.assert_array_equal(grid.best_estimator_._run.problem.sample_weight, relative_weights(weight))


@pytest.mark.usefixtures("routing")
def test_weights_that_nobody_asked_for_are_refused(study: Study) -> None:
    x, y = study
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        cross_validate(quick(), x, y, cv=2, params={"sample_weight": np.ones(len(x))})


def test_without_routing_a_pipeline_takes_them_by_the_name_of_the_step(study: Study) -> None:
    x, y = study
    weight, _ = weights_and_groups(len(x))
    model = make_pipeline(StandardScaler(), quick(kind=gk.GenomeRegressor))
    model.fit(x, np.arange(len(y)), genomeregressor__sample_weight=weight)
    np.testing.assert_array_equal(model[-1]._run.problem.sample_weight, relative_weights(weight))
