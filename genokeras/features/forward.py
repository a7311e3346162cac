"""Forward selection of few features: one after the other, each the one that explains most of what those before it left.

=========  =================================================================  ============
symbol     meaning                                                            shape
=========  =================================================================  ============
Z          features of the training rows, standardised on them                ``(n, p)``
R          responses, less what the chosen features explain                   ``(n, m)``
z_j        a feature, less what the chosen features explain of it             ``(n,)``
g_j        ``|z_j' R|^2 / (|z_j|^2 + lambda n)``, what it would explain
=========  =================================================================  ============

With ``lambda = 0`` this is orthogonal least squares (Chen, Billings and Luo 1989, International Journal of Control 50: 1873-1896). Few
samples need ``lambda`` = 3, between that and a ranking of single features; features that are nearly a copy of a chosen one are
left out. The product of two features may be chosen like a feature, and brings both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from genokeras.features.rescaling import fit_rescaling
from genokeras.features.standardise import Standardisation, standardisation

_RIDGE = 3.0
# Beyond this correlation a feature says nothing that a chosen one does not say.
_COPY = 0.95
# Features that stand for selection, by what each explains alone.
_CANDIDATES = 500
_MOST_GENES_FOR_SCALE = 2000


class Selected(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    features : numpy.ndarray
        ``(k,)`` column numbers, the first choice first.
    pairs : numpy.ndarray
        ``(m, 2)`` those of them whose product was chosen.
    """

    features: np.ndarray
    pairs: np.ndarray


def forward_selection(
    x: np.ndarray,
    responses: np.ndarray,
    count: int,
    weight: np.ndarray | None = None,
    pairs: np.ndarray | None = None,
) -> Selected:
    """Choose features one after the other.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, n_features)`` training rows.
    responses : numpy.ndarray
        ``(n_samples, m)`` numbers to explain.
    count : int
        Features at most.
    weight : numpy.ndarray, optional
        ``(n_samples,)``.
    pairs : numpy.ndarray, optional
        ``(m, 2)`` column numbers of features whose products may be chosen, too; none by default.

    Returns
    -------
    Selected
        Fewer than ``count`` features where the others are constant or copies of these.
    """
    scaling, root = standardisation(x), np.ones(len(x)) if weight is None else np.sqrt(weight / weight.mean())
    targets = responses - np.average(responses, axis=0, weights=root**2)
    targets = targets * root[:, None]
    relevance = np.zeros(x.shape[1])
    for start in range(0, x.shape[1], _MOST_GENES_FOR_SCALE):
        part = slice(start, start + _MOST_GENES_FOR_SCALE)
        z = (x[:, part] - scaling.mean[part]) * scaling.inverse_sd[part] * root[:, None]
        relevance[part] = ((z.T @ targets) ** 2).sum(axis=1)
    usable = np.flatnonzero(scaling.inverse_sd > 0)
    columns = usable[np.argsort(-relevance[usable], kind="stable")[: max(_CANDIDATES, 4 * count)]]
    z = (x[:, columns] - scaling.mean[columns]) * scaling.inverse_sd[columns]
    members: list[tuple[int, ...]] = [(int(column),) for column in columns]
    if pairs is not None and len(pairs):
        products = _products(x, scaling, pairs)
        z, members = np.hstack([z, products]), members + [(int(one), int(other)) for one, other in pairs]
    return _chosen(z * root[:, None], targets, count, members)


def _products(x: np.ndarray, scaling: Standardisation, pairs: np.ndarray) -> np.ndarray:
    """``(n, m)`` standardised products of standardised features."""
    first, second = ((x[:, c] - scaling.mean[c]) * scaling.inverse_sd[c] for c in pairs.T)
    product = first * second
    spread = product.std(axis=0)
    return np.divide(product - product.mean(axis=0), spread, out=np.zeros_like(product), where=spread > 0)


def _chosen(z: np.ndarray, residual: np.ndarray, count: int, members: list[tuple[int, ...]]) -> Selected:
    penalty, left = _RIDGE * len(z), np.ones(z.shape[1], dtype=bool)
    lengths = np.sqrt((z**2).sum(axis=0))
    left &= lengths > 0
    whole, chosen, pairs = z, dict[int, None](), list[tuple[int, ...]]()
    while len(chosen) < count:
        room = count - len(chosen)
        fits = left & np.array([len(set(each) - chosen.keys()) <= room for each in members])
        if not fits.any():
            break
        gain = ((z.T @ residual) ** 2).sum(axis=1) / ((z**2).sum(axis=0) + penalty)
        best = int(np.argmax(np.where(fits, gain, -1.0)))
        chosen.update(dict.fromkeys(members[best]))
        pairs += [members[best]] if len(members[best]) > 1 else []
        alike = np.abs(whole.T @ whole[:, best]) / np.maximum(lengths * lengths[best], 1e-300)
        left &= alike < _COPY
        left[best] = False
        direction = z[:, best]
        size = direction @ direction + penalty
        residual = residual - np.outer(direction, direction @ residual) / size
        z = z - np.outer(direction, direction @ z / size)
    return Selected(np.array([*chosen], dtype=int), np.array(pairs, dtype=int).reshape(-1, 2))


def selection_scale(x: np.ndarray) -> str | None:
    """``"arcsinh"`` where features are nearer to normal behind it than raw, as intensities and counts are; else None.

    It looks at no target. ``x`` is ``(n_samples, n_features)``; with many features, at some of them.
    """
    step = -(-x.shape[1] // _MOST_GENES_FOR_SCALE)
    some = np.asarray(x[:, ::step], dtype="float32")
    if not (np.ptp(some, axis=0) > 0).any():
        return None
    behind = fit_rescaling("arcsinh", some).apply(some)
    return "arcsinh" if _not_normal(behind) < _not_normal(some) else None


def _not_normal(x: np.ndarray) -> float:
    """Median over the features of the distances of skewness and kurtosis from those of a normal distribution."""
    varied = x[:, np.ptp(x, axis=0) > 0].astype("float64")
    z = (varied - varied.mean(axis=0)) / np.maximum(varied.std(axis=0), 1e-12)
    return float(np.median(np.abs((z**3).mean(axis=0)) + np.abs((z**4).mean(axis=0) - 3) / 2))
