"""Files are written by one writer: whole, synced to the disk, and renamed."""

from __future__ import annotations

import re
from pathlib import Path

import genokeras

# Each line of code that writes to a path must give the path that `written_aside` and its like handed out.
WRITES = re.compile(
    r"\.write_(text|bytes)\(|np\.savez?(_compressed)?\(|\.to_(csv|parquet)\(|\.savefig\(|\.(save|export)\([a-z(]*path"
    r"|\bopen\([^)]*[\"'](w|a|x|r\+)|os\.(replace|rename)\(|\.rename\(|shutil\.(copy|move)|json\.dump\("
)
HANDED_OUT = re.compile(r"\b(aside|beside|made|sys\.stdout)\b")
# The writer itself; writers of a format to a path that an export handed out; a copy in a temporary folder; figures in memory.
# Further: leases, which are made only where there is none; what a process hands to its own workers, and their logs; a picture that saves itself.
KNOWN = {
    "support/files.py",
    "support/leases.py",
    "engine/shipping.py",
    "engine/worker_process.py",
    "estimators/panels.py",
    "data/testing.py",
    "exports/export.py",
    "exports/tensorflow_side.py",
    "exports/torch_side.py",
    "encoders/feature_model.py",
    "report/confusion.py",
    "report/latent.py",
    "report/picture.py",
    "support/shown_figure.py",
}


def test_no_module_writes_a_file_in_its_place() -> None:
    package, found = Path(genokeras.__file__).parent, []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line.split("#")[0]
            if WRITES.search(code) and not (HANDED_OUT.search(code) or name in KNOWN):
                found.append(f"{name}:{number}: {line.strip()}")
    assert not found
