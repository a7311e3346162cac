"""Genes that have most to do with the target, as a transformer of scikit-learn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from genokeras.data import encode_labels
from genokeras.errors import DataError
from genokeras.estimators.transformers import FloatTransformer
from genokeras.features import BY_CLASS, Standardisation, standardisation
from genokeras.features.screening import ridge_weights, squared_correlation
from genokeras.support.checks import check_choice, check_whole

# Whole numbers of so many values are classes, where nobody says what they are.
_MOST_CLASSES = 20


class ScreeningTransformer(SelectorMixin, FloatTransformer):
    """Keeps the genes that have most to do with the target, each by itself or all in one ridge regression.

    Parameters
    ----------
    n_genes : int, default=300
        All are kept where there are fewer.
    target : {"auto", "classes", "numbers"}, default="auto"
        Whether ``y`` holds classes; "auto" takes numbers with a fraction, and more than 20 distinct ones, as numbers.
    by : {"each", "ridge"}, default="each"
        "each": one-way analysis of variance of classes, the squared correlation with numbers. "ridge": the size of a gene's coefficient in a
        ridge regression on all standardised genes.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features_in_,)
        0 or more, the larger the better; of constant genes 0.
    n_features_in_, feature_names_in_
        As in ``LogTransformer``.

    Notes
    -----
    It looks at the target: inside of a cross-validation it belongs into the ``Pipeline``, so that each fold chooses its own genes.

    Examples
    --------
    >>> import numpy as np
    >>> from genokeras import ScreeningTransformer
    >>> x = np.random.default_rng(0).normal(size=(40, 9))
    >>> screen = ScreeningTransformer(n_genes=2).fit(x, x[:, 3] + x[:, 7] > 0)
    >>> screen.get_feature_names_out().tolist()
    ['x3', 'x7']
    """

    def __init__(self, n_genes: int = 300, *, target: str = "auto", by: str = "each") -> None:
        self.n_genes = n_genes
        self.target = target
        self.by = by

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Score the genes of ``X`` ``(n_samples, n_features)`` by ``y`` ``(n_samples,)``, or of numbers also ``(n_samples, n_targets)``.

        Raises
        ------
        ParameterError
            If a parameter is unknown or out of range.
        ValueError
            If ``X`` is no table of finite numbers, or ``y`` cannot be what ``target`` says.
        """
        check_whole(self.n_genes, "n_genes")
        check_choice(self.target, "target", ("auto", "classes", "numbers"))
        check_choice(self.by, "by", ("each", "ridge"))
        if y is None:
            raise DataError("screening requires y to be passed, but the target y is None.")
        x, values = self._table(X, reset=True, y=y, multi_output=True)
        scaling, train = standardisation(x), np.ones((1, x.shape[0]), dtype=bool)
        self.scores_ = self._scores(x, scaling, _column(values), train)[0]
        return self

    def _scores(self, x: Any, scaling: Standardisation, y: np.ndarray, train: np.ndarray) -> np.ndarray:
        if self._of_numbers(y):
            statistic = squared_correlation if self.by == "each" else ridge_weights
            return statistic(x, scaling, np.asarray(y, dtype="float64"), train)
        codes = encode_labels(y).codes
        return (BY_CLASS.rank if self.by == "each" else BY_CLASS.weigh)(x, scaling, codes, train)

    def _of_numbers(self, y: np.ndarray) -> bool:
        if self.target != "auto":
            return self.target == "numbers"
        if y.dtype.kind not in "iuf":
            return False
        return y.ndim > 1 or len(np.unique(y)) > _MOST_CLASSES or bool((y != np.round(y)).any())

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(len(self.scores_), dtype=bool)
        mask[np.argsort(-self.scores_, kind="stable")[: self.n_genes]] = True
        return mask


def _column(y: Any) -> np.ndarray:
    values = np.asarray(y)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
