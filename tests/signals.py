"""Signals in tests: handlers as a program has them that was started in a terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

CTRL_C, TERM, WARNING = signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGUSR1", signal.SIGTERM)
ENDS = {CTRL_C: KeyboardInterrupt, TERM: SystemExit, WARNING: SystemExit}
every = pytest.mark.parametrize("number", [CTRL_C, TERM, WARNING], ids=["Ctrl-C", "SIGTERM", "SIGUSR1"])


@pytest.fixture
def unhandled() -> Iterator[None]:
    """A shell that runs the tests in its background hands down that Ctrl-C is ignored."""
    before: dict[signal.Signals, Any] = {number: signal.SIG_DFL for number in (TERM, WARNING)}
    before[CTRL_C] = signal.default_int_handler
    earlier = {number: signal.signal(number, handler) for number, handler in before.items()}
    yield
    assert {number: signal.getsignal(number) for number in before} == before
    for number, handler in earlier.items():
        signal.signal(number, handler)
