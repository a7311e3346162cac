"""The article on LightModel, from its data to "shell off": its own code, names and paths adapted."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    folder = tmp_path_factory.mktemp("article")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.seeds.article_on_torch", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Linear-3" in done.stdout and "Total params: 115" in done.stdout
    held: dict[str, Any] = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return held


def test_ten_epochs_tell_the_rings_apart(found: dict[str, Any]) -> None:
    assert found["epochs"] == 10
    assert found["test"]["test_acc"] >= 0.92
    assert found["predicted"] == [1200, 1]
    assert {"loss", "acc", "val_loss", "val_acc"} < set(found["columns"])


def test_the_best_epoch_is_kept_and_comes_back(found: dict[str, Any]) -> None:
    assert found["best"] == found["lowest"]
    assert found["clone"] == pytest.approx(found["test"])


def test_the_shell_comes_off(found: dict[str, Any]) -> None:
    assert found["type"] == "Net" and found["shell_off"]


def test_a_stopped_training_of_a_torch_net_continues_alike(found: dict[str, Any]) -> None:
    assert found["continued"] and found["rates"] == [0.1, 0.05, 0.025, 0.0125]


def test_a_step_is_the_step_of_torch_alone(found: dict[str, Any]) -> None:
    assert found["by_hand"]
