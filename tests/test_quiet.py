"""TensorFlow says nothing while it starts behind GenoKeras, and all of it where it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genokeras.quiet import quiet_import, quiet_start

NATIVE = b"I0000 00:00:1795221469.366783    9966 cudart_stub.cc:31] Could not find cuda drivers\n"


def test_a_start_from_python_is_silent() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    code = "import genokeras as gk; gk.load_dataset; gk.GenomeClassifier\nimport keras; keras.ops.zeros(1)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == ""


@pytest.mark.parametrize(("level", "said"), [("0", NATIVE), ("1", NATIVE), ("3", b""), (None, b"")])
def test_a_low_log_level_asks_for_all_lines(
    level: str | None, said: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with quiet_import():
        os.write(2, NATIVE)
    assert capfd.readouterr().err == said.decode()


def test_one_within_another_holds_back_once(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with quiet_start():
        with quiet_start():
            os.write(2, NATIVE + b"of numpy\n")
        os.write(2, NATIVE)
    os.write(2, b"behind\n")
    assert capfd.readouterr().err == "of numpy\nbehind\n"
