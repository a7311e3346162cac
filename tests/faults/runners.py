"""A runner that does to its process what a job's note says."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from genokeras.engine import Deadline, Job, Outcome
from genokeras.engine.testing import linear_job
from tests.engine.fakes import pretend


class Faulty:
    """Answers at once, unless it is to die, hang, grow or raise; "once PATH" before that makes it do so only the first time."""

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        note = job.note
        if note.startswith("once "):
            _, path, note = note.split(" ", 2)
            if Path(path).exists():
                return pretend(job)
            Path(path).touch()
        self._do(note)
        return pretend(job)

    def _do(self, note: str) -> None:
        if note == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif note == "crash":
            os.abort()
        elif note == "hang":
            self.sleep_on_and_on()
        elif note == "grow":
            held = np.ones(1 << 28)  # 2 GiB: far beyond the limit, however little a worker itself needs
            self.sleep_on_and_on()
            del held
        elif note.startswith("wait "):
            time.sleep(float(note.removeprefix("wait ")))
        elif note:
            raise ValueError(note)

    def sleep_on_and_on(self) -> None:
        time.sleep(1000)


def faulty_job(first_id: int, note: str, *decays: float) -> Job:
    """A job with a note."""
    return replace(linear_job(first_id, *(decays or (0.1,))), note=note)
