"""Wrong paths are answered before anything heavy is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from genokeras.cli import main

HEAVY = ("tensorflow", "keras", "jax", "torch", "pandas", "sklearn", "numpy")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders that look like runs, one data file; it is the current folder."""
    for name in ("leukemia", "lymphoma"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.json").write_text("{}")
    (tmp_path / "patients.csv").write_text("sample,TP53\ns1,1\n")
    (tmp_path / "cells.h5ad").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRONG = [
    (
        ["predict", "runs/leukaemia", "patients.csv"],
        "the run folder runs/leukaemia does not exist. Did you mean 'leukemia'",
    ),
    (["predict", "runs/leukemia", "patient.csv"], "patient.csv does not exist. Did you mean 'patients.csv'?"),
    (
        ["evaluate", "runs/leukemia", "new/patients.csv"],
        "new/patients.csv does not exist. Nor does its folder new.",
    ),
    (
        ["evaluate", "runs", "patients.csv"],
        "it has no run.json. There are runs in it: runs/leukemia, runs/lymphoma.",
    ),
    (["explain", "runs/leukemia", "patient.csv", "--out", "g"], "Did you mean 'patients.csv'?"),
    (["report", "runs/leukemia/run.json"], "give the run folder it is in, runs/leukemia."),
    (["leaderboard", "patients.csv"], "patients.csv is a file; expected a run folder"),
    (
        ["export", "nowhere/run", "m.keras"],
        "the run folder nowhere/run does not exist. Nor does its folder nowhere.",
    ),
    (["panel", "runs/leukemi"], "Did you mean 'leukemia'?"),
    (["visualize", "runs/leukemi"], "Did you mean 'leukemia'?"),
    (["annotate", "runs/leukemi", "patients.csv", "--out", "l.h5ad"], "Did you mean 'leukemia'?"),
    (
        ["annotate", "runs/leukemia", "patients.csv", "--out", "l.h5ad"],
        "a copy of an h5ad file, and patients.csv is none. genokeras predict answers",
    ),
    (["annotate", "runs/leukemia", "cells.h5ad", "--out", "l.csv"], "such as l.h5ad: got l.csv."),
    (["annotate", "runs/leukemia", "cells.h5ad", "--out", "./cells.h5ad"], "--out is cells.h5ad itself"),
    (["fit", "--block", "rna=rna.tsv", "--out", "r"], "rna.tsv does not exist."),
    (["fit", "patient.csv", "--out", "r"], "Did you mean 'patients.csv'?"),
    (["auto", "resnet.json", "train"], "resnet.json does not exist: expected a project's JSON file."),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_a_wrong_path_is_one_message(folder: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1 and said in result.stderr


def test_none_of_them_imports_anything_heavy(folder: Path) -> None:
    code = (
        "import json, sys\nfrom genokeras.cli import main\n"
        f"for arguments in json.loads({json.dumps(json.dumps([arguments for arguments, _ in WRONG]))}):\n"
        "    try: main(arguments)\n"
        "    except SystemExit as end: assert end.code == 2\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n" and done.stderr.count("Error: ") == len(WRONG)
