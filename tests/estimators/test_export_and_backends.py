"""Exported models stand alone; runs repeat on every backend; killed and interrupted runs keep what they had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras import GenomeClassifier
from tests.processes import run_alone, run_on

ROOT = Path(__file__).parents[2]
STUDY = """
import sys, numpy as np
from genokeras import GenomeClassifier
rng = np.random.default_rng(0)
y = np.array(["healthy", "tumor"])[np.arange(30) % 2]
x = rng.normal(size=(30, 90)).astype("float32")
x[y == "tumor", :5] += 2
steps = {"trainer_args": {"max_iter_num": 20}, "fathers": ["mlp", "linear"]}
"""


def test_exported_model_predicts_without_genokeras(fitted, study, tmp_path):
    model = fitted.export_keras_model(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", study[0].to_numpy())
    code = """
import sys, numpy as np, keras
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""
    run_alone(code, model, tmp_path / "x.npy", tmp_path / "p.npy")
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(study[0]), atol=1e-5)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_exported_model_predicts_alike_on_other_backends(backend, fitted, study, tmp_path):
    model = fitted.export_keras_model(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", study[0].to_numpy())
    code = """
import sys, numpy as np, keras
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""
    run_on(backend, code, model, tmp_path / "x.npy", tmp_path / "p.npy")
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), fitted.predict_proba(study[0]), atol=1e-5)


def test_on_pytorch_a_graph_produces_a_torch_module(fitted):
    code = """
import sys, torch, genokeras as gk
model = gk.load_graph(sys.argv[1]).produce_model()
assert isinstance(model, torch.nn.Module)
print(tuple(model(torch.zeros(2, 120)).shape))
"""
    graph = fitted.path_ / "trials" / "000000" / "graph.json"
    assert run_on("torch", code, graph).split("\n")[-2] == "(2, 2)"


def test_delivered_model_equals_the_members_it_was_made_of(fitted, study):
    """The ensemble on raw values = calibrated shares x mean over folds of softmax(members on row-space values)."""
    from scipy.special import softmax

    from genokeras.engine.methods import row_trial
    from genokeras.engine.run import trained_network
    from genokeras.engine.store import TrialStore
    from genokeras.graph import reference_forward

    run, x = fitted._run, study[0].to_numpy()
    total = np.zeros((len(x), 2))
    for trial_id, share in run.delivery.shares.items():
        network = trained_network(TrialStore(run.folder), run.history.get(trial_id))
        trial = row_trial(run.problem, network)
        z = {}
        for i, width in trial.widths.items():
            z[i] = np.zeros((len(trial.spaces[i]), len(x), width))
            for fold, space in enumerate(trial.spaces[i]):
                z[i][fold, :, : space.rank] = space.transform(x)
        logits = reference_forward(trial.graph, trial.weights, z, trial.activation)
        total += share * softmax(logits, axis=-1).mean(axis=0)
    expected = run.delivery.calibration.apply(total)
    np.testing.assert_allclose(fitted.predict_proba(study[0]), expected, atol=1e-5)


@pytest.mark.parametrize(
    "backend",
    [
        "tensorflow",
        pytest.param("jax", marks=pytest.mark.slow),
        pytest.param("torch", marks=pytest.mark.slow),
    ],
)
def test_same_seed_and_data_give_the_same_journal(backend, monkeypatch, tmp_path):
    code = (
        STUDY
        + """
trials = dict(time_limit=None, max_trials=4, random_state=3, verbose=0)
for name in ("a", "b"):
    GenomeClassifier(sys.argv[1] + "/" + name, searcher_args=steps, **trials).fit(x, y)
"""
    )
    if backend == os.environ["KERAS_BACKEND"]:
        monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path)])
        exec(code, {})
    else:
        run_on(backend, code, tmp_path)
    a, b = (_trials(tmp_path / name) for name in "ab")
    assert len(a) == 4
    assert a == b


def _trials(run: Path) -> list[dict[str, object]]:
    events = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return [
        {k: v for k, v in event.items() if k not in ("seconds", "crc")}
        for event in events
        if event["event"] == "trial"
    ]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Runs that Ctrl-C and the operating system stopped behind six trials, of one process, and what the first one printed."""
    # A shell that runs the tests in its background hands down that Ctrl-C is ignored.
    code = (
        STUDY
        + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
for path in sys.argv[1:]:
    clf = GenomeClassifier(path, searcher_args=steps, time_limit=200, random_state=0, verbose=0).fit(x, y)
    print(clf.stop_reason_, clf.n_trials_, flush=True)
"""
    )
    folder = tmp_path_factory.mktemp("stopped")
    interrupted, killed = folder / "interrupted", folder / "killed"
    command = [sys.executable, "-c", code, str(interrupted), str(killed)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            for path, number in ((interrupted, signal.SIGINT), (killed, signal.SIGKILL)):
                wait_for_trials(path, process)
                process.send_signal(number)
            output, errors = process.communicate(timeout=180)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL, errors[-3000:]
    return interrupted, killed, output


def wait_for_trials(path: Path, process: subprocess.Popen[str]) -> None:
    """Until a run in another process has at least six trials in its journal."""
    journal = path / "journal.jsonl"
    for _ in range(1800):
        if (
            journal.exists() and journal.read_text().count('"event": "trial"') >= 6
        ) or process.poll() is not None:
            break
        time.sleep(0.1)


def test_ctrl_c_delivers_what_there_is(stopped):
    path, _, output = stopped
    assert output.startswith("interrupted") and output.count("\n") == 1
    assert GenomeClassifier.load(path).n_trials_ >= 6


def test_a_killed_run_loads_and_resumes(stopped):
    path = stopped[1]
    found: dict[str, Any] = {}
    exec(STUDY, found)
    before = GenomeClassifier.load(path).n_trials_
    limits: dict[str, Any] = {"time_limit": None, "max_trials": before + 3}
    again = GenomeClassifier(path, searcher_args=found["steps"], resume=True, verbose=0, **limits)
    after = again.fit(found["x"], found["y"]).n_trials_
    assert before >= 6 and after == before + 3


def test_a_tiny_time_limit_returns_a_linear_model_at_worst(study, tmp_path):
    clf = GenomeClassifier(tmp_path / "run", time_limit=0.5, random_state=0, verbose=0).fit(*study)
    assert clf.stop_reason_ == "time"
    assert "linear" in set(clf.leaderboard()["graph"])
    assert clf.predict(study[0]).shape == (40,)
