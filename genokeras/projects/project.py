"""A project: one JSON file, four calls."""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from genokeras.errors import DataError
from genokeras.explain import Explanation, explain_model, write_autogenome_files
from genokeras.keras_models.devices import asked_device
from genokeras.projects import announce
from genokeras.projects.config import EnasConfig, ProjectConfig, read_config
from genokeras.projects.data import (
    ProjectData,
    aligned,
    evaluates_training_file,
    load_evaluation,
    load_names,
    load_prediction,
    load_training,
)
from genokeras.projects.encoder_columns import as_encoder_reads
from genokeras.projects.results import (
    TrainedModel,
    newest,
    read_table,
    score_outputs,
    write_confusion,
    write_latent,
    write_metrics,
    write_predictions,
)
from genokeras.projects.training import DECODER_FILE, INTERRUPTED, train_project
from genokeras.projects.vae import score_reconstruction
from genokeras.report.latent import plot_latent
from genokeras.report.plane import FEWEST_POINTS, plane_methods
from genokeras.support.backends import gpu_count
from genokeras.support.keras_files import load_keras
from genokeras.support.precision import single_precision
from genokeras.support.retracing import without_retracing_advice

Result = TypeVar("Result")


def auto(config: str | os.PathLike[str] | Mapping[str, Any], verbose: int = 1) -> Project:
    """Open a project in the style of AutoGenome.

    Parameters
    ----------
    config : path or mapping
        A project's JSON file (comments and trailing commas are fine), or what it holds, as a dict.
    verbose : int
        0 prints nothing.

    Returns
    -------
    Project

    Raises
    ------
    ConfigError
        Where the file is missing or anything in it is wrong: one message with all of it.

    Examples
    --------
    >>> import genokeras as ag
    >>> automl = ag.auto("resnet_test.json")  # doctest: +SKIP
    >>> automl.train(); automl.evaluate(); automl.predict(); automl.explain()  # doctest: +SKIP
    """
    return Project(read_config(config), verbose)


def _placed(method: Callable[[Project], Result]) -> Callable[[Project], Result]:
    """The method, on the device that ``num_gpus`` asks for."""

    @functools.wraps(method)
    def placed(self: Project) -> Result:
        with asked_device(0 if self.config.trainer.num_gpus == 0 else None):
            return method(self)

    return placed


class Project:
    """A project whose configuration was read; `auto` makes them.

    Parameters
    ----------
    config : ProjectConfig or EnasConfig
    verbose : int
        0 prints nothing.
    """

    def __init__(self, config: ProjectConfig | EnasConfig, verbose: int = 1) -> None:
        self.config = config
        self._verbose = verbose
        self._trained: TrainedModel | None = None
        self._model: Any = None
        announce.show_progress(verbose)
        model_type, searched = config.model.type, config.searched
        announce.banner(
            config.source,
            announce.parts_of(model_type, searched=searched),
            announce.ready_to(model_type, searched=searched),
        )

    @property
    def trained(self) -> TrainedModel:
        """The model in use: that of this session, or the one of this name under ``save_dir`` that was finished last.

        Raises
        ------
        NotFittedError
            Where there is none.
        """
        if self._trained is None:
            trainer = self.config.trainer
            self._trained = newest(
                trainer.save_dir,
                self.config.name,
                self.config.subfolder,
                model_type=self.config.model.type,
                task=self.config.task,
            )
        return self._trained

    @property
    def model(self) -> Any:
        """The trained ``keras.Model``: raw features in; probabilities, numbers or latent means out."""
        if self._model is None:
            announce.restored(self.trained.path)
            self._model = load_keras(self.trained.path)
        return self._model

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C, SIGTERM or SIGUSR1 ended the final training of the model in use: `train` then goes on."""
        return bool(self.trained.record.extra.get(INTERRUPTED))

    @_placed
    @single_precision()
    def train(self) -> Self:
        """Select the parameters, train, and keep the best network under ``save_dir``.

        Raises
        ------
        DataError
            Where the training files do not hold what the configuration says.
        SearchError, TrainingError
            Where nothing could be trained.
        KeyboardInterrupt
            If interrupted before the final training, which ends early with its best network so far; SystemExit (143) of SIGTERM and
            SIGUSR1.
        """
        announce.show_progress(self._verbose)
        announce.stage(announce.TRAINING)
        if self.config.trainer.num_gpus and not gpu_count():
            announce.say("num_gpus is 1, but no GPU is found: the processor trains.")
        data = load_training(self.config)
        if self.config.task != "encoding" and data.y is None:
            raise DataError(f"{self.config.source}: data_train.args.labels_file is needed to train.")
        data = as_encoder_reads(self.config, data)
        _say_notes(data)
        self._trained, self._model = train_project(self.config, data), None
        return self

    @_placed
    @single_precision()
    def evaluate(self) -> dict[str, Any]:
        """Evaluate on ``data_evaluate``.

        Returns
        -------
        dict
            Metrics by name. Where the file is the one that was trained on, the rows held out are reported apart, under
            ``"validation"``: the others say nothing of new samples.
        """
        announce.show_progress(self._verbose)
        announce.stage(announce.EVALUATION)
        record = self.trained.record
        data = load_evaluation(self.config, record.classes, self._names(), record.targets)
        _say_notes(data)
        outputs = self._outputs(data, self.config.evaluator.batch_size)
        if record.task == "encoding":
            self._draw_latent(data, outputs, "latent_evaluated")
            return self._evaluated_encoding(data, outputs)
        if data.y is None:
            raise DataError(f"{self.config.source}: data_evaluate.args.labels_file is needed to evaluate.")
        y = data.y
        metrics = self._scored(
            data, lambda rows: score_outputs(record.task, y[rows], outputs[rows], data.targets)
        )
        if record.task == "classification":
            path = write_confusion(
                self.trained.folder, record.model_type, y, outputs.argmax(axis=1), record.classes
            )
            announce.confusion_written(path)
        return metrics

    @_placed
    @single_precision()
    def predict(self) -> pd.DataFrame:
        """Predict ``data_predict``, and write what was predicted.

        Returns
        -------
        pandas.DataFrame
            As in the file that is written.
        """
        announce.show_progress(self._verbose)
        announce.stage(announce.PREDICTION)
        trained, record = self.trained, self.trained.record
        data = load_prediction(self.config, self._names())
        _say_notes(data)
        outputs = self._outputs(data, self.config.predictor.batch_size)
        ids, given = data.sample_ids, data.ids_given
        if record.task == "encoding":
            path = write_latent(trained.folder, record.model_type, ids, outputs, given)
            announce.latent_written(path)
            self._draw_latent(data, outputs, "latent")
        else:
            chances = None if record.task == "regression" else outputs
            found = outputs if chances is None else outputs.argmax(axis=1)
            names = record.classes or record.targets
            path = write_predictions(trained.folder, record.model_type, ids, found, chances, names, given)
            announce.predictions_written(path)
        return read_table(path, record.classes)

    def check_explains(self) -> None:
        """See that the project's model has outputs to explain.

        Raises
        ------
        DataError
            If it is an auto-encoder.
        """
        config = self.config
        if isinstance(config, ProjectConfig) and config.model.type == "VAE" and config.transfer is None:
            raise DataError("a VAE without transfer predicts nothing that could be explained.")

    @_placed
    @single_precision()
    def explain(self) -> Explanation:
        """Rank the features by what they moved the outputs, and write tables and pictures of it.

        The samples are those of ``data_predict``, or without it those trained on; they are compared with the samples
        trained on.

        Returns
        -------
        Explanation
            ``values`` ``(n_samples, n_features, n_outputs)``.

        Raises
        ------
        DataError
            Where the names file does not fit, or the model is an auto-encoder, which has no outputs to explain.
        """
        announce.show_progress(self._verbose)
        announce.say("----------Initialize Shap class")
        self.check_explains()
        record, settings = self.trained.record, self.config.explainer.args
        as_given = load_training(self.config)
        trained_on = aligned(as_given, self._names())
        data = trained_on if self.config.data_predict is None else load_prediction(self.config, self._names())
        samples = min(settings.num_samples, data.n_samples)
        announce.say(
            f"----------Computing shap_values with {samples} examples and {data.n_features} features"
        )
        explanation = explain_model(
            self.model,
            data.x,
            trained_on.x,
            num_samples=settings.num_samples,
            seed=self.config.seed,
            feature_names=load_names(self.config, data, as_given),
            output_names=record.classes or record.targets,
            output="probability" if record.classes else "number",
        )
        folder = self.trained.folder.outputs
        for path in write_autogenome_files(
            explanation, folder, plot_type=settings.plot_type, ranked_outputs=settings.ranked_outputs
        ):
            announce.explanation_written(path)
        return explanation

    # ---- parts

    def _names(self) -> tuple[str, ...] | None:
        record = self.trained.record
        return tuple(record.feature_names) if record.names_given else None

    @without_retracing_advice()
    def _outputs(self, data: ProjectData, batch_size: int) -> np.ndarray:
        n_features = int(self.model.input_shape[1])
        if data.n_features != n_features:
            raise DataError(
                f"{data.source} has {data.n_features} features; the model in {self.trained.path} was trained on "
                f"{n_features}. Expected the same features in the same order."
            )
        started = time.perf_counter()
        outputs = np.asarray(self.model.predict(data.x, batch_size=batch_size, verbose=0))
        batches = -(-data.n_samples // batch_size)
        announce.evaluated_step(batches, batches / max(time.perf_counter() - started, 1e-9), {})
        return outputs

    def _draw_latent(self, data: ProjectData, latent: np.ndarray, name: str) -> None:
        """Pictures of latent vectors, coloured by the labels where there are some."""
        labels = None if data.y is None or not data.classes else np.asarray(data.classes)[np.asarray(data.y)]
        for method in plane_methods() if len(latent) >= FEWEST_POINTS else ():
            path = self.trained.folder.outputs / f"{self.trained.record.model_type}_{name}_{method}.pdf"
            plot_latent(latent, path, method=method, labels=labels, seed=self.config.seed)
            announce.say(f"Latent picture is '{path}'")

    def _evaluated_encoding(self, data: ProjectData, latent: np.ndarray) -> dict[str, Any]:
        """How well the decoder brings back the features, against their means in training."""
        decoder = load_keras(self.trained.path.with_name(DECODER_FILE))
        errors, of_the_means = score_reconstruction(
            self.model, decoder, data.x, latent, self.config.evaluator.batch_size
        )

        def score(rows: slice | np.ndarray) -> dict[str, float]:
            error, mean = float(errors[rows].mean()), float(of_the_means[rows].mean())
            return {"reconstruction": error, "explained_variance": 1.0 - error / mean if mean else math.nan}

        return self._scored(data, score)

    def _scored(
        self, data: ProjectData, score: Callable[[slice | np.ndarray], dict[str, float]]
    ) -> dict[str, Any]:
        """Score all rows, and those that were held out of training apart where the others were not; say and write it."""
        trained, batch_size = self.trained, self.config.evaluator.batch_size
        figures = score(slice(None))
        announce.evaluated(figures, -(-data.n_samples // batch_size))
        metrics: dict[str, Any] = dict(figures)
        rows = self._held_out(data)
        if rows is not None:
            announce.say(
                f"This is what the model was trained on: it has seen {data.n_samples - len(rows)} of these "
                f"{data.n_samples} samples. On the {len(rows)} held out:"
            )
            metrics["validation"] = score(rows)
            announce.evaluated(metrics["validation"], -(-len(rows) // batch_size))
        announce.metrics_written(write_metrics(trained.folder, trained.record.model_type, metrics))
        return metrics

    def _held_out(self, data: ProjectData) -> np.ndarray | None:
        """The rows that were held out where these are the samples of the training, by whatever name; else None."""
        extra = self.trained.record.extra
        if data.features_digest == extra["features"]:
            return np.asarray(extra["validation_rows"], dtype=int)
        if evaluates_training_file(self.config):
            announce.say(
                "This is the file to train on, but not what the model was trained on: some of its samples may have been "
                "seen. Train again to have the others apart."
            )
        return None


def _say_notes(data: ProjectData) -> None:
    for note in data.notes:
        announce.say(note)
