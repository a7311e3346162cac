"""A training in its folder, which goes on where it was stopped."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from genokeras.errors import DataError, TrainingError
from genokeras.exports import Exported, export_model_as
from genokeras.keras_models.building import (
    Built,
    build_model,
    compile_model,
    load_checkpoint,
    optimizer_for,
)
from genokeras.keras_models.feeding import checked_targets, feed
from genokeras.keras_models.functions import Functions
from genokeras.keras_models.log_dir import LogDir
from genokeras.keras_models.pretraining import copy_weights
from genokeras.streams import BatchesEndedError
from genokeras.training import Position, load_snapshot, save_snapshot, train_steps
from genokeras.tuning import ParamSpec

_SNAPSHOTS = 10


@final
@dataclass(frozen=True)
class Training:
    """A finished training.

    Parameters
    ----------
    steps : int
        In all, those of earlier calls included.
    metrics : dict of str to float
        Loss and metrics of the training batches, over the last epoch as far as it went.
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


@dataclass(frozen=True)
class Steps:
    """How far to train, and when to log and save."""

    until: int
    log_every: int
    save_every: int | None

    def logs(self, step: int) -> bool:
        """Whether a line is logged behind this step."""
        return step % self.log_every == 0 or step == self.until

    def saves(self, step: int) -> bool:
        """Whether a snapshot is written behind this step."""
        every = self.save_every or max(1, self.until // _SNAPSHOTS)
        return step % every == 0 or step == self.until


@final
class TrainingRun:
    """A training in its folder."""

    def __init__(
        self,
        functions: Functions,
        spec: ParamSpec,
        folder: LogDir,
        batch_size: int,
        auto_batch: bool,
        seed: int,
        log: Callable[[str], None],
    ) -> None:
        self._functions, self._spec, self._folder, self._seed, self._log = functions, spec, folder, seed, log
        self._settings = {"batch_size": int(batch_size), "auto_batch": bool(auto_batch), "seed": int(seed)}
        self._batches = feed(functions, "train", batch_size=batch_size, auto_batch=auto_batch, seed=seed)
        self._example = checked_targets(self._batches.first(), "train")
        self._started = time.perf_counter()

    def run(
        self, steps: Steps, checkpoint: str | os.PathLike[str] | None, export_format: str | None
    ) -> Training:
        """Train, save, export."""
        made, view = build_model(self._functions, self._spec, "train", self._example, self._seed)
        optimizer = optimizer_for(self._functions, self._spec, view)
        built = compile_model(made, view, self._example, optimizer)
        position, metrics = Position(), {}
        if self._folder.begin(self._settings, self._spec):
            position, extra = load_snapshot(self._folder.snapshot, built.model, self._example)
            metrics = extra["metrics"]
            self._folder.cut_history(position.step)
            self._log(f"going on from step {position.step} of {self._folder.path}")
        elif checkpoint is not None:
            load_checkpoint(built.model, checkpoint)
        begun = position.step
        if begun < steps.until:
            position, metrics = self._train(built, position, steps)
        self._folder.save_model(built.model)
        exported = None if export_format is None else self._export(built, export_format)
        return Training(
            position.step,
            metrics,
            self._folder.path,
            self._folder.model,
            exported,
            time.perf_counter() - self._started,
            begun,
        )

    def _train(self, built: Built, position: Position, steps: Steps) -> tuple[Position, dict[str, float]]:
        seen: dict[str, float] = {}

        def on_step(at: Position, logs: dict[str, float]) -> bool:
            seen.clear()
            seen.update(built.named(logs))
            if not math.isfinite(seen.get("loss", 0.0)):
                raise TrainingError(
                    f"the loss is {seen['loss']} at step {at.step}: lower the learning rate, or search for one. The last "
                    f"snapshot in {self._folder.path} is from before."
                )
            if steps.logs(at.step):
                self._tell(at, seen, steps.until)
            if steps.saves(at.step):
                save_snapshot(self._folder.snapshot, built.model, at, {"metrics": dict(seen)})
            return False

        try:
            end = train_steps(
                built.model,
                self._batches,
                until=steps.until,
                position=position,
                on_step=on_step,
                when=lambda at: steps.logs(at.step) or steps.saves(at.step),
            )
        except BatchesEndedError as error:
            raise DataError(
                f"{error} Or let input_fn return a new generator every time that it is called, or lower "
                "max_number_of_steps."
            ) from error
        return end, dict(seen)

    def _tell(self, at: Position, logs: dict[str, float], until: int) -> None:
        seconds = time.perf_counter() - self._started
        self._folder.add_history({"step": at.step, "epoch": at.epoch, **logs, "seconds": round(seconds, 3)})
        told = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        self._log(f"step {at.step} of {until}: {told}")

    def _export(self, built: Built, export_format: str) -> Exported:
        model = built.model
        if self._functions.model_knows_mode:
            made, _ = build_model(self._functions, self._spec, "predict", self._example, self._seed)
            if made.model is not model:
                copy_weights(model, made.model)
                model = made.model
        exported = export_model_as(
            model, self._folder.path / "export", export_format, examples=self._example[0]
        )
        self._log(
            f"exported as {exported.format} to {exported.path}, which answers alike to {exported.largest_difference:.1g}"
        )
        return exported
