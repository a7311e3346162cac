"""The data of a run of sequences, images or texts, as trials see them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.data import Folds, make_folds
from genokeras.errors import RunFolderError
from genokeras.runs import RunFolder
from genokeras.spatial.encoders import encoder_from_dict
from genokeras.spatial.encoding import Encoder, Rows, n_rows
from genokeras.spatial.tasks import Task, task_from_dict

ROWS_FILE, ENCODER_FILE, TASK_FILE, CONTENT_FILE = "data.npz", "encoder.json", "task.json", "content.npz"
TENSOR, COUNTS = "tensor", "counts"
FEW = 2000
FEW_FOLDS = 3
HELD_OUT_SHARE = 5
MOST_HELD_OUT = 10_000


@dataclass(frozen=True)
class SpatialProblem:
    """What all trials of a run have in common.

    Attributes
    ----------
    encoder : Encoder
    rows : dict of str to numpy.ndarray
        The samples, ``(n_samples, ...)`` each; what they hold is the encoder's affair.
    codes : numpy.ndarray
        ``(n_samples, ...)`` targets, as the task has them: class numbers where that is to tell classes apart.
    task : Task
    train, held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    sample_weight : numpy.ndarray
        ``(n_samples,)`` float64.
    """

    encoder: Encoder
    rows: Rows
    codes: np.ndarray
    task: Task
    train: np.ndarray
    held_out: np.ndarray
    sample_weight: np.ndarray

    @property
    def n_folds(self) -> int:
        return len(self.train)

    @property
    def widths(self) -> dict[str, int]:
        """Width of the linear father's input, and channels (or the length, of tokens) of the networks', by view."""
        return {TENSOR: self.encoder.input_shape[-1], COUNTS: self.encoder.n_counts}

    @property
    def scored(self) -> np.ndarray:
        """``(n_samples,)`` bool: rows that some fold holds out."""
        return np.asarray(self.held_out.any(axis=0))

    def input_units(self, view: str) -> int | tuple[int, ...]:
        """What a graph of this view reads, as ``Graph.n_parameters`` takes it."""
        return self.encoder.input_shape if view == TENSOR else self.encoder.n_counts

    def fingerprint(self) -> str:
        """Hex digest of samples and labels: a resumed run has to see the same data."""
        digest = hashlib.sha256()
        for name, values in sorted(_packed(self.rows).items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(values).view(np.uint8).data)
        digest.update(np.ascontiguousarray(self.codes).view(np.uint8).data)
        return digest.hexdigest()[:32]


def split(
    codes: np.ndarray,
    groups: np.ndarray | None,
    n_folds: int | None,
    seed: int,
    names: list[str],
) -> Folds:
    """Stratified folds, whole groups where there are any: 3 of few samples, one hold-out of a fifth of many.

    Parameters
    ----------
    codes : numpy.ndarray
        ``(n_samples,)`` class numbers.
    groups : numpy.ndarray or None
    n_folds : int or None
        As many folds, whatever the number of samples.
    seed : int
    names : list of str
        Of the classes, for the notes.
    """
    if n_folds is not None:
        return make_folds(codes, n_folds, groups=groups, seed=seed, class_names=names)
    if len(codes) < FEW:
        found = make_folds(codes, FEW_FOLDS, groups=groups, seed=seed, class_names=names)
        return Folds(
            found.train,
            found.held_out,
            (*found.notes, f"{len(codes):,} samples: {FEW_FOLDS} folds score the networks."),
        )
    parts = max(HELD_OUT_SHARE, -(-len(codes) // MOST_HELD_OUT))
    if groups is not None:
        parts = max(2, min(parts, len(np.unique(groups)) // 2))
    found = make_folds(codes, parts, groups=groups, seed=seed, class_names=names)
    train, held_out = found.train[:1], found.held_out[:1]
    note = (
        f"{len(codes):,} samples: one hold-out of {held_out.sum():,} of them scores the networks. "
        f"Pass folds={FEW_FOLDS} for cross-validation."
    )
    return Folds(train, held_out, (note,))


def write_problem(folder: RunFolder, problem: SpatialProblem) -> None:
    """Write the rows' part (``data.npz``), the encoder, and last the samples (``content.npz``)."""
    data = {
        "codes": problem.codes,
        "train": problem.train,
        "held_out": problem.held_out,
        "sample_weight": problem.sample_weight,
    }
    folder.write_arrays(ROWS_FILE, data)
    folder.write_json(ENCODER_FILE, problem.encoder.to_dict())
    folder.write_json(TASK_FILE, problem.task.to_dict())
    folder.write_arrays(CONTENT_FILE, _packed(problem.rows))


def read_problem(folder: RunFolder) -> SpatialProblem:
    """The inverse of :func:`write_problem`.

    Raises
    ------
    RunFolderError
        If a file is missing or damaged.
    """
    data, content = folder.read_arrays(ROWS_FILE), folder.read_arrays(CONTENT_FILE)
    try:
        encoder = encoder_from_dict(folder.read_json(ENCODER_FILE))
        task = task_from_dict(folder.read_json(TASK_FILE))
    except (KeyError, TypeError) as error:
        raise RunFolderError(
            f"{ENCODER_FILE} or {TASK_FILE} of {str(folder.path)!r} is incomplete: {error}."
        ) from error
    return SpatialProblem(
        encoder,
        _unpacked(content),
        data["codes"],
        task,
        data["train"],
        data["held_out"],
        data["sample_weight"],
    )


def has_problem(folder: RunFolder) -> bool:
    """Whether the data of the run were written to the end."""
    return folder.has(CONTENT_FILE)


# ---- texts have no fixed size, so they are laid end to end


def _packed(rows: Rows) -> dict[str, np.ndarray]:
    packed: dict[str, np.ndarray] = {}
    for name, values in rows.items():
        if values.dtype != object:
            packed[name] = values
            continue
        encoded = [str(value).encode("utf-8", "surrogatepass") for value in values]
        packed[f"{name}/bytes"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        packed[f"{name}/ends"] = np.cumsum([len(item) for item in encoded])
    return packed


def _unpacked(content: Mapping[str, np.ndarray]) -> Rows:
    rows: dict[str, Any] = {}
    for name, values in content.items():
        if name.endswith("/ends"):
            whole = content[name.removesuffix("ends") + "bytes"].tobytes()
            starts = [0, *values.tolist()[:-1]]
            parts = [
                whole[start:end].decode("utf-8", "surrogatepass")
                for start, end in zip(starts, values.tolist(), strict=True)
            ]
            rows[name.removesuffix("/ends")] = np.array(parts, dtype=object)
        elif not name.endswith("/bytes"):
            rows[name] = values
    n_rows(rows)
    return rows
