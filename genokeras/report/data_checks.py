"""What a reader of a report should know of the data: sizes, gaps, copies, and what moves many genes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import spearmanr

from genokeras.data import Dataset
from genokeras.encoders import TableEncoder
from genokeras.engine import Run
from genokeras.explain import training_rows
from genokeras.explain.checks import pick_rows
from genokeras.explain.runs import table_of
from genokeras.report.answers import class_counts, of_classes
from genokeras.support.wording import counted, duplicates, listed

_MOST_ROWS = 500
_FEWEST_GENES = 20
_ALIKE = 0.002  # squared distance of two copies, as a share of how far samples are from the mean
_DIRECTIONS = 3
_LARGE, _UNEXPLAINED, _ORDERED = 0.1, 0.1, 0.5
_SMALL_CLASS = 10


@dataclass(frozen=True, eq=False)
class CheckedSamples:
    """Samples to look at, genes in the run's order.

    Attributes
    ----------
    x : numpy.ndarray
        ``(n, p)`` float32; NaN where a value is missing.
    targets : numpy.ndarray or None
        ``(n,)`` class numbers, or ``(n, n_targets)`` numbers, where they are known.
    ids : tuple of str
    words : str
        Which samples these are.
    missing : int or None
        Missing values of all samples, where that is known.
    given : bool
        Whether they were given, and are not those of the training.
    """

    x: np.ndarray
    targets: np.ndarray | None
    ids: tuple[str, ...]
    words: str
    missing: int | None = None
    given: bool = False


@dataclass(frozen=True)
class Direction:
    """A principal component of standardised genes.

    Attributes
    ----------
    share : float
        Of the variance of all genes.
    by_class : float
        Share of its own variance that classes (eta squared) or a number (r squared) explain; NaN where they are unknown.
    by_order : float
        Absolute rank correlation with the position in the table.
    """

    share: float
    by_class: float
    by_order: float


def looked_at(dataset: Dataset, targets: np.ndarray | None) -> CheckedSamples:
    """Samples that were given, 500 of them at most."""
    values = dataset.x.data if sparse.issparse(dataset.x) else dataset.x
    picked = pick_rows(dataset.n_samples, _MOST_ROWS, 0)
    block = dataset.x[picked]
    dense = np.asarray(block.toarray() if isinstance(block, sparse.csr_matrix) else block, dtype="float32")
    words = f"the {len(picked)} samples that were given"
    if len(picked) < dataset.n_samples:
        words = f"{len(picked)} of the {dataset.n_samples} samples that were given, drawn at random"
    ids = tuple(dataset.sample_ids[i] for i in picked)
    return CheckedSamples(
        dense,
        None if targets is None else targets[picked],
        ids,
        words,
        int(np.isnan(values).sum()),
        given=True,
    )


def trained_samples(run: Run) -> CheckedSamples | None:
    """The samples that a run was trained on, 500 at most; None where it has no view of all genes to read them from."""
    problem = run.problem
    if "all" not in table_of(problem).spaces:
        return None
    used = np.flatnonzero(problem.train.any(axis=0))
    picked = used[pick_rows(len(used), _MOST_ROWS, 0)]
    words = f"the {len(used)} training samples, as the run has kept them"
    if len(picked) < len(used):
        words = f"{len(picked)} of the {len(used)} training samples, drawn at random"
    names = _sample_names(run)
    ids = tuple(names[i] for i in picked)
    return CheckedSamples(training_rows(problem, 0, _MOST_ROWS), problem.targets[picked], ids, words)


def _sample_names(run: Run) -> list[str]:
    """Names of all samples that a run was given; their numbers where it did not keep these."""
    held, n = run.folder.settings.get("sample_ids"), len(run.rows.scored)
    return [str(name) for name in held] if held and len(held) == n else [f"number {i + 1}" for i in range(n)]


def training_ids(run: Run) -> tuple[str, ...]:
    """Names of the samples that were predicted out of fold."""
    names = _sample_names(run)
    return tuple(names[i] for i in np.flatnonzero(run.rows.scored))


def findings(run: Run, samples: CheckedSamples | None) -> list[str]:
    """What was found, a sentence each."""
    settings, problem = run.folder.settings, run.problem
    found = findings_of_rows(run)
    twice = duplicates(str(name) for name in settings["feature_names"])
    if twice:
        found.append(f"{counted(len(twice), 'gene name')} occur more than once: {listed(twice, 5)}.")
    encoder = table_of(problem)
    constant = encoder.n_features - _varying(encoder) if "all" in encoder.spaces else 0
    if constant:
        found.append(
            f"{counted(constant, 'gene')} did not vary in the training samples; no network reads them."
        )
    if encoder.medians is not None:
        found.append("Missing values are filled in with the gene's median over the training samples.")
    if samples is not None and samples.missing is not None:
        found.append(f"Missing values in {samples.words}: {samples.missing or 'none'}.")
    copies = [] if samples is None else alike(samples)
    if copies:
        pairs = listed((f"{a} and {b}" for a, b in copies), 5)
        found.append(
            f"Possible duplicates: {counted(len(copies), 'pair')} of samples with almost the same values ({pairs}). Copies on "
            "both sides of a split make the estimate too good; fit(groups=...) keeps them together."
        )
    elif samples is not None:
        found.append(f"No two samples with almost the same values among {samples.words}.")
    return found


def findings_of_rows(run: Run) -> list[str]:
    """The same of samples that a report does not look into."""
    notes = [f"Note of the run: {note}" for note in run.folder.settings.get("notes", ())]
    return notes + (_of_classes(run.names, class_counts(run)) if of_classes(run) else [])


def _of_classes(classes: np.ndarray, counts: Sequence[int]) -> list[str]:
    small = [f"{name} ({n})" for name, n in zip(classes, counts, strict=True) if n < _SMALL_CLASS]
    if not small:
        return []
    return [f"Fewer than {_SMALL_CLASS} samples, so what is said of them is uncertain: {listed(small)}."]


def _varying(encoder: TableEncoder) -> int:
    """Genes that vary in the training rows of some fold."""
    columns = [space.columns for space in encoder.spaces["all"]]
    return len(np.unique(np.concatenate(columns)))


# ---- copies and directions


def standardised(x: np.ndarray) -> np.ndarray:
    """Genes that vary, mean 0 and variance 1; gaps at the mean."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(x)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, x, 0.0).sum(axis=0, dtype="float64") / count
        centred = np.where(known, x - mean, 0.0)
    sd = np.sqrt((centred**2).mean(axis=0))
    varies = sd > 1e-6 * np.maximum(np.abs(mean), 1e-6)
    return np.asarray(centred[:, varies] / sd[varies])


def alike(samples: CheckedSamples) -> list[tuple[str, str]]:
    """Pairs of samples whose standardised genes hardly differ."""
    z = standardised(samples.x)
    if z.shape[1] < _FEWEST_GENES:
        return []
    products = z @ z.T
    sizes = np.diag(products)
    distances = sizes[:, None] + sizes[None] - 2 * products
    close = np.triu(distances <= _ALIKE * (sizes[:, None] + sizes[None]) / 2, k=1)
    return [(samples.ids[i], samples.ids[j]) for i, j in np.argwhere(close)]


def directions(samples: CheckedSamples) -> list[Direction]:
    """The first principal components, and what they go with."""
    z = standardised(samples.x)
    if len(z) < 4 or z.shape[1] < _FEWEST_GENES:
        return []
    values, vectors = np.linalg.eigh(z @ z.T)
    total = float(values.sum())
    order = np.arange(len(z))
    found = []
    for share, place in zip(values[::-1][:_DIRECTIONS] / total, vectors.T[::-1], strict=False):
        by_order = float(abs(spearmanr(place, order).statistic))
        found.append(Direction(float(share), _explained(place, samples.targets), by_order))
    return found


def _explained(place: np.ndarray, targets: np.ndarray | None) -> float:
    """Share of a direction's variance between classes, or the largest squared correlation with a number."""
    if targets is None or len(np.unique(targets)) < 2:
        return float("nan")
    if targets.dtype.kind == "f":
        numbers = targets.reshape(len(targets), -1)
        return float(max(np.corrcoef(place, values)[0, 1] ** 2 for values in numbers.T))
    means = np.array([place[targets == code].mean() for code in targets])
    return float(((means - place.mean()) ** 2).sum() / ((place - place.mean()) ** 2).sum())


def about_directions(found: Sequence[Direction], known: str = "classes") -> str:
    """Whether something but the classes, or the target, may move many genes."""
    odd = [i + 1 for i, one in enumerate(found) if one.share >= _LARGE and one.by_class < _UNEXPLAINED]
    ordered = [i + 1 for i, one in enumerate(found) if one.share >= _LARGE and one.by_order > _ORDERED]
    words = []
    if odd:
        words.append(
            f"Direction {listed(odd)} moves many genes and has little to do with the {known}: a batch, perhaps, or sex, "
            "tissue or sample quality."
        )
    if ordered:
        words.append(f"Direction {listed(ordered)} follows the order of the samples in the table.")
    if not words:
        return (
            "Nothing here points to a batch. That does not say there is none: only who made the data knows."
        )
    return " ".join([*words, "Look whether it goes with how the samples were processed."])
