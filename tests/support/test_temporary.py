"""Folders of runs without a path are gone when the process ends that made them, and no sooner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import copy, multiprocessing, os, pickle
from genokeras.support import RunFolder
from genokeras.support.temporary import temporary_folder

def worker():
    print(temporary_folder())

made = [RunFolder.create(temporary_folder(), {}) for _ in range(3)]
kept, saved, copied = made
pickle.dumps(kept)
copy.deepcopy(copied)
saved.copy_to(os.environ["PLACE"])
if os.fork() == 0:
    os._exit(0)  # without a word
os.wait()
child = multiprocessing.get_context("fork").Process(target=worker)
child.start()
child.join()
assert all(folder.has("run.json") for folder in made)
print(kept.path, saved.path, copied.path, sep="\\n")
"""


def test_only_what_was_pickled_stays(tmp_path: Path) -> None:
    environment = {
        "PLACE": str(tmp_path / "saved"),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    of_worker, kept, saved, copied = map(Path, done.stdout.split())
    assert kept.parent == of_worker.parent == tmp_path
    assert [path.exists() for path in (of_worker, kept, saved, copied)] == [False, True, False, False]
    assert (tmp_path / "saved" / "run.json").exists()
