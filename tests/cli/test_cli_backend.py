"""What native code says while the backend starts."""

from __future__ import annotations

import os
import sys

import pytest

from genokeras.quiet import quiet_start

CHATTER = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795221469.366783    9966 port.cc:153] oneDNN custom operations are on.\n"
    b"E0000 00:00:1795221472.230131    9966 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)\n"
    b"2026-01-02 03:04:05.678901: I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary\n"
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow\n"
)


def test_known_log_lines_are_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_start():
        os.write(2, CHATTER)
    assert capfd.readouterr().err == ""


def test_anything_else_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_start():
        os.write(2, CHATTER + b"numpy: this CPU is too old\n" + CHATTER)
    assert capfd.readouterr().err == "numpy: this CPU is too old\n"


def test_everything_is_passed_on_where_the_import_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), quiet_start():
        os.write(2, CHATTER)
        raise ImportError
    assert capfd.readouterr().err == CHATTER.decode()


def test_an_interrupt_is_no_reason_for_chatter(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), quiet_start():
        os.write(2, CHATTER)
        raise KeyboardInterrupt
    assert capfd.readouterr().err == ""


def test_standard_error_is_back_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_start():
        pass
    os.write(2, CHATTER)
    print("and python's", file=sys.stderr)
    assert capfd.readouterr().err == CHATTER.decode() + "and python's\n"
