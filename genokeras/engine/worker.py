"""What a worker process does: it makes a runner once, then trains job after job.

Orders come as :mod:`genokeras.support.orders` takes them, answers go by what was the standard output; what libraries print goes to a log.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import queue
import signal
import traceback
from typing import Any, BinaryIO

import cloudpickle

from genokeras.engine.shipping import unpacked
from genokeras.engine.workshop import READY, Workshop


def main(inbox: queue.SimpleQueue[bytes]) -> None:
    """Work until the process is ended."""
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    workshop = None
    while True:
        try:
            order = unpacked(inbox.get())
            if workshop is None:
                workshop = Workshop(order)
                _answer(answers, READY)
            else:
                packed, views = order
                job, deadline = pickle.loads(packed)
                _answer(answers, workshop.run(job, deadline, views))
        except Exception:
            _answer(answers, traceback.format_exc())


def _answer(answers: BinaryIO, answer: Any) -> None:
    cloudpickle.dump(answer, answers)
    answers.flush()
