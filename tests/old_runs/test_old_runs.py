"""Runs of an earlier version are loaded, reported and resumed by this one."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras.support import RunFolder
from tests.old_runs import samples
from tests.old_runs import settings as made

FIXTURES = Path(__file__).parents[1] / "fixtures"
ESTIMATORS = made.estimator_kinds()
MODULES = made.module_kinds()
KINDS = [*ESTIMATORS, "genome_killed"]
RESUMED = [
    "genome_classifier",
    "genome_missing",
    "genome_enas",
    "sequence_regressor",
    "text_classifier",
    "image_backbone",
]
# Of each kind of samples one, classes or numbers; what the others would add is in the tests of the report.
REPORTED = [
    "genome_killed",
    "genome_enas",
    "sequence_regressor",
    "text_regressor",
    "image_classifier",
    "image_backbone",
]
# Predictions of a stored model, on another processor.
CLOSE = {"atol": 1e-4, "rtol": 1e-3}


@pytest.fixture
def copy(tmp_path):
    def of(kind, *without):
        target = tmp_path / kind
        shutil.copytree(FIXTURES / "runs" / kind, target)
        for name in without:
            (target / name).unlink(missing_ok=True)
        return target

    return of


def expected(kind):
    with np.load(FIXTURES / "expected" / f"{kind}.npz") as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads((FIXTURES / "expected" / f"{kind}.json").read_text(encoding="utf-8"))


def kind_of(folder):
    """How the run in a folder was made; that of a killed one is another's."""
    return ESTIMATORS["genome_classifier" if folder == "genome_killed" else folder]


def same(found, known):
    if np.asarray(found).dtype.kind in "fc":
        np.testing.assert_allclose(found, known, **CLOSE)
    else:
        np.testing.assert_array_equal(np.asarray(found).astype(str), known.astype(str))


def new_samples(kind):
    found = getattr(samples, kind_of(kind)[1])(new=True)
    return made.samples(kind, found), found["y"], {"extra": found["extra"]} if "extra" in found else {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_answers_as_it_did(kind, copy):
    arrays, facts = expected(kind)
    est = gk.load_estimator(copy(kind))
    x, y, extra = new_samples(kind)
    assert type(est).__name__ == facts["class"]
    assert (est.n_trials_, est.stop_reason_, list(est.notes_)) == (
        facts["n_trials"],
        facts["stop_reason"],
        facts["notes"],
    )
    # A table's run that was killed is delivered now, and weighs its trials as this version does.
    weighed_now = kind == "genome_killed"
    apart = 0.05 if weighed_now else 1e-4
    assert est.estimate_["value"] == pytest.approx(facts["estimate_value"], abs=apart)
    same(est.predict(x, **extra), arrays["predictions_new"])
    if hasattr(est, "predict_proba") and not weighed_now:
        same(est.predict_proba(x, **extra), arrays["probabilities_new"])
    assert est.evaluate(x, y, **extra) == pytest.approx(facts["evaluated_new"], abs=max(apart, 1e-3))
    table = est.leaderboard().set_index("model_id")
    for row in facts["leaderboard"]:
        assert table.loc[row["model_id"], "graph"] == row["graph"]
        assert table.loc[row["model_id"], "score"] == pytest.approx(row["score"], rel=1e-5)


@pytest.mark.parametrize("kind", ["genome_classifier", "genome_checksums"])
def test_every_line_of_a_journal_counts(kind):
    folder = RunFolder(FIXTURES / "runs" / kind)
    lines = (folder.path / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert not folder.damaged_lines() and len(list(folder.journal())) == len(lines)
    assert sum(event["event"] == "trial" for event in folder.journal()) == expected(kind)[1]["n_trials"]


@pytest.mark.parametrize("kind", REPORTED)
def test_a_run_is_reported(kind, copy, tmp_path):
    folder = copy(kind)
    if kind == "genome_killed":
        gk.load_estimator(folder)  # chooses a model, which the run was killed before it did
    page = gk.write_report(folder, tmp_path / "report.html")
    assert page.stat().st_size > 10_000
    assert (tmp_path / "report_model_card.md").exists()


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_is_reported_with_a_score_that_is_said_to_flatter(kind, copy, tmp_path):
    page = gk.write_report(copy(kind), tmp_path / "report.html").read_text(encoding="utf-8")
    card = (tmp_path / "report_model_card.md").read_text(encoding="utf-8")
    for text in (page, card):
        assert "so it flatters" in text and "corrected for" not in text
        assert "Module.load(" in text and "numpy.load(" in text
    assert "on the samples that chose it" in page


@pytest.mark.parametrize("kind", RESUMED)
def test_a_run_goes_on(kind, copy):
    name, source, options, further = kind_of(kind)
    found = getattr(samples, source)()
    most = expected(kind)[1]["n_trials"] + 2
    again = {**made.COMMON, **options, "resume": True, "max_trials": most}
    est = getattr(gk, name)(copy(kind), **again)
    est.fit(made.samples(kind, found), found["y"], **{argument: found[argument] for argument in further})
    facts = expected(kind)[1]
    assert est.n_trials_ == expected(f"{kind}_resumed")[1]["n_trials"] > facts["n_trials"]
    table = est.leaderboard().set_index("model_id")
    for row in facts["leaderboard"]:
        assert table.loc[row["model_id"], "score"] == pytest.approx(row["score"], rel=1e-5)
    x, _, extra = new_samples(kind)
    assert np.shape(est.predict(x, **extra)) == expected(kind)[0]["predictions_new"].shape


def went_on(place, weight_of):
    _, source, options, _ = ESTIMATORS["genome_classifier"]
    found = getattr(samples, source)()
    est = gk.GenomeClassifier(place, **made.COMMON, **{**options, "resume": True, "max_trials": 2})
    weight = weight_of(found["sample_weight"])
    return est.fit(
        made.samples("genome_classifier", found), found["y"], groups=found["groups"], sample_weight=weight
    )


def test_a_run_does_not_go_on_with_other_weights(copy):
    with pytest.raises(gk.RunFolderError, match="other sample_weight"):
        went_on(copy("genome_classifier"), lambda weight: weight[::-1])


def test_a_run_goes_on_with_its_weights_times_a_factor(copy):
    place = copy("genome_classifier")
    before = gk.load_estimator(place).n_trials_
    with pytest.warns(UserWarning, match="trials already"):
        assert went_on(place, lambda weight: weight * 2).n_trials_ == before


@pytest.mark.parametrize("kind", ["genome_classifier", "sequence_classifier", "text_classifier"])
def test_a_run_without_its_result_is_finished(kind, copy):
    est = gk.load_estimator(copy(kind, "result.json", "best.keras", "best.json"))
    x, _, extra = new_samples(kind)
    assert est.stop_reason_ == "killed"
    same(est.predict(x, **extra), expected(kind)[0]["predictions_new"])


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_answers_as_it_did(kind, copy):
    name, *_ = MODULES[kind]
    arrays, facts = expected(kind)
    # The earlier version wrote no name of this metric.
    further = {"metric": gk.MSE} if kind == "mlp_regression" else {}
    module = getattr(gk, name).load(copy(kind), **further)
    new = getattr(samples, MODULES[kind][3])(new=True)
    same(module.predict(new["x"]), arrays["predictions_new"])
    assert (module.n_trials_, module.stop_reason_) == (facts["n_trials"], facts["stop_reason"])
    assert module.evaluate((new["x"], new["y"])) == pytest.approx(facts["evaluated_new"], abs=1e-3)


@pytest.mark.parametrize("kind", ["project_resnet", "project_vae", "project_enas"])
def test_a_project_answers_as_it_did(kind, copy):
    arrays, facts = expected(kind)
    new = samples.project_tables(new=True)
    with contextlib.chdir(copy(kind)):
        project = gk.auto("project.json", verbose=0)
        same(project.model.predict(new["x"], verbose=0), arrays["predictions_new"])
        table = project.predict()
        assert list(table.columns) == facts["table_columns"]
        assert project.trained.record.parameters == facts["parameters"]


def test_a_project_whose_model_is_gone_goes_on_behind_its_search(copy):
    with contextlib.chdir(copy("project_resnet")):
        before = gk.auto("project.json", verbose=0).trained.path
        shutil.rmtree(before.parent)
        assert gk.auto("project.json", verbose=0).train().trained.path == before


def test_a_light_model_goes_on_from_its_checkpoint(copy):
    with contextlib.chdir(copy("light_checkpoint")):
        found, new = samples.rings(), samples.rings(new=True)
        model = made.light_model()
        history = model.fit(
            (found["x"], found["y"]),
            (new["x"], new["y"]),
            epochs=made.LIGHT_MORE_EPOCHS,
            **made.LIGHT_OPTIONS,
        )
        known = expected("light_checkpoint")[1]["history"]
        assert list(history["epoch"]) == [1, 2, 3, 4, 5]
        assert list(history["loss"][:3]) == pytest.approx(known["loss"], rel=1e-5)


def test_any_model_goes_on_in_its_folder(copy):
    folder = copy("anymodel_log_dir")
    arrays, facts = expected("anymodel_log_dir")
    same(gk.run(*made.FUNCTIONS, run_mode="predict", log_dir=folder), arrays["predictions_new"])
    done = gk.run(
        *made.FUNCTIONS,
        batch_size=20,
        log_dir=folder,
        max_number_of_steps=made.ANY_MORE_STEPS,
        param_spec=gk.ParamSpec.from_dict(facts["searched"]),
    )
    assert (done.resumed_from, done.steps) == (made.ANY_STEPS, made.ANY_MORE_STEPS)


@pytest.mark.parametrize("kind", [*ESTIMATORS, *MODULES])
def test_graphs_of_linear_models_and_networks_make_fresh_models_of_the_samples(kind):
    files = sorted((FIXTURES / "runs" / kind / "trials").glob("*/graph.json"))
    by_view = {graph.hyper.view: graph for graph in map(gk.load_graph, files)}
    for graph in by_view.values():
        fresh = graph.produce_keras_model()
        trained = graph.produce_keras_model(weights=True)
        assert [(x.name, x.shape) for x in fresh.inputs] == [(x.name, x.shape) for x in trained.inputs]
        assert fresh.output_shape == trained.output_shape
        answers = graph.problem.task.n_outputs
        assert fresh.output_shape == (None, answers) and fresh.trainable_variables
