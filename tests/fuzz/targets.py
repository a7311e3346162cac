"""What is fuzzed: small valid files of each kind, and how a user would read them."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import genokeras as gk
from genokeras.engine.problem_files import read_problem
from genokeras.engine.run import read_record
from genokeras.projects.config import read_config
from genokeras.support import RunFolder

RUN = Path(__file__).parents[1] / "fixtures" / "runs" / "genome_classifier"
# Files of a run that are read beside its model, which Keras reads.
_RUN_FILES = ("run.json", "journal.jsonl", "result.json", "data.npz", "features.npz", "task.json")


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
    share : float
        Of the inputs of a short run: readers that start pandas take milliseconds.
    """

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], object]
    share: float = 1.0


_CSV = (
    b"id,label,TP53,MYC,BRCA1\ns1,a,1.5,2,3\ns2,b,0.5,1,NA\ns3,a,2.5,0,1\ns4,b,1e3,7,2\n",
    b'sample;"Er\nstatus";TP53\ns1;pos;1,5\ns2;neg;2,25\n',
    b"# made by a pipeline\ngene\ts1\ts2\nTP53\t1\t2\nMYC\t3\t4\n",
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
_CONFIG = tuple((_EXAMPLES / name).read_bytes() for name in ("resnet.json", "vae.json"))


def _idx() -> tuple[bytes, ...]:
    pictures = struct.pack(">4B3I", 0, 0, 8, 3, 3, 4, 4) + bytes(range(48))
    numbers = struct.pack(">4B2I", 0, 0, 0x0D, 2, 2, 3) + np.arange(6, dtype=">f4").tobytes()
    return pictures, numbers


def _npz() -> tuple[bytes, ...]:
    x = np.arange(12, dtype="float32").reshape(4, 3)
    found = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, X=x, y=np.array(["a", "b", "a", "b"]), feature_names=np.array(["g1", "g2", "g3"]))
        found.append(file.getvalue())
    return tuple(found)


def _graphs() -> tuple[bytes, ...]:
    trial = min((RUN / "trials").glob("*/graph.json")).read_bytes()
    graph = json.loads(trial)["trial"]["proposal"]["graph"]
    return json.dumps(graph).encode(), trial


def _read_sequences(path: Path) -> object:
    return gk.load_sequences(path)


def targets() -> dict[str, Target]:
    """All that are read in this process, by name."""
    return {
        "csv": Target("table.csv", _CSV, lambda path: gk.load_dataset(path, missing="keep"), 0.15),
        "csv_labels": Target(
            "table.csv", _CSV, lambda path: gk.load_dataset(path, "label", missing="keep"), 0.1
        ),
        "gct": Target("table.gct", _GCT, gk.load_dataset, 0.15),
        "fasta": Target("reads.fa", _FASTA, _read_sequences),
        "idx": Target("train-images-idx3-ubyte", _idx(), gk.load_images),
        "npz": Target("table.npz", _npz(), lambda path: gk.load_dataset(path, missing="keep"), 0.5),
        "config": Target("project.json", _CONFIG, read_config, 0.5),
        "graph": Target("graph.json", _graphs(), gk.load_graph, 0.5),
        **{f"run_{name}": _of_run(name) for name in _RUN_FILES if (RUN / name).exists()},
    }


def _of_run(name: str) -> Target:
    return Target(name, ((RUN / name).read_bytes(),), lambda path: _read_run(path.parent), 0.05)


def _read_run(path: Path) -> object:
    folder = RunFolder(path)
    return read_record(folder), read_problem(folder), list(folder.journal())


def prepare(target: Target, folder: Path) -> Path:
    """Make a folder where the file of a target can be written; of a run with its other files."""
    if target.name in _RUN_FILES:
        shutil.copytree(RUN, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.keras", "drawings"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / target.name


Targets = Mapping[str, Target]
