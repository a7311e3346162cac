"""Rows a second of networks for images, DNA and texts against plain Keras ``fit``, and the time to a plain network's accuracy.

    python -m benchmarks.speed.spatial --data ../shared/data [--kinds image dna text] [--batches 32 64 128 256] [--repeats 5] [--rows 4096]
        [--epochs 1]
    python -m benchmarks.speed.spatial --data ../shared/data --race mnist10k gue_prom_core_tata --seconds 120

Both sides take turns of one or several epochs in one process on the same network and rows; medians count. Rows a second are given by the clock and by the
processor's own time: on a machine with few free cores ``fit`` also waits, and that wait is no training. Plain Keras gets the samples as they are, ours are
changed at random as a search does it. A race fits a plain small network with early stopping, and reads from the search's own journal
when the best trial first was as accurate on its held-out rows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from benchmarks.quality.spatial import ESTIMATORS, content_of
from benchmarks.quality.spatial_sets import Round, SpatialSet, read_spatial_set, rounds
from benchmarks.speed.machine import describe_machine
from genokeras.encoders import NetworkEncoder, fit_sequence_encoder
from genokeras.encoders.image import fit_image_encoder
from genokeras.encoders.text import fit_text_encoder
from genokeras.engine.store import TrialStore
from genokeras.graph import Graph, HyperParameters
from genokeras.graph.spatial_templates import motif_cnn, small_cnn, text_cnn
from genokeras.networks import build_network, start_weights
from genokeras.tasks.classes import Classes
from genokeras.training import NetworkSettings, Plan, Samples, Trainee
from genokeras.training.members import train_whole
from genokeras.training.tunable import adamw

KINDS = {"image": "mnist10k", "dna": "gue_prom_core_tata", "text": "sst2_sentiment"}
RACES = ("mnist10k", "gue_prom_core_tata", "gue_mouse_2", "sst2_sentiment")
HYPER = HyperParameters(1e-3, 0.01, 0.2, "relu", "tensor")
_PATIENCE, _MOST_EPOCHS = 3, 40


@dataclass(frozen=True)
class Case:
    """One kind of data: its samples, and the network that both sides train."""

    samples: Samples
    graph: Graph


def make_case(data: SpatialSet, positions: np.ndarray) -> Case:
    """The samples at these positions, and the template that a search would start from."""
    taken: Any = data.data.take(positions)
    codes, n_classes = data.codes[positions], len(data.classes)
    encoder: NetworkEncoder
    if data.kind == "image":
        encoder = fit_image_encoder(taken)
        graph = small_cnn(encoder.input_shape, n_classes)
    elif data.kind == "sequence":
        encoder = fit_sequence_encoder(taken, strands=False)[0]
        graph = motif_cnn(encoder.input_shape, n_classes)
    else:
        text = fit_text_encoder(taken)[0]
        encoder, graph = text, text_cnn(text.input_shape, n_classes, text.vocabulary.size)
    samples = Samples(Classes(n_classes), encoder, encoder.rows(taken), codes, np.ones(len(codes)))
    return Case(samples, graph)


def plain_model(case: Case) -> Any:
    """The same network, optimizer and loss, compiled as Keras does by itself."""
    model = build_network(case.graph, None, HYPER, logits=True)
    model.compile(adamw(HYPER.learning_rate, HYPER.weight_decay), case.samples.task.training_loss(0.05))
    return model


def rates(case: Case, batch: int, repeats: int, epochs: int = 1) -> np.ndarray:
    """``(2, 2)`` median rows a second of both sides, by the clock and by processor time, which take turns; the first turn, which compiles, is not counted."""
    samples = case.samples
    n = len(samples.targets)
    x, y = samples.encoder.tensor(samples.rows), samples.task.training_targets(samples.targets)
    trainee = Trainee(case.graph, HYPER, samples.task.training_loss(0.05))
    weights, model = start_weights(case.graph, np.random.default_rng(0)), plain_model(case)
    settings, plan = NetworkSettings(batch_size=batch), Plan(epochs * max(1, n // batch), None)

    def ours() -> int:
        train_whole(trainee, samples, plan, HYPER.learning_rate, 0, settings)
        return plan.steps * batch

    def plain() -> int:
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)
        return epochs * n

    trainee.restart(weights, 0, 0)
    found = [(_rates(ours), _rates(plain)) for _ in range(repeats + 1)][1:]
    return np.asarray(np.median(np.array(found), axis=0))


def _rates(turn: Callable[[], int]) -> tuple[float, float]:
    """Rows a second of one turn by the clock, and by processor time."""
    started, spent = time.perf_counter(), time.process_time()
    rows = turn()
    return rows / (time.perf_counter() - started), rows / (time.process_time() - spent)


# ---- time to an accuracy


def race(data: SpatialSet, seconds: float) -> str:
    """A plain fit with early stopping, then a search: when the search first was as accurate on rows that were held out."""
    part = next(rounds(data, 1))
    plain_seconds, goal = plain_fit(data, part)
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        train = np.concatenate([part.train, part.valid])
        fit = ESTIMATORS[data.kind](f"{folder}/run", time_limit=seconds, random_state=0, verbose=0)
        fit.fit(content_of(data, train), data.codes[train])
        reached = _reached(fit, data.codes[train], goal, started)
        accuracy = float(np.mean(fit.predict(content_of(data, part.test)) == data.codes[part.test]))
    ratio = "not reached" if reached is None else f"{reached:.1f} s, {reached / plain_seconds:.2f} x"
    return f"{data.name}: plain fit {plain_seconds:.1f} s, accuracy {goal:.4f}; search {ratio}; delivered {accuracy:.4f}"


def plain_fit(data: SpatialSet, part: Round) -> tuple[float, float]:
    """Seconds of a fit with early stopping on a tenth of the training rows, compilation included, and its test accuracy."""
    train = np.concatenate([part.train, part.valid])
    order = np.random.default_rng(0).permutation(train)
    case = make_case(data, order)
    samples, valid = case.samples, len(order) // 10
    x, y = samples.encoder.tensor(samples.rows), samples.task.training_targets(samples.targets)
    test = data.data.take(part.test)
    read = samples.encoder.tensor(samples.encoder.rows(test))
    started = time.perf_counter()
    model = plain_model(case)
    stop = keras.callbacks.EarlyStopping(patience=_PATIENCE, restore_best_weights=True)
    model.fit(
        x[valid:],
        y[valid:],
        batch_size=64,
        epochs=_MOST_EPOCHS,
        validation_data=(x[:valid], y[:valid]),
        callbacks=[stop],
        verbose=0,
    )
    taken = time.perf_counter() - started
    found = model.predict(read, batch_size=256, verbose=0).argmax(axis=1)
    return taken, float(np.mean(found == data.codes[part.test]))


def _reached(fit: Any, codes: np.ndarray, goal: float, started: float) -> float | None:
    """Seconds until the first trial that was as accurate out of fold, as the files of the run folder tell."""
    run = fit._run
    store = TrialStore(run.folder)
    times = []
    for trial in run.history.ok():
        answers = store.answers((trial,))[0]
        held = np.isfinite(answers).all(axis=1)
        if np.mean(answers[held].argmax(axis=1) == codes[held]) >= goal:
            # The last of a trial's files to be written.
            times.append((run.folder.path / run.folder.trial_name(trial.id) / "graph.json").stat().st_mtime)
    return min(times) - started if times else None


def main() -> None:
    """Print a line for each kind of data and batch size, and for each race."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of sets")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 64, 128, 256])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=4096, help="samples of a turn, an epoch of each side")
    parser.add_argument(
        "--epochs", type=int, default=1, help="of a turn; on a graphics card one is over at once"
    )
    parser.add_argument("--race", nargs="*", choices=RACES, default=[], help="sets to race on, too")
    parser.add_argument("--seconds", type=float, default=120, help="time limit of a search in a race")
    arguments = parser.parse_args()
    print(describe_machine())
    for kind in arguments.kinds:
        data = read_spatial_set(arguments.data, KINDS[kind])
        case = make_case(data, np.arange(min(arguments.rows, len(data.codes))))
        for batch in arguments.batches:
            ours, plain = rates(case, batch, arguments.repeats, arguments.epochs)
            ratios = ours / plain
            print(
                f"{kind}, batches of {batch}: {ours[0]:,.0f} rows/s, plain Keras {plain[0]:,.0f}, ratio {ratios[0]:.2f}; by "
                f"processor time {ours[1]:,.0f} and {plain[1]:,.0f}, ratio {ratios[1]:.2f}",
                flush=True,
            )
    for name in arguments.race:
        print(race(read_spatial_set(arguments.data, name), arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
