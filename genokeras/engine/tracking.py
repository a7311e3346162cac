"""Searches in the charts of others: TensorBoard and MLflow."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, final

from genokeras.engine.callbacks import SearchCallback, SearchStart
from genokeras.engine.run import MODEL_FILE, SIDECAR_FILE, Run
from genokeras.errors import ParameterError
from genokeras.searchers import TrialResult
from genokeras.support.extras import EXTRAS, needs

_CHARTED = ("loss", "val_loss", "score", "best", "seconds", "parameters")


def _check_extra(doing: str, package: str, extra: str) -> None:
    if EXTRAS[extra].missing:
        raise ParameterError(f"{needs(doing, package, extra)}.")


@final
class TensorBoard(SearchCallback):
    """Writes a search for TensorBoard: ``tensorboard --logdir logs`` charts every number over the trials.

    Parameters
    ----------
    log_dir : path-like
        Each search gets a folder of its own in it, named after its run folder; scores of a final fit on test samples join it. TensorFlow is
        not needed.

    Raises
    ------
    ParameterError
        If ``tensorboard`` is not installed: ``pip install "genokeras[tensorboard]"``.

    Examples
    --------
    >>> import genokeras as gk
    >>> clf = gk.GenomeClassifier(callbacks=[gk.TensorBoard("logs")])  # doctest: +SKIP
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        _check_extra("gk.TensorBoard", "tensorboard", "tensorboard")
        self.log_dir = Path(log_dir)
        self._writer: Any = None

    def on_search_begin(self, start: SearchStart) -> None:
        self._open(start.path)
        text = "\n".join(f"    {name}: {value}" for name, value in flat(start.settings))
        self._write(0, "settings", text=text)

    def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
        for name in _CHARTED:
            if name in logs:
                self._write(trial.id, f"trials/{name}", number=logs[name])
        self._write(trial.id, "trials/network", text=trial.proposal.graph.describe())
        self._writer.flush()

    def on_search_end(self, run: Run) -> None:
        for name, value in estimates_of(run):
            self._write(len(run.history), f"estimate/{name}", number=value)
        self._close()

    def on_final_fit_end(self, run: Run, scores: Mapping[str, float]) -> None:
        if not scores:
            return
        self._open(str(run.folder.path))
        for name, value in finite(scores):
            self._write(len(run.history), f"final_fit/{name}", number=value)
        self._close()

    def _open(self, path: str) -> None:
        writer = import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter
        self._writer = writer(str(self.log_dir / Path(path).name))

    def _close(self) -> None:
        self._writer.close()
        self._writer = None  # an open file cannot be pickled with the estimator

    def _write(self, step: int, tag: str, number: float | None = None, text: str | None = None) -> None:
        proto = import_module("tensorboard.compat.proto.summary_pb2")
        events = import_module("tensorboard.compat.proto.event_pb2")
        if text is None:
            value = proto.Summary.Value(tag=tag, simple_value=number)
        else:
            tensors = import_module("tensorboard.compat.proto.tensor_pb2")
            plugin = proto.SummaryMetadata.PluginData(plugin_name="text")
            # 7 is the number of strings among TensorFlow's types.
            tensor = tensors.TensorProto(dtype=7, string_val=[text.encode()])
            metadata = proto.SummaryMetadata(plugin_data=plugin)
            value = proto.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)
        summary = proto.Summary(value=[value])
        self._writer.add_event(events.Event(wall_time=time.time(), step=step, summary=summary))


@final
class MLflow(SearchCallback):
    """Logs a search as a run of MLflow: its settings, numbers of every trial, the estimate, and the delivered model.

    Where a run is active already, such as that of a script, the search is a run within it. A final fit that follows joins the run of its
    search: the scores of the test samples, and the new model in place of the ensemble.

    Parameters
    ----------
    experiment : str, optional
        By default that of MLflow.
    tracking_uri : str, optional
        By default that of MLflow: ``MLFLOW_TRACKING_URI``.
    log_model : bool, default=True
        Whether the ``.keras`` file and its JSON file are uploaded as artifacts.

    Raises
    ------
    ParameterError
        If ``mlflow`` is not installed: ``pip install "genokeras[mlflow]"``.

    Examples
    --------
    >>> import genokeras as gk
    >>> clf = gk.GenomeClassifier(callbacks=[gk.MLflow("leukemia")])  # doctest: +SKIP
    """

    def __init__(
        self, experiment: str | None = None, tracking_uri: str | None = None, log_model: bool = True
    ) -> None:
        _check_extra("gk.MLflow", "mlflow", "mlflow")
        self.experiment = experiment
        self.tracking_uri = tracking_uri
        self.log_model = log_model
        self._run_id = ""
        self._ended = ("", "")  # the run folder and the MLflow run of the last search

    @property
    def _client(self) -> Any:
        return import_module("mlflow").MlflowClient()

    def on_search_begin(self, start: SearchStart) -> None:
        mlflow = import_module("mlflow")
        if self.tracking_uri is not None:
            mlflow.set_tracking_uri(self.tracking_uri)
        active = mlflow.active_run()
        if active is not None and active.info.run_id == self._run_id:
            mlflow.end_run("FAILED")  # of a search that never came to its end
            active = mlflow.active_run()
        if active is None and self.experiment is not None:
            mlflow.set_experiment(self.experiment)
        name = Path(start.path).name
        self._run_id = mlflow.start_run(run_name=name, nested=active is not None).info.run_id
        for name, value in flat({"objective": start.objective, **start.settings}):
            self._client.log_param(self._run_id, name, value)

    def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
        for name in _CHARTED:
            if name in logs:
                self._client.log_metric(self._run_id, name, logs[name], step=trial.id)

    def on_search_end(self, run: Run) -> None:
        for name, value in estimates_of(run):
            self._client.log_metric(self._run_id, f"estimate_{name}", value)
        self._upload(self._run_id, run)
        self._ended = str(run.folder.path), self._run_id
        mlflow, self._run_id = import_module("mlflow"), ""
        mlflow.end_run()

    def on_final_fit_end(self, run: Run, scores: Mapping[str, float]) -> None:
        path, run_id = self._ended
        if path != str(run.folder.path):
            return  # of a search that this callback has not seen
        for name, value in finite(scores):
            self._client.log_metric(run_id, f"final_fit_{name}", value)
        self._upload(run_id, run)

    def _upload(self, run_id: str, run: Run) -> None:
        for file in (MODEL_FILE, SIDECAR_FILE) if self.log_model else ():
            self._client.log_artifact(run_id, str(run.folder.path / file))


def finite(scores: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Scores that have a value, which one without samples of some class has not."""
    return ((name, float(value)) for name, value in scores.items() if value == value)


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names such as ``settings.folds``, and values as short texts."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", str(value)[:250]


def estimates_of(run: Run) -> Iterator[tuple[str, float]]:
    """The corrected estimate of each metric, the ends of its interval, the linear model alone and chance."""
    estimate = run.delivery.estimate
    if "value" not in estimate:
        return
    for one in (estimate, *estimate.get("also", {}).values()):
        named = {"": one["value"], "_linear": one["linear_baseline"], "_chance": one["chance"]}
        named |= dict(zip(("_low", "_high"), one["interval"] or (None, None), strict=True))
        for behind, value in named.items():
            if value is not None and value == value:
                yield f"{one['metric']}{behind}", float(value)
