"""Very many samples: one hold-out, two views, scorings that cost little; what the user asks for goes first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from genokeras import GenomeClassifier
from genokeras.data import folds as splits
from genokeras.data import usual_folds
from genokeras.data.folds import Folds, choose_folds
from genokeras.engine import Budget
from genokeras.engine.training_options import MOST_STEPS, scaled_training
from genokeras.estimators.gene_content import may_name_views, views_to_fit
from genokeras.features import DEFAULT_VIEWS
from genokeras.searchers import HyperSpace, RandomSearcher
from genokeras.training import TrainingSettings


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty samples are very many."""
    monkeypatch.setattr(splits, "_LARGE_PACKED", 39)


def fit(study, folds: int | None = None, path: Path | None = None, **arguments) -> GenomeClassifier:
    settings = {"time_limit": None, "max_trials": 3, "random_state": 0, "verbose": 0} | arguments
    groups = settings.pop("groups", None)
    return GenomeClassifier(path, folds=folds, **settings).fit(*study, groups=groups)


def test_many_samples_get_one_hold_out_and_say_so(study, few_are_many) -> None:
    clf = fit(study)
    problem = clf._run.problem
    assert problem.n_folds == 1 and problem.held_out.sum() == 8
    np.testing.assert_array_equal(problem.train, ~problem.held_out)
    assert any("one hold-out of 8 of them scores" in note for note in clf.notes_)
    assert clf.score(*study) > 0.9


def test_folds_that_are_asked_for_go_before_the_hold_out(study, few_are_many) -> None:
    assert fit(study, folds=3)._run.problem.n_folds == 3


def test_few_samples_get_five_folds(study) -> None:
    clf = fit(study)
    assert clf._run.problem.n_folds == 5
    assert clf._run.folder.settings["settings"]["folds"] == 5


def test_a_run_with_one_hold_out_is_loaded_and_gone_on_with(study, few_are_many, tmp_path) -> None:
    clf = fit(study, path=tmp_path / "run")
    loaded = GenomeClassifier.load(tmp_path / "run")
    np.testing.assert_allclose(loaded.predict_proba(study[0]), clf.predict_proba(study[0]), atol=1e-6)
    assert fit(study, path=tmp_path / "run", resume=True, max_trials=6).n_trials_ == 6


def test_a_group_is_on_one_side_of_the_hold_out(study, few_are_many) -> None:
    donors = np.repeat(np.arange(10), 4)
    problem = fit(study, groups=donors)._run.problem
    assert problem.n_folds == 1
    assert not set(donors[problem.held_out[0]]) & set(donors[problem.train[0]])


def test_mini_batches_of_sparse_rows_are_learnt_from(study, few_are_many) -> None:
    x = study[0].to_numpy().copy()
    x[x < 4] = 0
    clf = fit((sparse.csr_matrix(x), study[1]), searcher_args={"trainer_args": {"batch_size": 8}})
    assert clf.score(x, study[1]) > 0.9
    assert np.isfinite(clf.estimate_["value"])


# ---- the hold-out


def one_hold_out(codes: np.ndarray, groups: np.ndarray | None, seed: int, names: list[str]) -> Folds:
    return choose_folds(len(codes), codes, groups, None, seed, names)


def test_the_hold_out_is_a_fifth_and_stratified(few_are_many) -> None:
    codes = np.repeat([0, 1], [80, 20])
    split = one_hold_out(codes, None, 0, ["a", "b"])
    assert np.bincount(codes[split.held_out[0]]).tolist() == [16, 4]


def test_the_hold_out_is_capped(few_are_many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "_MOST_HELD_OUT", 10)
    split = one_hold_out(np.arange(200) % 2, None, 0, ["a", "b"])
    assert split.held_out.sum() == 10 and split.train.sum() == 190


def test_few_groups_are_a_lower_cap(few_are_many, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "_MOST_HELD_OUT", 10)
    groups = np.arange(200) // 10
    split = one_hold_out(np.arange(200) % 2, groups, 0, ["a", "b"])
    assert split.held_out.sum() == 20 and len(set(groups[split.held_out[0]])) == 2


def test_classes_without_a_held_out_sample_are_named(few_are_many) -> None:
    codes = np.concatenate([np.arange(100) % 2, [2]])
    split = one_hold_out(codes, None, 0, ["class 'a'", "class 'b'", "class 'rare'"])
    assert any("No sample of class 'rare' is held out: never scored" in note for note in split.notes)


@pytest.mark.parametrize(("n", "expected"), [(20_000, 5), (20_001, None)])
def test_folds_by_size_where_none_are_asked_for(n: int, expected: int | None) -> None:
    assert usual_folds(n) == expected


# ---- views and steps


def test_many_samples_get_two_views_or_those_of_the_users_space() -> None:
    assert views_to_fit(20_000, {}) == DEFAULT_VIEWS
    assert views_to_fit(20_001, {}) == ("all", "top300")
    assert views_to_fit(20_001, {"space": HyperSpace(views=("all", "top50"))}) == ("all", "top50")


def test_views_that_there_is_no_time_for_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "fits_preparation", lambda self, seconds: False)
    x, y = np.random.default_rng(0).normal(size=(20, 12)), np.arange(20) % 2
    classifier = GenomeClassifier(max_trials=1, time_limit=None, random_state=0, verbose=0).fit(x, y)
    (note,) = [note for note in classifier.notes_ if "views of the genes" in note]
    assert "were left out" in note and "leading10" in note
    assert {trial["view"] for trial in classifier.leaderboard().to_dict("records")} == {"all"}


def test_a_searcher_that_names_views_gets_all_of_them() -> None:
    assert not may_name_views({"searcher": "bayesian", "searcher_args": {"variants": 3}})
    assert may_name_views(
        {"searcher": "bayesian", "searcher_args": {"space": HyperSpace(views=("all", "log"))}}
    )
    assert may_name_views({"searcher": RandomSearcher(2), "searcher_args": {}})


def test_a_view_of_a_custom_space_is_there_however_short_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "fits_preparation", lambda self, seconds: False)
    x, y = np.random.default_rng(0).normal(size=(20, 12)), np.arange(20) % 2
    searching = {"space": HyperSpace(views=("log",)), "fathers": ("linear",)}
    classifier = GenomeClassifier(
        max_trials=1, time_limit=None, random_state=0, verbose=0, searcher_args=searching
    )
    classifier.fit(x, y)
    assert {trial["view"] for trial in classifier.leaderboard().to_dict("records")} == {"log"}


def split(n: int, held: int) -> tuple[np.ndarray, np.ndarray]:
    held_out = np.arange(n)[None] < held
    return ~held_out, held_out


def test_training_in_whole_batches_stays_as_it_is() -> None:
    settings = TrainingSettings()
    assert scaled_training(settings, *split(1024, 200)) is settings


def test_mini_batches_train_for_epochs_and_are_scored_now_and_then() -> None:
    scaled = scaled_training(TrainingSettings(), *split(40_000, 4_000))
    assert scaled.max_steps == 25 * 71  # 36,000 rows in batches of 512
    assert scaled.score_every == 30
    # A scoring costs a third of a step with as many rows.
    assert 0.1 * scaled.score_every * 512 >= (4_000 + 512) / 3


def test_a_million_rows_train_for_no_more_steps_than_fit_into_minutes() -> None:
    assert scaled_training(TrainingSettings(), *split(1_000_000, 10_000)).max_steps == MOST_STEPS


def test_steps_the_user_gave_stay() -> None:
    scaled = scaled_training(TrainingSettings(max_steps=7), *split(100_000, 10_000), steps_given=True)
    assert (scaled.max_steps, scaled.score_every) == (7, 7)
