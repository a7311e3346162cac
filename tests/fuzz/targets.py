"""What is fuzzed: small valid files of each kind, and how a user would read them."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import genokeras as gk
from genokeras.engine.asks import earlier
from genokeras.engine.problem_files import read_problem
from genokeras.engine.run import read_record
from genokeras.engine.store import TrialStore
from genokeras.projects.config import read_config
from genokeras.support import RunFolder

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"
# Files that a run has beside its model, which Keras reads, by a run that has them.
_RUN_FILES = {
    **dict.fromkeys(
        ("run.json", "journal.jsonl", "result.json", "data.npz", "features.npz"), "genome_classifier"
    ),
    **dict.fromkeys(("task.json", "encoder.json", "content.npz"), "text_classifier"),
}
_TRIAL_FILES = ("graph.json", "weights.npz", "predictions.npz")
_TRIAL = "trials/000000"


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes
    ----------
    name : str
        Of the file that is written.
    seeds : tuple of bytes
        Contents that are read without an error.
    read : callable
        Reads the file at a path.
    run : str
        The run that the file is part of.
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], object]
    run: str = ""

    @property
    def kind(self) -> str:
        """What shares its inputs: all files of a run are one kind."""
        return "run" if self.run else self.name


_CSV = (
    b"id,label,TP53,MYC,BRCA1\ns1,a,1.5,2,3\ns2,b,0.5,1,NA\ns3,a,2.5,0,1\ns4,b,1e3,7,2\n",
    b'sample,"Er\nstatus",TP53\ns1,pos,"1.5"\ns2,neg,2.25\n',
    b"# made by a pipeline\ngene,s1,s2\nTP53,1,2\nMYC,3,4\n",
    gzip.compress(b"id,age,TP53\ns1,40,1.5\ns2,50,2.5\n", mtime=0),
    "id,état,TP53\ns1,né,1\ns2,né,2\n".encode("latin-1"),
    "id,TP53\ns1,1\ns2,2\n".encode("utf-16"),
)
_GCT = (
    b"#1.2\n2\t3\nName\tDescription\tS1\tS2\tS3\nTP53\tna\t1\t2\t3\nMYC\tna\t4\t5\t6\n",
    b"#1.3\n2\t2\t1\t1\nid\tnote\tS1\tS2\nstatus\tna\ta\tb\nTP53\tx\t1\t2\nMYC\ty\t3\t4\n",
)
_FASTA = (
    b">p1 label=1;split=train\nACGTACGT\nTTGCA\n>p2 label=0;split=test\nacgtnnRY\n",
    b'>chr1:10-20(+) note="a b" label=x\r\nACGUACGU\r\n>chr2:30-40(-) label=y\r\nUUGG\r\n',
    b"@r1 label=1\nACGT\n+\nIIII\n@r2 label=0\nGGTA\n+\nIIII\n",
)
_EXAMPLES = Path(__file__).parents[2] / "examples" / "autogenome"
_CONFIG = tuple((_EXAMPLES / name).read_bytes() for name in ("densenet.json", "vae.json"))


def _idx() -> tuple[bytes, ...]:
    pictures = struct.pack(">4B3I", 0, 0, 8, 3, 3, 4, 4) + bytes(range(48))
    numbers = struct.pack(">4B3I", 0, 0, 0x0D, 3, 2, 3, 2) + np.arange(12, dtype=">f4").tobytes()
    return pictures, numbers, gzip.compress(pictures, mtime=0)


def _npz() -> tuple[bytes, ...]:
    x = np.arange(12, dtype="float32").reshape(4, 3)
    names = {"y": np.array(["a", "b", "a", "b"]), "feature_names": np.array(["g1", "g2", "g3"])}
    sparse = {
        "format": b"csr",
        "data": x[0],
        "indices": np.arange(3),
        "indptr": np.array([0, 1, 3]),
        "shape": np.array([2, 3]),
    }
    return _archive({"X": x, **names}), _archive({"X": x, **names}, np.savez_compressed), _archive(sparse)


def _archive(arrays: dict[str, object], save: Callable[..., None] = np.savez) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def _graphs() -> tuple[bytes, ...]:
    trial = (RUNS / "genome_classifier" / _TRIAL / "graph.json").read_bytes()
    cells = (RUNS / "sequence_classifier" / _TRIAL / "graph.json").read_bytes()
    graph = json.loads(trial)["trial"]["proposal"]["graph"]
    return json.dumps(graph).encode(), trial, cells


def _run_targets() -> dict[str, Target]:
    places = {**_RUN_FILES, **{f"{_TRIAL}/{name}": "genome_classifier" for name in _TRIAL_FILES}}
    return {
        f"run_{Path(name).name}": Target(name, (_run_file(run, name),), _reader(name), run)
        for name, run in places.items()
    }


def _run_file(run: str, name: str) -> bytes:
    path = RUNS / run / name
    if name != "features.npz":
        return path.read_bytes()
    with np.load(path) as arrays:
        # one of its views
        return _archive({key: arrays[key] for key in arrays if key.startswith("log/")}, np.savez_compressed)


def _reader(name: str) -> Callable[[Path], object]:
    if name.startswith(_TRIAL):
        return lambda path: _read_trial(path.parents[2])
    if name in ("features.npz", "content.npz", "encoder.json"):
        return lambda path: read_problem(RunFolder(path.parent))
    if name == "journal.jsonl":
        return lambda path: _read_journal(RunFolder(path.parent))
    return lambda path: _read_run(path.parent)


def _read_run(path: Path) -> object:
    folder = RunFolder(path)
    return read_record(folder), read_problem(folder)


def _read_journal(folder: RunFolder) -> object:
    return earlier(folder, TrialStore(folder).history())


def _read_trial(path: Path) -> object:
    store = TrialStore(RunFolder(path))
    trials = store.history().trials
    return [(store.father(trial), store.answers((trial,)), store.curve(trial.id)) for trial in trials]


def targets() -> dict[str, Target]:
    """All that are read in this process, by name."""
    return {
        "csv": Target("table.csv", _CSV, lambda path: gk.load_dataset(path, missing="keep")),
        "csv_labels": Target(
            "table.csv", _CSV[:1], lambda path: gk.load_dataset(path, "label", missing="keep")
        ),
        "gct": Target("table.gct", _GCT, gk.load_dataset),
        "fasta": Target("reads.fa", _FASTA, lambda path: gk.load_sequences(path)),
        "idx": Target("train-images-idx3-ubyte", _idx(), gk.load_images),
        "npz": Target("table.npz", _npz(), lambda path: gk.load_dataset(path, missing="keep")),
        "config": Target("project.json", _CONFIG, read_config),
        "graph": Target("graph.json", _graphs(), gk.load_graph),
        **_run_targets(),
    }


def prepare(target: Target, folder: Path) -> Path:
    """Make a folder where the file of a target can be written; of a run with its other files and one of its trials."""
    path = folder / target.name
    path.parent.mkdir(parents=True)
    if target.run:
        source = RUNS / target.run
        for name, run in _RUN_FILES.items():
            if run == target.run or (source / name).exists():
                (folder / name).write_bytes(_run_file(target.run, name))
        shutil.copytree(source / _TRIAL, folder / _TRIAL, dirs_exist_ok=True)
    return path
