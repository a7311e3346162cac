"""``genokeras fit`` that gets Ctrl-C or SIGTERM at random moments: whether it delivers, and how soon it ends.

    python -m benchmarks.reliability.signals [--data examples/data/golub_leukemia.tsv.gz] [--moments 20] [--seed 0] [--out signals.jsonl]

Moments are drawn from the time that the command takes to its end, start-up included. A moment holds where a model was delivered if one
trial had finished when the signal came, and the process ended within 5 s. Those that the output has already are left out.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.evaluate import read_lines
from benchmarks.speed.machine import describe_machine

SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}
KEY = ("signal", "number", "seed")
_TRIALS, _SECONDS = 72, 5.0
_CODE = "import sys; from genokeras.cli import main; main(sys.argv[1:])"


def start(data: Path, folder: Path) -> subprocess.Popen[str]:
    """The command, which Ctrl-C reaches as in a terminal."""
    arguments = ["fit", str(data), "--target", "label", "--out", str(folder), "--seed", "1", "-q"]
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, *arguments, "--max-trials", str(_TRIALS)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finished(folder: Path) -> int:
    """Trials in the journal."""
    journal = folder / "journal.jsonl"
    return journal.read_text(encoding="utf-8").count('"event": "trial"') if journal.exists() else 0


def stopped(data: Path, folder: Path, number: signal.Signals, seconds: float) -> dict[str, Any]:
    """What comes of a command that gets a signal after a number of seconds."""
    with start(data, folder) as process:
        time.sleep(seconds)
        there = finished(folder)
        process.send_signal(number)
        pressed = time.perf_counter()
        said = process.communicate(timeout=120)[1]
        took = time.perf_counter() - pressed
    delivered = (folder / "result.json").exists() and (folder / "best.keras").exists()
    return {
        "at": seconds,
        "there": there,
        "delivered": delivered,
        "code": process.returncode,
        "took": took,
        "said": said[-300:],
    }


def holds(line: dict[str, Any]) -> bool:
    """Whether there is a model wherever there can be one, and soon."""
    return (line["delivered"] or not line["there"]) and line["took"] <= _SECONDS


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line for each moment that the output lacks."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with start(arguments.data, Path(folder) / "whole") as process:
            process.communicate()
        whole = time.perf_counter() - began
        print(f"undisturbed: {whole:.1f} s, {finished(Path(folder) / 'whole')} trials", flush=True)
        for name, number in SIGNALS.items():
            shares = np.random.default_rng(arguments.seed).random(arguments.moments)
            for place, share in enumerate(shares):
                if (name, place, arguments.seed) in done:
                    continue
                found = stopped(arguments.data, Path(folder) / f"{name}{place}", number, share * whole)
                line = {"signal": name, "number": place, "seed": arguments.seed, **found}
                with arguments.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                yield line


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("examples/data/golub_leukemia.tsv.gz"))
    parser.add_argument("--moments", type=int, default=20, help="of each signal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("signals.jsonl"))
    arguments = parser.parse_args()
    print(describe_machine())
    for line in run(arguments):
        print(
            f"{line['signal']:<7} after {line['at']:5.1f} s, {line['there']:2} trials: {'delivered' if line['delivered'] else 'nothing'}, "
            f"exit code {line['code']} after {line['took']:.1f} s{'' if holds(line) else '  MISSED'}",
            flush=True,
        )
    lines = [line for line in read_lines(arguments.out) if line["seed"] == arguments.seed]
    print(
        f"{sum(map(holds, lines))} of {len(lines)} hold; slowest {max(line['took'] for line in lines):.1f} s"
    )


if __name__ == "__main__":
    main()
