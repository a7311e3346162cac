"""What `genokeras doctor` finds and says, with backends that start, fail and die."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main
from genokeras.cli.surroundings import Backend, chosen_backend, start_backend, unmet_requirements
from genokeras.support.extras import EXTRAS, install_command

STARTS = """
class backend:
    def backend(): return "json"
class distribution:
    def list_devices(): return ["cpu:0", "gpu:0"]
class ops:
    zeros = convert_to_numpy = lambda value: value
import json
json.__version__ = "9.9"
"""


@pytest.fixture
def keras_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Keras is looked for first: a file to be written."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return tmp_path / "keras.py"


def doctor() -> Result:
    return CliRunner().invoke(main, ["doctor"])


def test_a_backend_that_starts_tells_its_devices(keras_that: Path) -> None:
    keras_that.write_text(STARTS)
    assert start_backend() == Backend("json", "9.9", ("cpu:0", "gpu:0"), "", "")
    result = doctor()
    assert result.exit_code == 0 and result.stdout.endswith("\nGenoKeras can work.\n")
    assert "cpu:0, gpu:0\n" in result.stdout


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('libcudart.so.12: no such file')", "ImportError: libcudart.so.12: no such file"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "the process was ended by SIGILL"),
        ("raise SystemExit(3)", "the process ended with exit code 3"),
    ],
)
def test_a_backend_that_does_not_start_is_wrong_and_no_traceback(
    keras_that: Path, code: str, said: str
) -> None:
    keras_that.write_text(code)
    result = doctor()
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    last = " ".join(result.stdout.split())
    assert f"The backend tensorflow does not start: {said}. Install it again" in last
    assert "Extras" in result.stdout and "dot" in result.stdout


def test_a_backend_of_no_known_name_is_answered_with_those_there_are(
    keras_that: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflov")
    keras_that.write_text("raise ValueError('Unable to import backend : tensorflov')")
    assert "Choose tensorflow, jax or torch by KERAS_BACKEND." in " ".join(doctor().stdout.split())


def test_lines_fit_a_terminal_and_a_missing_extra_has_its_command(
    keras_that: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras_that.write_text(STARTS)
    monkeypatch.setattr("genokeras.support.extras.find_spec", lambda name: None)
    text = doctor().stdout
    for name in EXTRAS:
        assert f"\n                {install_command(name)}\n" in text
    paths = [line for line in text.splitlines() if len(line) > 80 and "/" not in line]
    assert paths == []


def test_the_backend_is_that_of_the_variable_then_of_the_file_then_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert chosen_backend() == ("jax", "chosen by KERAS_BACKEND")
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert chosen_backend() == ("tensorflow", "the default")
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    assert chosen_backend() == ("torch", f"chosen by {tmp_path / 'keras.json'}")


def test_what_is_missing_or_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ["numpy>=999", "no-such-package>=1", "click>=8", 'torch>=999; extra == "torch"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: asked)
    unmet = unmet_requirements()
    assert [text.partition(" (")[0] for text in unmet] == ["numpy>=999", "no-such-package>=1"]
    assert unmet[1].endswith("(not installed)")
