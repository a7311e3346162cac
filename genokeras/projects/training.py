"""``train``: select parameters, train the final network, save it, and declare it trained."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.errors import DataError, RunFolderError
from genokeras.interrupt import Interruption
from genokeras.projects import announce
from genokeras.projects.arcs import ArcNetwork, search_arcs, train_arcs
from genokeras.projects.candidates import FINAL_RATES, Candidates
from genokeras.projects.checkpoints import Checkpoints
from genokeras.projects.config import EnasConfig, ProjectConfig
from genokeras.projects.data import ProjectData, split_rows
from genokeras.projects.progress import TrainingLog
from genokeras.projects.results import (
    MODEL_FILE,
    TRAINED_FILE,
    OutputFolder,
    TrainedModel,
    TrainedRecord,
    finish,
    read_record,
    score_outputs,
)
from genokeras.projects.rows import ProjectRows, make_rows
from genokeras.projects.selection import (
    RATE,
    network_evaluation,
    select,
    select_rate,
    transfer_settings,
    vae_evaluation,
    vae_settings,
)
from genokeras.projects.vae import (
    ENCODER_FILE,
    TransferData,
    VaeData,
    calibrated_on,
    load_encoder,
    prepare_transfer,
    prepare_vae,
    train_transfer,
    train_vae,
)
from genokeras.support.digest import hex_digest
from genokeras.support.files import written_aside
from genokeras.support.json_files import read_json, write_json
from genokeras.support.retracing import without_retracing_advice
from genokeras.support.wording import counted

SELECTION_FILE = "selection.json"
# Of a record, where the final training was ended before its time.
INTERRUPTED = "interrupted"
# Of a record, what its network is compared by with that of another final training of the run: numbers, the first ones first.
SCORE = "score"
_LOWEST = float(np.finfo("float64").min)
DECODER_FILE = "decoder.keras"
FORMAT = 1


@dataclass(frozen=True)
class _FolderRun:
    """A run in its folder, begun now or before, and the signals that may end it."""

    config: ProjectConfig | EnasConfig
    data: ProjectData
    train: np.ndarray
    validation: np.ndarray
    folder: OutputFolder
    state: Mapping[str, Any] | None
    fingerprint: str
    earlier: TrainedModel | None = None
    values: dict[str, Any] = field(default_factory=dict)
    interruption: Interruption = field(default_factory=Interruption)

    @cached_property
    def checkpoints(self) -> Checkpoints:
        """Of the final training, whose values are known by then."""
        earlier = self.earlier
        least, kept = (-math.inf, None) if earlier is None else (_score(earlier.record)[0], earlier.path)
        return Checkpoints(lambda rate: self.folder.model_path(rate, self.values), least, kept)

    def is_better(self, score: Sequence[float]) -> bool:
        """Whether a score is above that of the final training that was interrupted before, if there was one."""
        return self.earlier is None or tuple(score) > _score(self.earlier.record)

    def interrupted(self) -> bool:
        return self.interruption.pressed

    def keep(self, state: Mapping[str, Any]) -> None:
        content = {"format": FORMAT, "fingerprint": self.fingerprint, "state": state}
        write_json(self.folder.models / SELECTION_FILE, content)
        self.interruption.check()


@dataclass(frozen=True)
class _Outcome:
    """The result of a training: the model, its parameters, further facts, models to keep beside it, and its score if that is not the loss."""

    model: Any
    values: dict[str, Any]
    extra: dict[str, Any]
    metrics: dict[str, float] | None = None
    companions: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    score: Sequence[float] | None = None


def train_project(config: ProjectConfig | EnasConfig, data: ProjectData) -> TrainedModel:
    """Train the model that a configuration describes.

    A run that was killed is resumed: the parameters that it had chosen are not tried again, if configuration and data
    are still the same. A signal ends the selection; in the final training it ends that, and the best network so far is kept, until
    the final training is done once more, in full or to a better network.

    Raises
    ------
    DataError
        If no feature varies over the training rows.
    SearchError
        If no value of a parameter could be trained.
    TrainingError
        If the final training fails.
    RunFolderError
        If the results cannot be written.
    KeyboardInterrupt
        If interrupted before the final training, or a second time; SystemExit where not by Ctrl-C.
    """
    with Interruption() as interruption:
        return _trained(config, data, interruption)


def _trained(
    config: ProjectConfig | EnasConfig, data: ProjectData, interruption: Interruption
) -> TrainedModel:
    started = time.perf_counter()
    split = config.data_train.args
    labels = None if config.task == "encoding" else data.y
    train, validation = split_rows(
        labels, split.validation_split, shuffle=split.shuffle, seed=config.seed, n_samples=data.n_samples
    )
    _check_varying(data.x[train])
    run = replace(_open(config, data, train, validation), interruption=interruption)
    finish_training = _selected(run)
    interruption.check()
    with interruption.noting():
        return _delivered(run, finish_training(), started)


def _delivered(run: _FolderRun, outcome: _Outcome, started: float) -> TrainedModel:
    path = outcome.path or run.folder.model_path(outcome.values[RATE], outcome.values)
    record = _record(run, outcome, time.perf_counter() - started)
    if run.earlier is not None and record.extra.get(INTERRUPTED) and not run.is_better(_score(record)):
        announce.say(
            "Interrupted: what the training that was interrupted before has left is at least as good on the rows held out, and stays: "
            f"{run.earlier.path}. Train again to train in full."
        )
        return run.earlier
    for name, model in outcome.companions.items():
        with written_aside(path.with_name(name)) as aside:
            model.save(aside)
    run.checkpoints.write(outcome.model, path, outcome.extra.get("best_step"))
    finish(path, record)
    if record.extra.get(INTERRUPTED):
        announce.say(
            "Interrupted: this is the best so far. Train again to train in full: the chosen parameters are kept, the steps start over."
        )
    announce.say(f"Trained in {record.seconds:.1f} seconds: {path}")
    return TrainedModel(run.folder, path, record)


@without_retracing_advice()
def _record(run: _FolderRun, outcome: _Outcome, seconds: float) -> TrainedRecord:
    config, data = run.config, run.data
    metrics = outcome.metrics
    if metrics is None:
        outputs = np.asarray(outcome.model.predict(data.x[run.validation], verbose=0))
        metrics = score_outputs(config.task, np.asarray(data.y)[run.validation], outputs, data.targets)
    return TrainedRecord(
        model_type=config.model.type,
        task=config.task,
        parameters=outcome.values,
        classes=data.classes,
        feature_names=data.feature_names,
        config=config.to_dict(),
        metrics={"validation": metrics},
        seconds=seconds,
        names_given=data.names_given,
        extra={
            "validation_rows": run.validation.tolist(),
            "rows": data.n_samples,
            "features": data.features_digest,
            "source": data.source,
            "targets": list(data.targets),
            # Of JSON, which knows no infinity.
            SCORE: np.nan_to_num(outcome.score or [-metrics["loss"]], nan=_LOWEST).tolist(),
            **({INTERRUPTED: True} if run.interrupted() else {}),
            **outcome.extra,
        },
    )


# ---- the kinds of model


def _selected(run: _FolderRun) -> Callable[[], _Outcome]:
    """Select the parameters, and return the final training, which stops at a signal."""
    config = run.config
    if isinstance(config, EnasConfig):
        return _enas(run, config)
    if config.model.type != "VAE":
        return _network(run, config)
    return _vae(run, config) if config.transfer is None else _transfer(run, config)


def _enas(run: _FolderRun, config: EnasConfig) -> Callable[[], _Outcome]:
    rows = make_rows(config.task, run.data, run.train, run.validation)
    state = run.state
    if state is None:
        state = search_arcs(config, rows)
        run.keep(state)
    return partial(_train_enas, run, config, rows, state)


def _train_enas(run: _FolderRun, config: EnasConfig, rows: ProjectRows, state: Mapping[str, Any]) -> _Outcome:
    best = train_arcs(config, rows, state, partial(_keep_arc, run), run.interrupted)
    values = {"arc": str(best.arc), RATE: best.rate}
    extra = {"best_step": best.best_step, "candidates": state["arcs"], "n_scored": state["n_scored"]}
    return _Outcome(best.model, values, extra, path=_arc_path(run, best), score=best.score)


def _keep_arc(run: _FolderRun, network: ArcNetwork) -> None:
    path = _arc_path(run, network)
    if run.earlier is not None and run.earlier.path == path and not run.is_better(network.score):
        return
    with written_aside(path) as aside:
        network.model.save(aside)
    announce.saved(network.best_step, path)


def _arc_path(run: _FolderRun, network: ArcNetwork) -> Path:
    return run.folder.models / f"{network.place}_1" / MODEL_FILE


def _network(run: _FolderRun, config: ProjectConfig) -> Callable[[], _Outcome]:
    candidates = Candidates(config, run.data, run.train, run.validation)
    values = select(config, network_evaluation(config, candidates), run.state, run.keep)
    announce.chosen(values)
    run.values.update(values)
    return partial(_train_network, run, config, candidates, values)


def _train_network(
    run: _FolderRun, config: ProjectConfig, candidates: Candidates, values: Mapping[str, Any]
) -> _Outcome:
    announce.running_until(config.trainer.max_steps)
    samples = min(config.trainer.batch_size, len(run.train))
    log = TrainingLog(
        config.trainer.monitor, candidates.score_every, samples, candidates.patience, len(FINAL_RATES)
    )
    found = candidates.final(values, values[RATE], log, run.checkpoints, run.interrupted)
    announce.say(
        f"Best at step {found.best_step} of {found.steps}, with a learning rate of {found.rate:.6g}."
    )
    extra = {"steps": found.steps, "best_step": found.best_step, "curve": found.curve.tolist()}
    return _Outcome(found.model, {**values, RATE: found.rate}, extra, score=[found.score])


def _vae(run: _FolderRun, config: ProjectConfig) -> Callable[[], _Outcome]:
    data = prepare_vae(run.data.x[run.train], run.data.x[run.validation])
    values = select(config, vae_evaluation(config, data), run.state, run.keep)
    announce.chosen(values)
    return partial(_train_vae, run, config, data, values)


def _train_vae(run: _FolderRun, config: ProjectConfig, data: VaeData, values: dict[str, Any]) -> _Outcome:
    vae = train_vae(data, vae_settings(config, values), announce.say, run.interrupted)
    # The encoder once more, by the name that transfer looks for.
    companions = {DECODER_FILE: vae.decoder, ENCODER_FILE: vae.encoder}
    best_step = next(line["steps"] for line in vae.history if line["epoch"] == vae.losses["epoch"])
    extra = {"history": vae.history, "best_step": int(best_step)}
    return _Outcome(vae.encoder, values, extra, dict(vae.losses), companions)


def _transfer(run: _FolderRun, config: ProjectConfig) -> Callable[[], _Outcome]:
    assert config.transfer is not None
    y = np.asarray(run.data.y)
    data = prepare_transfer(
        load_encoder(config.find(config.transfer.source)),
        run.data.x[run.train],
        y[run.train],
        run.data.x[run.validation],
        y[run.validation],
        len(run.data.classes),
    )
    rate = select_rate(config, data, run.state, run.keep)
    announce.chosen({RATE: rate, "transfer": config.transfer.source})
    return partial(_train_transfer, run, config, data, rate)


def _train_transfer(run: _FolderRun, config: ProjectConfig, data: TransferData, rate: float) -> _Outcome:
    assert config.transfer is not None
    settings = transfer_settings(config, rate)
    model = train_transfer(data, settings, config.transfer.trainable, announce.say, run.interrupted)
    if config.task == "classification":
        model = calibrated_on(model, data.x_validation, np.asarray(run.data.y)[run.validation])
    return _Outcome(model, {RATE: rate}, {"transfer": config.transfer.source})


# ---- files


def _open(
    config: ProjectConfig | EnasConfig, data: ProjectData, train: np.ndarray, validation: np.ndarray
) -> _FolderRun:
    """The newest run of the same configuration and data that was not finished, or a new one."""
    fingerprint = _fingerprint(config, data)
    save_dir, subfolder = Path(config.trainer.save_dir), config.subfolder
    models = save_dir / subfolder / "models" / config.name
    for path in sorted(models.glob(f"*/{SELECTION_FILE}"), reverse=True):
        if any(map(_is_finished, path.parent.glob(f"*/{TRAINED_FILE}"))):
            continue
        held = _read(path)
        if held is not None and held.get("fingerprint") == fingerprint:
            announce.say(f"Going on with the run that was not finished, in {path.parent}")
            folder = OutputFolder(save_dir, config.name, path.parent.name, subfolder)
            earlier = _interrupted_before(folder)
            return _FolderRun(
                config, data, train, validation, folder, held.get("state"), fingerprint, earlier
            )
    folder = OutputFolder.create(save_dir, config.name, subfolder)
    run = _FolderRun(config, data, train, validation, folder, None, fingerprint)
    write_json(folder.models / SELECTION_FILE, {"format": FORMAT, "fingerprint": fingerprint, "state": None})
    return run


def _is_finished(path: Path) -> bool:
    """Whether the training that a record tells of came to its own end; of one that cannot be read it counts as such."""
    try:
        return not read_record(path)[1].extra.get(INTERRUPTED)
    except RunFolderError:
        return True


def _interrupted_before(folder: OutputFolder) -> TrainedModel | None:
    """The best network that interrupted final trainings of a run have left."""
    paths = folder.models.glob(f"*/{TRAINED_FILE}")
    found = [TrainedModel(folder, path.with_name(MODEL_FILE), read_record(path)[1]) for path in paths]
    scored = [one for one in found if SCORE in one.record.extra]
    return max(scored, key=lambda one: _score(one.record), default=None)


def _score(record: TrainedRecord) -> tuple[float, ...]:
    return tuple(record.extra[SCORE])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_json(path, format=FORMAT)
    except RunFolderError:
        return None


def _check_varying(x: np.ndarray) -> None:
    if not np.ptp(x, axis=0).any():
        raise DataError(
            f"none of {counted(x.shape[1], 'feature')} varies over {counted(len(x), 'training row')}: there is nothing to "
            "learn from. Check that the features' file is the right one."
        )


def _fingerprint(config: ProjectConfig | EnasConfig, data: ProjectData) -> str:
    settings = json.dumps(config.to_dict(), sort_keys=True)
    return hex_digest(settings, data.features_digest, "" if data.y is None else data.y, length=64)
