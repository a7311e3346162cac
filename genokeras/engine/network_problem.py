"""The data of a run of sequences, images or texts, as trials see them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.data import Folds, make_folds, make_plain_folds
from genokeras.encoders.encoder import TENSOR, Encoder, Rows, n_rows
from genokeras.encoders.files import ENCODER_FILE, read_encoder, write_encoder
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder
from genokeras.tasks.known import read_task
from genokeras.tasks.task import Task

ROWS_FILE, TASK_FILE, CONTENT_FILE = "data.npz", "task.json", "content.npz"
# Of so few samples, or so few places of all samples together, that several networks a trial are soon trained: then all are held out
# once, and networks that were trained on other samples answer better together than one.
FEW, FEW_PLACES, FEWEST_PLACES = 2000, 1_000_000, 400_000
FEW_FOLDS, MOST_FOLDS = 3, 5
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
        linear = dict.fromkeys(self.encoder.linear_views, self.encoder.n_counts)
        return {TENSOR: self.encoder.input_shape[-1], **linear}

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
        for name, values in sorted(_packed(self.encoder.identity(self.rows)).items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(values).view(np.uint8).data)
        digest.update(np.ascontiguousarray(self.codes).view(np.uint8).data)
        if (self.sample_weight != 1).any():
            digest.update(np.ascontiguousarray(self.sample_weight).view(np.uint8).data)
        return digest.hexdigest()[:32]


def split(
    codes: np.ndarray,
    groups: np.ndarray | None,
    n_folds: int | None,
    seed: int,
    names: list[str],
    places: int = 1000,
) -> Folds:
    """Stratified folds, whole groups where there are any: 5 or 3 of few or short samples, one hold-out of a fifth of many.

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
    places : int
        Letters, pixels or words of a sample.
    """

    def make(parts: int) -> Folds:
        return make_folds(codes, parts, groups=groups, seed=seed, class_names=names)

    return _of_size(len(codes), places, groups, n_folds, make)


def split_plainly(
    n: int, groups: np.ndarray | None, n_folds: int | None, seed: int, places: int = 1000
) -> Folds:
    """As `split`, of samples whose targets are numbers: whoever comes into a fold comes there by chance."""

    def make(parts: int) -> Folds:
        return make_plain_folds(n, parts, groups=groups, seed=seed)

    return _of_size(n, places, groups, n_folds, make)


def _of_size(
    n: int, places: int, groups: np.ndarray | None, n_folds: int | None, make: Callable[[int], Folds]
) -> Folds:
    """The folds asked for; by default some of few samples, and the first of them alone of many."""
    if n_folds is not None:
        return make(n_folds)
    if n < FEW or n * places <= FEW_PLACES:
        count = MOST_FOLDS if n * places <= FEWEST_PLACES else FEW_FOLDS
        found = make(count)
        note = f"{n:,} samples: {count} folds score the networks."
        return Folds(found.train, found.held_out, (*found.notes, note))
    parts = max(HELD_OUT_SHARE, -(-n // MOST_HELD_OUT))
    if groups is not None:
        parts = max(2, min(parts, len(np.unique(groups)) // 2))
    found = make(parts)
    train, held_out = found.train[:1], found.held_out[:1]
    note = (
        f"{n:,} samples: one hold-out of {held_out.sum():,} of them scores the networks. "
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
    write_encoder(folder, problem.encoder)
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
        encoder = read_encoder(folder)
        task = read_task(folder.read_json(TASK_FILE))
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
