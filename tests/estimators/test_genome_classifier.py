"""What a person does with a GenomeClassifier."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    matthews_corrcoef,
    roc_auc_score,
)

import genokeras as gk
from genokeras import DataError, GenomeClassifier, NotFittedError, ParameterError, RunFolderError
from genokeras.encoders import checked_answers
from genokeras.graph import get_father
from genokeras.searchers import RandomSearcher


def quick(path: Path | None = None, **arguments: object) -> GenomeClassifier:
    settings = {"time_limit": None, "max_trials": 5, "random_state": 0, "verbose": 0} | arguments
    return GenomeClassifier(path, **settings)


def test_probabilities_follow_the_classes_and_sum_to_one(fitted, study):
    probabilities = fitted.predict_proba(study[0])
    assert probabilities.shape == (40, 2)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert list(fitted.classes_) == ["healthy", "tumor"]
    assert (fitted.predict(study[0]) == fitted.classes_[probabilities.argmax(axis=1)]).all()


def test_new_samples_of_the_same_kind_are_told_apart(fitted, study):
    rng = np.random.default_rng(5)
    y = np.repeat(["healthy", "tumor"], 30)
    x = rng.normal(5.0, 2.0, size=(60, 120)).astype("float32")
    x[30:, :8] += 4.0
    assert fitted.score(pd.DataFrame(x, columns=study[0].columns), y) > 0.9


def test_evaluate_agrees_with_scikit_learn(fitted, study):
    x, y = study
    wrong = y.copy()
    wrong[:6] = np.where(y[:6] == "tumor", "healthy", "tumor")
    found = fitted.evaluate(x, wrong)
    probabilities, predicted = fitted.predict_proba(x), fitted.predict(x)
    expected = {
        "accuracy": accuracy_score(wrong, predicted),
        "balanced_accuracy": balanced_accuracy_score(wrong, predicted),
        "log_loss": log_loss(wrong, probabilities),
        "roc_auc": roc_auc_score(wrong, probabilities[:, 1]),
        "f1": f1_score(wrong, predicted, average="macro"),
        "mcc": matthews_corrcoef(wrong, predicted),
    }
    assert found == pytest.approx(expected, rel=1e-4)


def test_estimate_stands_beside_baseline_and_chance(fitted):
    estimate = fitted.estimate_
    low, high = estimate["interval"]
    assert estimate["metric"] == "log_loss"
    assert low <= estimate["value"] <= high < estimate["chance"]
    assert estimate["linear_baseline"] < estimate["chance"]
    assert estimate["also"]["balanced_accuracy"]["chance"] == 0.5


def test_leaderboard_ranks_trials_against_the_linear_baseline(fitted):
    table = fitted.leaderboard()
    assert list(table["rank"]) == list(range(1, 25))
    assert table["score"].is_monotonic_increasing
    linear = table[table["graph"] == "linear"]
    assert linear["gap"].max() == pytest.approx(0)
    assert table["share"].sum() == pytest.approx(1)
    assert {"model_id", "father", "origin", "generation", "views", "se", "parameters", "seconds"} <= set(
        table.columns
    )


def test_genes_in_another_order_are_put_in_order(fitted, study):
    x = study[0]
    shuffled = x[np.random.default_rng(0).permutation(x.columns)]
    np.testing.assert_array_equal(fitted.predict_proba(shuffled), fitted.predict_proba(x))


def test_missing_genes_are_listed(fitted, study):
    with pytest.raises(DataError, match=r"GENE3.*GENE7"):
        fitted.predict(study[0].drop(columns=["GENE3", "GENE7"]))


@pytest.mark.parametrize("value", [3e38, -3e38, 2e15])
def test_values_that_would_overflow_are_refused(fitted, study, value):
    x = study[0].copy()
    x.iloc[3, 5] = value
    for use in (fitted.predict_proba, lambda x: fitted.evaluate(x, study[1])):
        with pytest.raises(
            DataError, match=rf"1 value is beyond 1e\+15: sample '{x.index[3]}', gene 'GENE5'"
        ):
            use(x)
    x.iloc[3, 5] = 1e14
    assert np.isfinite(fitted.predict_proba(x)).all()


def test_a_model_without_a_finite_answer_names_the_samples():
    with pytest.raises(DataError, match=r"no finite answer for 1 sample: b\. Their values are so far"):
        checked_answers(np.array([[0.5, 0.5], [np.nan, np.nan]]), ["a", "b"])


def test_wrong_gene_count_is_said(fitted, study):
    with pytest.raises(DataError, match=r"119 features.*expecting 120"):
        fitted.predict(study[0].to_numpy()[:, 1:])


def test_predict_before_fit_says_what_to_do(study):
    with pytest.raises(NotFittedError, match=r"not fitted yet: call fit\(x, y\)"):
        GenomeClassifier().predict(study[0])


def test_sparse_and_dense_predict_alike(fitted, study):
    x = study[0].to_numpy()
    np.testing.assert_allclose(fitted.predict_proba(sparse.csr_matrix(x)), fitted.predict_proba(x), atol=1e-6)


def test_a_fit_on_a_sparse_matrix_equals_one_on_its_dense_copy(study):
    x, y = study[0].to_numpy().copy(), study[1]
    x[x < 4] = 0
    dense = quick().fit(x, y)
    from_sparse = quick().fit(sparse.csr_matrix(x), y)
    np.testing.assert_allclose(from_sparse.predict_proba(x), dense.predict_proba(x), atol=1e-4)


def test_second_fit_forgets_the_first(study, tmp_path):
    x, y = study
    clf = quick(tmp_path / "run").fit(x, y)
    first = clf.path_
    three = np.array(["a", "b", "c"])[np.arange(40) % 3]
    clf.set_params(max_trials=3).fit(x.iloc[:, :50], three)
    assert list(clf.classes_) == ["a", "b", "c"]
    assert clf.n_features_in_ == 50
    assert clf.n_trials_ == 3 and len(clf.leaderboard()) == 3
    assert clf.path_ == first


def test_resume_goes_on_where_the_run_stopped(study, tmp_path):
    x, y = study
    first = quick(tmp_path / "run").fit(x, y)
    again = quick(tmp_path / "run", resume=True, max_trials=9).fit(x, y)
    assert again.n_trials_ == 9
    assert list(first.leaderboard().sort_values("model_id")["score"]) == pytest.approx(
        list(again.leaderboard().sort_values("model_id")["score"][:5])
    )


@pytest.mark.slow
def test_a_run_stopped_and_resumed_tries_what_one_run_would_have(study, tmp_path):
    """Stopped between two asks, of which the first is for the design."""
    x, y = study
    whole = quick(tmp_path / "whole", max_trials=30).fit(x, y)
    journal = (tmp_path / "whole" / "journal.jsonl").read_text().splitlines()
    asked = [event["trials"] for event in map(json.loads, journal) if event["event"] == "asked"]
    quick(tmp_path / "parts", max_trials=asked[1]).fit(x, y)
    parts = quick(tmp_path / "parts", max_trials=30, resume=True).fit(x, y)
    assert _tried(parts.path_) == _tried(whole.path_)


def _tried(path: Path) -> list[tuple[str, float]]:
    events = [json.loads(line) for line in (path / "journal.jsonl").read_text().splitlines()]
    return [(e["fingerprint"], round(e["score"], 5)) for e in events if e["event"] == "trial"]


def test_resume_refuses_other_data(study, tmp_path):
    x, y = study
    quick(tmp_path / "run").fit(x, y)
    with pytest.raises(RunFolderError, match="was run with other samples"):
        quick(tmp_path / "run", resume=True).fit(x + 1, y)


def test_resume_refuses_other_settings(study, tmp_path):
    x, y = study
    quick(tmp_path / "run").fit(x, y)
    with pytest.raises(RunFolderError, match=r"folds=3 \(the run has 5\)"):
        quick(tmp_path / "run", resume=True, folds=3).fit(x, y)


def test_saved_and_loaded_classifier_is_the_same(fitted, study, tmp_path):
    fitted.save(tmp_path / "copy")
    loaded = GenomeClassifier.load(tmp_path / "copy")
    np.testing.assert_allclose(loaded.predict_proba(study[0]), fitted.predict_proba(study[0]), atol=1e-6)
    pd.testing.assert_frame_equal(loaded.leaderboard(), fitted.leaderboard())
    assert loaded.estimate_ == json.loads(json.dumps(fitted.estimate_))


def test_a_run_killed_before_its_end_loads_from_its_trials(fitted, study, tmp_path):
    fitted.save(tmp_path / "killed")
    for name in ("result.json", "best.keras", "best.json"):
        (tmp_path / "killed" / name).unlink()
    loaded = GenomeClassifier.load(tmp_path / "killed")
    assert loaded.stop_reason_ == "killed"
    np.testing.assert_allclose(loaded.predict_proba(study[0]), fitted.predict_proba(study[0]), atol=1e-5)


def test_load_of_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(RunFolderError, match=r"has no run\.json"):
        GenomeClassifier.load(tmp_path)


def test_searcher_history_and_graphs_are_handed_out_as_in_classic_autokeras(fitted):
    searcher = fitted.load_searcher()
    assert len(searcher.history) == 24
    assert {"model_id", "father_id", "loss", "metric_value"} <= set(searcher.history[0])
    best = searcher.load_best_model()
    assert best.fingerprint() == searcher.load_model_by_id(fitted.get_best_model_id()).fingerprint()


def test_fresh_keras_model_of_a_graph_can_be_trained_by_keras(fitted, study):
    # One Input: the views of several would have to be given by name.
    trial = next(t for t in fitted._run.history.ok() if t.id > 12 and len(t.proposal.graph.inputs) == 1)
    model = fitted.load_searcher().load_model_by_id(trial.id).produce_keras_model(weights=False)
    x = (study[0].to_numpy() - 5) / 2
    codes = (study[1] == "tumor").astype("int32")
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(x, codes, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_trained_keras_model_of_a_graph_predicts_from_raw_values(fitted, study):
    model = fitted.load_searcher().load_best_model().produce_keras_model(weights=True)
    probabilities = np.asarray(model(study[0].to_numpy()))
    assert (probabilities.argmax(axis=1) == (study[1] == "tumor")).mean() > 0.9


def test_graph_file_loads_with_its_trained_weights(fitted):
    graph = gk.load_graph(fitted.path_ / "trials" / f"{fitted.get_best_model_id():06d}" / "graph.json")
    assert isinstance(graph, gk.Graph)
    assert graph.produce_keras_model(weights=True).input_shape == (None, 120)


def test_unknown_model_id_names_those_there_are(fitted):
    with pytest.raises(RunFolderError, match="no trial 99; its trials are 0 to 23"):
        fitted.load_searcher().load_model_by_id(99)


def test_final_fit_trains_one_architecture_on_all_rows(study, tmp_path):
    x, y = study
    clf = quick(tmp_path / "run", max_trials=8).fit(x.iloc[:30], y[:30])
    before = clf.predict_proba(x)
    clf.final_fit(x.iloc[:30], y[:30], x.iloc[30:], y[30:])
    assert set(clf.final_evaluation_) >= {"accuracy", "log_loss"}
    assert not np.allclose(clf.predict_proba(x), before)
    assert (clf.predict(x.iloc[:30]) == y[:30]).all()
    loaded = GenomeClassifier.load(tmp_path / "run")
    np.testing.assert_allclose(loaded.predict_proba(x), clf.predict_proba(x), atol=1e-6)
    assert loaded.final_evaluation_ == clf.final_evaluation_
    clf.final_fit(x.iloc[:30], y[:30])
    assert GenomeClassifier.load(tmp_path / "run").final_evaluation_ is None


def test_test_data_of_final_fit_never_steers(study, tmp_path):
    x, y = study
    clf = quick(tmp_path / "run").fit(x.iloc[:30], y[:30])
    clf.final_fit(x.iloc[:30], y[:30], x.iloc[30:], y[30:])
    with_test = clf.predict_proba(x)
    clf.final_fit(x.iloc[:30], y[:30])
    np.testing.assert_array_equal(clf.predict_proba(x), with_test)


def test_final_fit_without_retraining_goes_on_from_the_fold_members(study):
    x, y = study
    clf = quick().fit(x, y)
    clf.final_fit(x, y, trainer_args={"max_iter_num": 10}, retrain=False)
    assert clf.score(x, y) > 0.9


def test_validation_data_takes_the_place_of_folds(study):
    x, y = study
    clf = quick().fit(x.iloc[:24], y[:24], validation_data=(x.iloc[24:], y[24:]))
    assert clf.estimate_["n_samples"] == 16


def test_groups_never_stand_on_both_sides(study):
    x, y = study
    donors = np.repeat(np.arange(20), 2)
    clf = quick().fit(x, y, groups=donors)
    problem = clf._run.problem
    for train, held_out in zip(problem.train, problem.held_out, strict=True):
        assert not set(donors[train]) & set(donors[held_out])


@pytest.mark.slow
def test_sample_weights_decide_whom_the_networks_believe(study):
    """Every sample stands there twice, the second time with the other label and next to no weight."""
    x, y = study
    other = np.where(y == "tumor", "healthy", "tumor")
    weight = np.repeat([1.0, 1e-3], 40)
    clf = quick().fit(np.vstack([x, x]), np.concatenate([y, other]), sample_weight=weight)
    assert clf.score(x, y) > 0.9
    turned = quick().fit(np.vstack([x, x]), np.concatenate([y, other]), sample_weight=weight[::-1])
    assert turned.score(x, y) < 0.1


def test_missing_values_are_filled_by_the_model_itself(study, tmp_path):
    x, y = study
    holed = x.copy()
    holed.iloc[3, 5] = np.nan
    clf = quick(tmp_path / "run", missing="median").fit(holed, y)
    filled = x.copy()
    filled.iloc[3, 5] = np.nanmedian(holed.to_numpy()[:, 5])
    np.testing.assert_allclose(clf.predict_proba(holed), clf.predict_proba(filled), atol=1e-6)


def test_a_sample_of_which_nothing_was_measured_gets_no_answer(study, tmp_path):
    x, y = study
    holed = x.mask(np.random.default_rng(0).uniform(size=x.shape) < 0.3)
    clf = quick(tmp_path / "run", missing="median").fit(holed, y)
    new = holed.iloc[:3].copy()
    new.iloc[0] = np.nan
    for ask in (clf.predict_proba, clf.novelty, lambda x: clf.predict(x, abstain=0.8), clf.prepare_samples):
        with pytest.raises(gk.DataError, match="1 sample has no value at all: S00. .*leave this sample out"):
            ask(new)
    with pytest.raises(gk.DataError, match="no value at all: S00"):
        quick(missing="median").fit(pd.concat([new, holed.iloc[3:]]), y)
    new.iloc[0, :5] = holed.iloc[3, :5]
    with pytest.warns(UserWarning, match="far more missing values than any in training, .*: S00 .9"):
        assert len(clf.predict(new)) == 3
    with pytest.warns(UserWarning, match="far more missing values than any in training"):
        clf.prepare_samples(new)


def test_gaps_of_a_sparse_matrix_are_filled_for_novelty_too(study):
    x, y = study
    holed = x.to_numpy(copy=True)
    holed[3, 5] = np.nan
    clf = quick(missing="median").fit(sparse.csr_matrix(holed), y)
    pd.testing.assert_frame_equal(clf.novelty(sparse.csr_matrix(holed[:4])), clf.novelty(holed[:4]))


def test_a_plug_in_searcher_is_asked(study):
    asked = []

    class LinearOnly(gk.Searcher):
        def __init__(self, n_outputs: int) -> None:
            self.n_outputs = n_outputs

        def ask(self, history, n, rng):
            asked.append(len(history))
            if len(history):
                return []
            graph = get_father("linear", self.n_outputs)
            return [gk.Proposal(graph, gk.HyperParameters(weight_decay=d)) for d in (0.1, 0.3)][:n]

    clf = quick(searcher_args={"search_type": LinearOnly}).fit(*study)
    assert asked == [0, 2]
    assert clf.stop_reason_ == "space" and clf.n_trials_ == 2


def test_a_searcher_instance_is_taken_as_it_is(study):
    searcher = RandomSearcher(2, fathers=("linear",))
    clf = quick(searcher=searcher).fit(*study)
    assert set(clf.leaderboard()["father"].isna()) == {True}
    with pytest.raises(ParameterError, match="need a searcher by name or class, not an instance"):
        quick(searcher=searcher, searcher_args={"fathers": ["mlp"]}).fit(*study)


def test_trainer_args_bound_the_steps_of_a_trial(study):
    clf = quick(searcher_args={"trainer_args": {"max_iter_num": 10}}).fit(*study)
    assert clf.leaderboard()["step"].max() <= 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "logloss_"}, "Did you mean 'logloss'"),
        ({"searcher": "bayesan"}, "Did you mean 'bayesian'"),
        ({"folds": 1}, "folds must be a whole number of at least 2"),
        ({"max_trials": 0}, "max_trials must be a whole number of at least 1"),
        ({"max_trials": None}, "give a time_limit, max_trials, or both"),
        ({"time_limit": -3}, "time_limit .seconds. must be a number above 0"),
        ({"executor": "slurm"}, "executor must be one of 'local', 'pool'"),
        ({"executor": "pool", "executor_args": {"thread": 1}}, "Did you mean 'threads'"),
        ({"missing": "mean"}, "missing must be one of error, median, keep"),
        ({"random_state": -1}, "random_state .seed. must be a whole number"),
        ({"random_state": 2**40}, "from 0 to 4294967295"),
        ({"searcher_args": {"trainer_args": {"max_iter": 5}}}, "Did you mean 'max_iter_num'"),
        (
            {"searcher_args": {"trainer_args": {"max_iter_num": 0}}},
            "max_steps must be a whole number of at least 1",
        ),
        ({"searcher_args": {"father": ["linear"]}}, "Did you mean 'fathers'"),
        ({"searcher_args": {"search_type": 3}}, "search_type must be"),
    ],
)
def test_wrong_parameters_are_named_before_anything_is_written(arguments, message, study, tmp_path):
    with pytest.raises(ParameterError, match=message):
        quick(tmp_path / "run", **arguments).fit(*study)
    assert not (tmp_path / "run").exists()


def test_scikit_learn_can_clone_it():
    clf = GenomeClassifier("runs/x", folds=3, random_state=4)
    assert clone(clf).get_params() == clf.get_params()


def test_export_writes_classes_and_genes_beside_the_model(fitted, tmp_path):
    fitted.export_keras_model(tmp_path / "model.keras")
    sidecar = json.loads((tmp_path / "model.json").read_text())
    assert sidecar["classes"] == ["healthy", "tumor"]
    assert sidecar["feature_names"][:2] == ["GENE0", "GENE1"]
