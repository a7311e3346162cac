"""Peers that cannot share an environment with GenoKeras: each has its own, and fits in a process of its own.

    python -m benchmarks.quality peers --envs FOLDER [autogluon autokeras celltypist flaml]

makes the environments. A peer's process reads and writes files (see ``workers/serving.py``). Its seconds are measured
there, around fitting and predicting alone, and kept among the facts as ``fit_seconds`` and ``predict_seconds``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.tools import Fitted
from genokeras.support.wording import did_you_mean

HERE = Path(__file__).parent
PEERS = ("autogluon", "autokeras", "celltypist", "flaml")
# Seconds on top of the time limit for importing, overrunning, predicting; then the process is ended.
GRACE = 120.0
NOT_INHERITED = ("PYTHONPATH", "PYTHONHOME", "KERAS_BACKEND")


@dataclass(frozen=True)
class Peer:
    """One peer: the Python of its environment, the script that fits it, the seconds it may overrun."""

    python: Path
    worker: Path
    grace: float = GRACE

    def fit(self, x: np.ndarray, y: np.ndarray, groups: np.ndarray | None, seconds: float) -> Fitted:
        """Prepare a fit; it happens in ``predict``, because the process that fits lives only once.

        The estimate and the facts are empty before. Where the peer fails, crashes or has to be ended, ``facts`` holds
        ``failed`` with the reason, and the probabilities are the frequencies of the classes in ``y``.
        """
        estimate: dict[str, float] = {}
        facts: dict[str, Any] = {}

        def predict(x_test: np.ndarray) -> np.ndarray:
            arrays = {"x_train": x, "codes": y, "x_test": x_test, "seconds": np.asarray(seconds)}
            if groups is not None:
                arrays["groups"] = groups
            started = time.perf_counter()
            try:
                probabilities, found = self._run(arrays, seconds + self.grace)
            except PeerFailure as failure:
                facts.update(failed=str(failure), fit_seconds=time.perf_counter() - started)
                return np.tile(np.bincount(y) / len(y), (len(x_test), 1))
            estimate.update(found["estimate"])
            facts.update(found["facts"])
            return probabilities

        return Fitted(predict, estimate, facts=facts)

    def _run(self, arrays: dict[str, np.ndarray], limit: float) -> tuple[np.ndarray, dict[str, Any]]:
        with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            np.savez(folder / "task.npz", **arrays)  # type: ignore[arg-type]
            _wait([str(self.python), str(self.worker), str(folder)], folder, limit)
            try:
                found = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
                with np.load(folder / "probabilities.npz") as written:
                    return _checked(written["probabilities"], arrays), found
            except (OSError, KeyError, ValueError) as error:
                raise PeerFailure(f"its answer cannot be read: {error}") from error


class PeerFailure(Exception):
    """The process of a peer gave no probabilities; the message says why."""


def _wait(command: list[str], folder: Path, limit: float) -> None:
    """Run a command in ``folder`` until it ends or the limit passes; raises PeerFailure unless all went well."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    log = folder / "log.txt"
    with log.open("wb") as output:
        # A session of its own, so that the processes which a peer starts end with it.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise PeerFailure(f"ended after {limit:.0f} s without an answer") from None
        finally:
            _end(process)
    if code != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise PeerFailure(f"exit code {code}: {lines[-1][:300] if lines else 'no output'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _checked(probabilities: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    expected = (len(arrays["x_test"]), int(arrays["codes"].max()) + 1)
    if probabilities.shape != expected:
        raise ValueError(f"expected probabilities of shape {expected}, got {probabilities.shape}")
    if not np.isfinite(probabilities).all():
        raise ValueError("expected finite probabilities, got NaN or infinity")
    return probabilities


def find_peers(names: list[str], envs: Path | None) -> dict[str, Peer]:
    """Those of ``names`` that are peers, ready to fit; ends the program where one has no environment."""
    wanted = [name for name in names if name in PEERS]
    absent = [name for name in wanted if envs is None or not _is_installed(envs / name, name)]
    if absent:
        folder = "FOLDER" if envs is None else envs
        where = "needs --envs" if envs is None else f"has no finished environment in {envs}"
        raise SystemExit(
            f"{', '.join(absent)} {where}; run: python -m benchmarks.quality peers --envs {folder} {' '.join(absent)}"
        )
    return {
        name: Peer(_python(Path(envs) / name), HERE / "workers" / f"fit_{name}.py") for name in wanted if envs
    }


def install_peers(names: list[str], envs: Path | None) -> None:
    """Make the environments of the named peers, or of all, with ``venv`` and ``pip``; finished ones are left alone."""
    if envs is None:
        raise SystemExit("peers needs --envs, the folder for the environments")
    for name in names:
        if name not in PEERS:
            raise SystemExit(f"no peer {name!r}; there are {', '.join(PEERS)}.{did_you_mean(name, PEERS)}")
    for name in names or PEERS:
        environment = (envs / name).resolve()
        if not _is_installed(environment, name):
            print(f"{name}: {environment}", flush=True)
            _call(name, [sys.executable, "-m", "venv", str(environment)])
            pip = [str(_python(environment)), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
            _call(name, [*pip, "-r", str(_requirements(name))])
            shutil.copyfile(_requirements(name), environment / "requirements.txt")


def _call(name: str, command: list[str]) -> None:
    code = subprocess.run(command, check=False).returncode
    if code != 0:
        raise SystemExit(f"{name}: exit code {code} of {' '.join(command)}")


def _is_installed(environment: Path, name: str) -> bool:
    # The copy is written last and says for which requirements the environment was made.
    copy = environment / "requirements.txt"
    return copy.exists() and copy.read_bytes() == _requirements(name).read_bytes()


def _requirements(name: str) -> Path:
    return HERE / "requirements" / f"{name}.txt"


def _python(environment: Path) -> Path:
    # Absolute, because the process runs in a folder of its own; not resolved, because the link is what makes the venv.
    return environment.absolute() / "bin" / "python"
