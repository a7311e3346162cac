"""The logarithm of intensities and counts, and each sample brought to one scale.

=========  ============================================================  ==========
symbol     meaning                                                       shape
=========  ============================================================  ==========
x          raw values                                                    ``(n, p)``
s          size at which the logarithm begins: a tenth of the median size
g          arcsinh(x / s): about x / s below s, log(2 x / s) above it    ``(n, p)``
=========  ============================================================  ==========

Each row of ``g`` is centred and divided by its standard deviation, which takes off what differs between arrays or
libraries as a whole. ``arcsinh`` is defined for the negative intensities of old microarrays (Huber et al. 2002, Variance
stabilization applied to microarray data calibration and to the quantification of differential expression, Bioinformatics
18: S96-S104), and an array that was logged already is changed little.
"""

from __future__ import annotations

import numpy as np

# keras.layers.LayerNormalization adds this to the variance of a row.
EPSILON = 1e-3
_SHARE_OF_MEDIAN = 0.1
_ROWS_AT_ONCE = 256


def log_factors(x: np.ndarray) -> np.ndarray:
    """What each feature is multiplied by before ``arcsinh``.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, n_features)`` training rows.

    Returns
    -------
    numpy.ndarray
        ``(n_features,)`` float32: ``1 / s``, and 0 for a constant feature, which must not count in any sample's mean.
    """
    varying = x.max(axis=0) > x.min(axis=0)
    sizes = np.abs(x[:, varying])
    sizes = sizes[sizes > 0]
    scale = _SHARE_OF_MEDIAN * float(np.median(sizes)) if len(sizes) else 1.0
    return np.asarray(varying / scale, dtype="float32")


def log_normalised(x: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """``(n, p)`` raw rows -> ``(n, p)`` float32: arcsinh of ``x * factors``, every row of mean 0 and variance 1."""
    result = np.empty(x.shape, dtype="float32")
    for start in range(0, len(x), _ROWS_AT_ONCE):
        rows = np.arcsinh(np.asarray(x[start : start + _ROWS_AT_ONCE], dtype="float64") * factors)
        rows -= rows.mean(axis=1, keepdims=True)
        rows /= np.sqrt(rows.var(axis=1, keepdims=True) + EPSILON)
        result[start : start + _ROWS_AT_ONCE] = rows
    return result
