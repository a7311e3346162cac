"""A training in its folder, which continues where it was stopped."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from genokeras.errors import DataError, TrainingError
from genokeras.exports import Exported, export_model_as
from genokeras.interrupt import Interruption
from genokeras.keras_models.log_dir import LogDir
from genokeras.keras_models.model_builder import BuiltModel, ModelBuilder, load_checkpoint
from genokeras.streams import Batches, BatchesEndedError
from genokeras.training import Position, load_snapshot, save_snapshot, train_steps
from genokeras.tuning import ParamSpec

_SNAPSHOTS = 10
TF_SERVING = "tf_serving"


@final
@dataclass(frozen=True)
class FinishedTraining:
    """A finished training.

    Parameters
    ----------
    steps : int
        In all, those of earlier calls included.
    metrics : dict of str to float
        The last line of ``history.csv``: loss and metrics, as means over the training batches since the line before, or
        since the beginning of the epoch where that is later.
    log_dir : pathlib.Path
        With ``history.csv``, ``spec.json`` and ``snapshot.npz``.
    model : pathlib.Path
        The model as a ``.keras`` file.
    export : Exported or None
        The export, which was read again and compared.
    seconds : float
        Of this call.
    resumed_from : int
        Step at which this call began.
    """

    steps: int
    metrics: dict[str, float]
    log_dir: Path
    model: Path
    export: Exported | None
    seconds: float
    resumed_from: int


@final
@dataclass(frozen=True, eq=False)
class RunTraining:
    """A training of the user's functions in its folder.

    Parameters
    ----------
    builder : ModelBuilder
    batches : Batches
    spec : ParamSpec
    folder : LogDir
    until : int
        The last step.
    log_every : int
        Steps between two lines of the log.
    save_every : int or None
        Steps between two snapshots; None: a tenth of all.
    log : callable
        Takes the lines that report progress.
    """

    builder: ModelBuilder
    batches: Batches
    spec: ParamSpec
    folder: LogDir
    until: int
    log_every: int
    save_every: int | None
    log: Callable[[str], None]
    started: float = field(default_factory=time.perf_counter)

    def run(
        self,
        settings: Mapping[str, Any],
        checkpoint: str | os.PathLike[str] | None,
        export_format: str | None,
    ) -> FinishedTraining:
        """Train, save, export.

        Parameters
        ----------
        settings : mapping
            What else than the spec must be the same for a training to be resumed.
        checkpoint : path-like or None
            Weights to begin with.
        export_format : str or None
        """
        made, view = self.builder.build(self.spec)
        built = self.builder.compiled(made, view, self.builder.optimizer(self.spec, view))
        position, metrics = Position(), {}
        if self.folder.begin(settings, self.spec):
            position, extra = load_snapshot(self.folder.snapshot, built.model, self.builder.example)
            metrics = extra["metrics"]
            self.folder.cut_history(position.step)
            self.log(f"continuing from step {position.step} of {self.folder.path}")
        elif checkpoint is not None:
            load_checkpoint(built.model, checkpoint)
        first = position.step
        if first < self.until:
            position, metrics = self._train(built, position)
        self.folder.save_model(built.model)
        return FinishedTraining(
            position.step,
            metrics,
            self.folder.path,
            self.folder.model,
            None if export_format is None else self._export(built, export_format),
            time.perf_counter() - self.started,
            first,
        )

    def _train(self, built: BuiltModel, position: Position) -> tuple[Position, dict[str, float]]:
        """Train to the last step; a signal ends it behind the current one, with a snapshot."""
        with Interruption() as interruption, interruption.noting():
            end, metrics = self._train_noting(built, position, interruption)
            if end.step < self.until:
                self.log(f"interrupted behind step {end.step}: run it again to go on from there")
                interruption.check()
        return end, metrics

    def _train_noting(
        self, built: BuiltModel, position: Position, interruption: Interruption
    ) -> tuple[Position, dict[str, float]]:
        save_every = self.save_every or max(1, self.until // _SNAPSHOTS)
        last: dict[str, float] = {}

        def on_step(at: Position, logs: dict[str, float]) -> bool:
            stop = interruption.pressed
            last.clear()
            last.update(built.named(logs))
            if not math.isfinite(last.get("loss", 0.0)):
                raise TrainingError(
                    f"the loss is {last['loss']} at step {at.step}: lower the learning rate, or search for one. The last "
                    f"snapshot in {self.folder.path} is from before."
                )
            if self._is_due(at, self.log_every):
                self._report(at, last)
                built.model.reset_metrics()  # an epoch of endless data has no end, and its mean lags behind for ever
            if stop or self._is_due(at, save_every):
                save_snapshot(self.folder.snapshot, built.model, at, {"metrics": dict(last)})
            return stop

        try:
            end = train_steps(
                built.model,
                self.batches,
                until=self.until,
                position=position,
                on_step=on_step,
                when=lambda at: (
                    interruption.pressed or self._is_due(at, self.log_every) or self._is_due(at, save_every)
                ),
            )
        except BatchesEndedError as error:
            raise DataError(
                f"{error} Or let input_fn return a new generator every time that it is called, or lower "
                "max_number_of_steps."
            ) from error
        return end, dict(last)

    def _is_due(self, at: Position, every: int) -> bool:
        return at.step % every == 0 or at.step == self.until

    def _report(self, at: Position, logs: dict[str, float]) -> None:
        seconds = time.perf_counter() - self.started
        self.folder.add_history({"step": at.step, "epoch": at.epoch, **logs, "seconds": round(seconds, 3)})
        values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        self.log(f"step {at.step} of {self.until}: {values}")

    def _export(self, built: BuiltModel, export_format: str) -> Exported:
        made = self.builder.predictor(self.spec, built)
        path, names = self.folder.path / "export", made.export_spec
        if export_format == TF_SERVING:
            path, export_format = path / str(1 if names is None else names.version), "tf_saved_model"
            path.parent.mkdir(parents=True, exist_ok=True)
        inputs, outputs = (None, None) if names is None else names.names_in(made.model)
        exported = export_model_as(
            made.model,
            path,
            export_format,
            examples=self.builder.example[0],
            input_names=inputs,
            output_names=outputs,
        )
        self.log(
            f"exported as {exported.format} to {exported.path}; answers differ from the model's by at most "
            f"{exported.largest_difference:.1g}"
        )
        return exported
