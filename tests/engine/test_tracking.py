"""Searches in TensorBoard and MLflow; where one of them is missing, its extra is named."""

from __future__ import annotations

import pickle
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import genokeras as gk
from genokeras.engine import SearchStart
from genokeras.engine.tracking import flat
from genokeras.errors import ParameterError
from genokeras.support.extras import install_command
from tests.estimators.conftest import make_study

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 3, "folds": 3, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize(("kind", "extra"), [(gk.TensorBoard, "tensorboard"), (gk.MLflow, "mlflow")])
def test_a_missing_package_names_its_extra(kind: Any, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ParameterError) as caught:
        kind()
    assert f"gk.{kind.__name__} needs {extra}" in str(caught.value) and install_command(extra) in str(
        caught.value
    )


def test_settings_are_flat_and_short() -> None:
    found = dict(flat({"seed": 1, "settings": {"folds": None, "text": "x" * 999}}))
    assert found["seed"] == "1" and found["settings.folds"] == "None" and len(found["settings.text"]) == 250


def test_tensorboard_gets_numbers_of_each_trial_and_the_estimate(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = gk.TensorBoard(tmp_path / "logs")
    clf = gk.GenomeClassifier(tmp_path / "run", callbacks=[board], **QUICK).fit(*make_study(p=16))
    events = EventAccumulator(str(tmp_path / "logs" / "run"), size_guidance={"tensors": 0})
    events.Reload()
    tags = events.Tags()
    values = {event.step: event.value for event in events.Scalars("trials/score")}
    assert values == pytest.approx(clf.leaderboard().set_index("model_id")["score"].to_dict(), rel=1e-6)
    assert {"trials/loss", "trials/best", "estimate/log_loss", "estimate/log_loss_low"} <= set(
        tags["scalars"]
    )
    assert {"settings", "trials/network"} <= set(tags["tensors"])
    text = events.Tensors("trials/network")[0].tensor_proto.string_val[0].decode()
    assert text == "linear" and pickle.loads(pickle.dumps(board)).log_dir == tmp_path / "logs"


def test_tensorboard_gets_the_scores_of_a_final_fit_too(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    x, y = make_study(p=16)
    clf = gk.GenomeClassifier(tmp_path / "run", callbacks=[gk.TensorBoard(tmp_path / "logs")], **QUICK)
    clf.fit(x, y).final_fit(x, y, x, y, trainer_args={"max_iter_num": 3})
    events = EventAccumulator(str(tmp_path / "logs" / "run"))
    events.Reload()
    assert clf.final_evaluation_ is not None
    (found,) = events.Scalars("final_fit/log_loss")
    assert found.value == pytest.approx(clf.final_evaluation_["log_loss"], rel=1e-6)


class FakeClient:
    """Of MLflow: keeps what it is told."""

    metrics: ClassVar[list[tuple[str, str, float]]] = []
    files: ClassVar[list[tuple[str, str]]] = []

    def log_param(self, run_id: str, name: str, value: str) -> None:
        pass

    def log_metric(self, run_id: str, name: str, value: float, step: int = 0) -> None:
        self.metrics.append((run_id, name, value))

    def log_artifact(self, run_id: str, path: str) -> None:
        self.files.append((run_id, Path(path).name))


def test_a_final_fit_joins_the_mlflow_run_of_its_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = ModuleType("mlflow")
    module.__spec__ = ModuleSpec("mlflow", None)
    module.active_run = lambda: None
    module.start_run = lambda **_: SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    module.end_run = lambda *_: None
    module.MlflowClient = FakeClient
    monkeypatch.setitem(sys.modules, "mlflow", module)
    x, y = make_study(p=16)
    clf = gk.GenomeClassifier(tmp_path / "run", callbacks=[gk.MLflow()], **QUICK).fit(x, y)
    FakeClient.metrics.clear(), FakeClient.files.clear()
    clf.final_fit(x, y, x, y, trainer_args={"max_iter_num": 3})
    assert clf.final_evaluation_ is not None
    expected = {("r1", f"final_fit_{name}", value) for name, value in clf.final_evaluation_.items()}
    assert set(FakeClient.metrics) == expected
    assert FakeClient.files == [("r1", "best.keras"), ("r1", "best.json")]
    FakeClient.metrics.clear()
    other = gk.load_estimator(clf.save(tmp_path / "copy")).set_params(callbacks=clf.callbacks)
    other.final_fit(x, y, x, y, trainer_args={"max_iter_num": 3})
    assert not FakeClient.metrics  # its search was another one


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    module = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    yield module
    module.end_run()


@pytest.mark.filterwarnings("ignore")  # of MLflow, about its own parts
def test_mlflow_gets_settings_numbers_and_the_model(mlflow: Any, tmp_path: Path) -> None:
    tracker = gk.MLflow("leukemia", tracking_uri=(tmp_path / "tracked").as_uri())
    clf = gk.GenomeClassifier(tmp_path / "run", callbacks=[tracker], **QUICK).fit(*make_study(p=16))
    assert mlflow.active_run() is None
    [run] = mlflow.MlflowClient().search_runs([mlflow.get_experiment_by_name("leukemia").experiment_id])
    assert run.data.params["seed"] == "0" and run.data.params["settings.folds"] == "3"
    assert run.data.metrics["estimate_log_loss"] == pytest.approx(clf.estimate_["value"])
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "score")
    board = clf.leaderboard().set_index("model_id")["score"].to_dict()
    assert {one.step: one.value for one in history} == pytest.approx(board)
    files = {file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)}
    assert files == {"best.keras", "best.json"}
    x, y = make_study(p=16)
    clf.final_fit(x, y, x, y, trainer_args={"max_iter_num": 3})
    [run] = mlflow.MlflowClient().search_runs([run.info.experiment_id])
    assert clf.final_evaluation_ is not None
    assert run.data.metrics["final_fit_log_loss"] == pytest.approx(clf.final_evaluation_["log_loss"])


@pytest.mark.filterwarnings("ignore")
def test_searches_within_a_run_are_runs_of_their_own_and_one_that_broke_off_is_failed(
    mlflow: Any, tmp_path: Path
) -> None:
    mlflow.set_tracking_uri((tmp_path / "tracked").as_uri())
    mlflow.set_experiment("others")
    tracker = gk.MLflow(log_model=False)
    with mlflow.start_run() as active:
        tracker.on_search_begin(SearchStart("runs/a", "log_loss", False, {"seed": 1}, 0))
        broken = tracker._run_id
        for _ in range(2):
            gk.GenomeClassifier(callbacks=[tracker], **QUICK).fit(*make_study(p=16))
        assert mlflow.active_run().info.run_id == active.info.run_id
    runs = {run.info.run_id: run for run in mlflow.MlflowClient().search_runs([active.info.experiment_id])}
    assert (
        len(runs) == 4
        and runs.pop(broken).info.status == "FAILED"
        and not runs.pop(active.info.run_id).data.metrics
    )
    for run in runs.values():
        assert run.data.tags["mlflow.parentRunId"] == active.info.run_id and run.info.status == "FINISHED"
        assert np.isfinite(run.data.metrics["best"])
