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
        Each search gets a folder of its own in it, named after its run folder. TensorFlow is not needed.

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
        writer = import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter
        self._writer = writer(str(self.log_dir / Path(start.path).name))
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

    Where a run is active already, such as that of a script, the search is a run within it.

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
        if self.log_model:
            for file in (MODEL_FILE, SIDECAR_FILE):
                self._client.log_artifact(self._run_id, str(run.folder.path / file))
        mlflow, self._run_id = import_module("mlflow"), ""
        mlflow.end_run()


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
