"""A worker process as its parent has it: orders go in, answers come out, and it can be ended at any moment."""

from __future__ import annotations

import json
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, final

import keras

from genokeras.support.processes import own_memory

# The whole path of modules goes along: what this process can import, a worker can.
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from genokeras.support.orders import listen; orders = listen(sys.argv[2]); "
    "from genokeras.engine.worker import main; main(orders)"
)
# Each reads how many threads to use from one of these.
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC", "POLARS_MAX_THREADS"),
)
_LOG_TAIL = 4000
# What Python adds to the traceback of a process that crashed.
_LISTED = re.compile(r"^Extension modules: .*$", re.MULTILINE)
# Seconds that a process gets to write down where it hangs.
_LAST_WORDS = 0.5


def worker_environment(threads: int) -> dict[str, str]:
    """Variables that let a process use so many threads, the backend of this process, and a graphics card beside others."""
    return {
        **dict.fromkeys(_THREADS, str(threads)),
        "KERAS_BACKEND": keras.backend.backend(),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


@final
class WorkerProcess:
    """One process that runs `genokeras.engine.worker`.

    Parameters
    ----------
    number : int
        Names its log.
    threads : int
    folder : pathlib.Path
        What workers share; they remove it when this process ends.
    answers : queue.Queue
        Gets ``(self, answer)`` of each answer, and ``(self, None)`` once the process has ended.
    """

    def __init__(self, number: int, threads: int, folder: Path, answers: queue.Queue[Any]) -> None:
        self._log = folder / f"worker-{number}.log"
        command = [sys.executable, "-c", _CODE, json.dumps(sys.path), str(folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **worker_environment(threads)},
            )
        threading.Thread(target=self._listen, args=(answers,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def memory(self) -> int:
        """Bytes that it holds for itself; 0 where that is not known."""
        return own_memory(self.pid) or 0

    def order(self, packed: bytes) -> None:
        """Send what it is to do; of one that has just ended the queue of answers will tell."""
        assert self._process.stdin is not None
        with suppress(OSError):
            pickle.dump(packed, self._process.stdin)
            self._process.stdin.flush()

    def kill(self) -> None:
        """Have it killed, without waiting for that."""
        self._process.kill()

    def end(self, last_words: bool = False) -> str:
        """Kill it, and give the end of what it wrote.

        Parameters
        ----------
        last_words : bool
            Let it write first where it hangs.
        """
        if last_words and hasattr(signal, "SIGUSR1") and self._process.poll() is None:
            with suppress(OSError):
                self._process.send_signal(signal.SIGUSR1)
                time.sleep(_LAST_WORDS)
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with suppress(OSError):
            text = self._log.read_text(encoding="utf-8", errors="replace")
            return _LISTED.sub("", text)[-_LOG_TAIL:].strip()
        return ""

    @property
    def manner(self) -> str:
        """How it ended by itself, as in " (signal 9)"."""
        code = self._process.wait()
        return f" (signal {-code})" if code < 0 else f" (exit code {code})"

    def _listen(self, answers: queue.Queue[Any]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream, suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                answers.put((self, pickle.load(stream)))
        answers.put((self, None))
