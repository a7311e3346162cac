"""What a worker process does: it makes a runner once, then trains job after job, and ends when its parent does.

Orders come by its standard input, answers go by what was its standard output; what libraries print goes to its log.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import queue
import shutil
import signal
import sys
import threading
import traceback
from typing import Any, BinaryIO

import cloudpickle

from genokeras.engine.shipping import unpacked
from genokeras.engine.workshop import READY, Workshop


def main(folder: str) -> None:
    """Work until the parent ends; the last thing then is to remove the folder of what it shared."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # The parent decides: a terminal or a cluster sends these to all processes of a run.
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, all_threads=True)
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, inbox, folder), daemon=True).start()
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


def _listen(orders: BinaryIO, inbox: queue.SimpleQueue[bytes], folder: str) -> None:
    try:
        while True:
            inbox.put(pickle.load(orders))
    except (EOFError, OSError, pickle.UnpicklingError):
        # The parent has ended, in whatever way: nothing of it may remain.
        shutil.rmtree(folder, ignore_errors=True)
        sys.stderr.flush()
        os._exit(0)


def _answer(answers: BinaryIO, answer: Any) -> None:
    cloudpickle.dump(answer, answers)
    answers.flush()
