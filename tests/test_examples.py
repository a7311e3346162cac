"""The examples run as they are, in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def run_example(name: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_two_rings_are_told_apart_and_the_shell_comes_off(tmp_path: Path) -> None:
    out = run_example("two_rings.py", tmp_path / "rings", "--epochs", "4")
    assert "Keras alone:" in out and "f1_score" in out
    assert (tmp_path / "rings" / "best.keras").is_file()


def test_the_classic_modules_find_networks_for_digits(tmp_path: Path) -> None:
    out = run_example("classic_modules.py", tmp_path / "modules", "--trials", "2", "--epochs", "3")
    assert "MlpModule" in out and "CnnModule" in out and "Keras alone" in out


def test_the_search_on_digits_says_what_it_found_and_exports(tmp_path: Path) -> None:
    out = run_example("handwritten_digits.py", "--out", tmp_path / "digits", "--steps", "120")
    assert "Best lr" in out and "searchtime" in out and "trained for 120 steps" in out
    assert (tmp_path / "digits" / "export").is_dir() or list((tmp_path / "digits").glob("export*"))
