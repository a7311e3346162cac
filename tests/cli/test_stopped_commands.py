"""Real processes that get real signals: they deliver what there is, and their exit codes say what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_auto_command import write_project
from tests.engine.tables import table

pytestmark = pytest.mark.slow
CODE = "import sys; from genokeras.cli import main; main(sys.argv[1:])"
# Trials that there are, seconds since then, and signals; None is before anything was written.
MOMENTS = [(None, 0.0, 1), (0, 0.0, 1), (1, 0.7, 1), (30, 0.0, 1), (1, 0.0, 2)]
MOST = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, y = table(60, 100)
    path = tmp_path_factory.mktemp("data") / "table.csv"
    x.assign(label=y).to_csv(path)
    return path


def n_trials(run: Path) -> int:
    journal = run / "journal.jsonl"
    return journal.read_text().count('"event": "trial"') if journal.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_process_that_is_stopped_delivers_and_goes_on(
    number: signal.Signals, data: Path, tmp_path: Path
) -> None:
    for place, (there, seconds, times) in enumerate(MOMENTS):
        run = tmp_path / str(place)
        arguments = [
            "fit",
            str(data),
            "--target",
            "label",
            "--out",
            str(run),
            "--seed",
            "1",
            "-q",
            "--resume",
        ]
        command = [sys.executable, "-c", CODE, *arguments, "--max-trials"]
        with subprocess.Popen(
            [*command, str(MOST)],
            env=dict(os.environ),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            while process.poll() is None and there is not None and not (run / "run.json").exists():
                time.sleep(0.01)
            while process.poll() is None and n_trials(run) < (there or 0):
                time.sleep(0.01)
            time.sleep(2 if there is None else seconds)
            for _ in range(times):
                process.send_signal(number)
                time.sleep(0.1)
            pressed = time.monotonic()
            errors = process.communicate(timeout=60)[1]
        took = time.monotonic() - pressed
        delivered = (run / "result.json").exists()
        print(place, process.returncode, delivered, n_trials(run), f"{took:.1f} s")
        if times == 1 and there:
            assert (process.returncode, errors) == (0, "") and delivered
        elif not delivered:
            assert process.returncode in (128 + number, -number), errors
        assert took < 20
    done = subprocess.run([*command, str(n_trials(run) + 1)], check=False)
    assert done.returncode == 0 and (run / "best.keras").exists()


def test_a_project_that_is_warned_keeps_its_best_and_makes_no_further_calls(tmp_path: Path) -> None:
    config = write_project(tmp_path, max_steps=10**6, patience=10**5)
    command = [sys.executable, "-c", CODE, "auto", str(config), "train", "predict"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(tmp_path.glob("out/models/small/*/*/*.keras")):
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 143 and "the best so far is saved. Not done: predict." in errors
    assert list(tmp_path.glob("out/models/small/*/*/trained.json"))
