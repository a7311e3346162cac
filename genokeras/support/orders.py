"""Orders of the process that started this one: they are listened to from the first moment, and when they cease this process ends.

This module imports nothing large, so that a process whose parent ends while it still imports ends, too.
"""

from __future__ import annotations

import os
import pickle
import queue
import shutil
import signal
import threading
from typing import BinaryIO


def listen(folder: str) -> queue.SimpleQueue[bytes]:
    """Take orders from the standard input, and end once it is closed; Ctrl-C and SIGTERM are left to the parent.

    Parameters
    ----------
    folder : str
        What is removed then: what the parent shares with its workers.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal or a cluster sends these to all processes of a run.
        signal.signal(number, signal.SIG_IGN)
    orders, inbox = os.fdopen(os.dup(0), "rb"), queue.SimpleQueue[bytes]()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_listen, args=(orders, inbox, folder), daemon=True).start()
    return inbox


def _listen(orders: BinaryIO, inbox: queue.SimpleQueue[bytes], folder: str) -> None:
    try:
        while True:
            inbox.put(pickle.load(orders))
    except (EOFError, OSError, pickle.UnpicklingError):
        # The parent has ended, in whatever way: nothing of it may remain.
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
