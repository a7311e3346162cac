"""What the networks see of a table, as transformers of scikit-learn: the logarithm and the row space; `screening` has the third.

Inside of ``fit`` all of this is chosen and fitted fold by fold. These are for other models, side by side with ours or in front of them, in a
``Pipeline`` of scikit-learn.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from genokeras.errors import DataError, ParameterError
from genokeras.features import fit_row_space, standardisation
from genokeras.features.rescaling import KINDS, fit_rescaling
from genokeras.features.rowspace import EXACT_RANK, principal_axes
from genokeras.support.checks import check_choice, check_whole


class FloatTransformer(TransformerMixin, BaseEstimator):
    """Takes tables, dense or sparse, and answers float32."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _table(self, x: Any, *, reset: bool, **more: Any) -> Any:
        return validate_data(
            self,
            x,
            reset=reset,
            accept_sparse="csr",
            dtype="float32",
            ensure_min_samples=2 if reset else 1,
            **more,
        )


class LogTransformer(OneToOneFeatureMixin, FloatTransformer):
    """Brings samples to one scale, behind a logarithm that takes zeros and negative intensities.

    ``arcsinh(x / s)``, where ``s`` is a tenth of the median size of what varies, then for ``"log"`` each sample less its mean and
    divided by its standard deviation.

    Parameters
    ----------
    kind : {"log", "arcsinh", "ratio", "rank"}, default="log"
        "arcsinh" leaves samples at their own scale; "ratio" takes the mean of stable genes off in place of that of all; "rank" gives
        normal scores of the order of the genes in a sample.

    Attributes
    ----------
    factors_ : ndarray of shape (n_features_in_,)
        ``1 / s``, and 0 for genes that are constant in training, which count in no sample's mean.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where ``fit`` got a DataFrame.

    References
    ----------
    Huber et al. (2002), Bioinformatics 18: S96-S104.

    Examples
    --------
    >>> import numpy as np
    >>> from genokeras import LogTransformer
    >>> counts = np.array([[0, 3, 90], [1, 5, 200], [0, 9, 55]])
    >>> LogTransformer().fit_transform(counts).mean(axis=1).round(6).tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(self, kind: str = "log") -> None:
        self.kind = kind

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the scale of the values from ``X`` ``(n_samples, n_features)``; ``y`` is not looked at.

        Raises
        ------
        ParameterError
            If there is no such kind.
        ValueError
            If ``X`` is no table of finite numbers.
        """
        check_choice(self.kind, "kind", KINDS)
        self._rescaling = fit_rescaling(self.kind, _dense(self._table(X, reset=True)))
        self.factors_ = self._rescaling.factors
        return self

    def transform(self, X: Any) -> np.ndarray:
        """``(n_samples, n_features)`` float32; what was sparse is dense."""
        check_is_fitted(self)
        return self._rescaling.apply(_dense(self._table(X, reset=False)))


class RowSpaceTransformer(ClassNamePrefixFeaturesOutMixin, FloatTransformer):
    """Turns many genes into the few directions that the samples span: exact, like a principal component analysis of standardised genes.

    With fewer samples than genes no linear model or first layer of a network can use anything else, if it is fitted by gradients or with a
    ridge penalty: what is fitted on these directions equals what is fitted on all genes, and ``to_genes`` folds its coefficients back.

    Parameters
    ----------
    n_components : int, optional
        Leading directions; by default all that the samples span.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        Orthonormal rows.
    mean_, scale_ : ndarray of shape (n_features_in_,)
        By which genes are standardised; the scale of a constant gene is 1, and its column of ``components_`` 0.
    singular_values_ : ndarray of shape (n_components_,)
        Of the standardised training samples, the largest first; those below a thousandth of it are left out.
    n_components_ : int
    exact_ : bool
        Whether the directions span all training samples. Above 2,048 samples, and above 1,024 directions, they are the leading ones of a
        randomised singular value decomposition.
    n_features_in_, feature_names_in_
        As in ``LogTransformer``.

    References
    ----------
    Halko, Martinsson and Tropp (2011), SIAM Review 53: 217-288.

    Examples
    --------
    >>> import numpy as np
    >>> from genokeras import RowSpaceTransformer
    >>> x = np.random.default_rng(0).normal(size=(6, 1000))
    >>> space = RowSpaceTransformer().fit(x)
    >>> space.transform(x).shape, bool(np.allclose(space.inverse_transform(space.transform(x)), x, atol=1e-4))
    ((6, 5), True)
    """

    def __init__(self, n_components: int | None = None) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the directions of ``X`` ``(n_samples, n_features)``; ``y`` is not looked at.

        Raises
        ------
        ParameterError
            If ``n_components`` is no whole number of 1 or more, or more than there are directions.
        ValueError
            If ``X`` is no table of finite numbers, or every gene is constant.
        """
        if self.n_components is not None:
            check_whole(self.n_components, "n_components")
        x = self._table(X, reset=True)
        scaling = standardisation(x)
        if not (scaling.inverse_sd > 0).any():
            raise DataError(
                f"every gene has the same value in all {x.shape[0]} samples, so that they span no direction."
            )
        space = fit_row_space(x, scaling)
        axes = principal_axes(space.project(x), np.ones(x.shape[0], dtype=bool))
        count = len(axes.values) if self.n_components is None else self.n_components
        if count > len(axes.values):
            raise ParameterError(
                f"n_components must be at most {len(axes.values)}, the number of directions that these samples span, got {count}."
            )
        turned = axes.directions[:, :count]
        basis = turned if space.basis is None else space.basis.astype("float64") @ turned
        self.components_ = np.zeros((count, x.shape[1]))
        self.components_[:, space.columns] = basis.T
        self.mean_ = scaling.mean
        self.scale_ = np.divide(
            1.0, scaling.inverse_sd, out=np.ones(x.shape[1]), where=scaling.inverse_sd > 0
        )
        self.singular_values_ = axes.values[:count] / space.scale
        self.n_components_ = count
        self.exact_ = bool(
            x.shape[0] <= 2 * EXACT_RANK and len(axes.values) == count and len(axes.values) <= EXACT_RANK
        )
        return self

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def transform(self, X: Any) -> np.ndarray:
        """``(n_samples, n_components_)`` float32: coordinates of standardised samples; nothing sparse is made dense."""
        check_is_fitted(self)
        x = self._table(X, reset=False)
        kernel = (self.components_ / self.scale_).T
        return np.asarray(x @ kernel - self.mean_ @ kernel, dtype="float32")

    def inverse_transform(self, X: Any) -> np.ndarray:
        """``(n_samples, n_features_in_)`` float32 raw values of coordinates ``(n_samples, n_components_)``.

        Raises
        ------
        DataError
            If they are of another number.
        """
        check_is_fitted(self)
        z = np.asarray(X, dtype="float64")
        if z.ndim != 2 or z.shape[1] != self.n_components_:
            raise DataError(
                f"expected coordinates of shape (n_samples, {self.n_components_}), got {z.shape}."
            )
        return np.asarray(z @ self.components_ * self.scale_ + self.mean_, dtype="float32")

    def to_genes(self, coef: Any, intercept: Any = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Fold a linear model of the coordinates back to one of raw genes.

        Parameters
        ----------
        coef : array-like of shape (n_components_,) or (n_outputs, n_components_)
        intercept : float or array-like of shape (n_outputs,)

        Returns
        -------
        coef : ndarray of shape (n_features_in_,) or (n_outputs, n_features_in_)
        intercept : ndarray of shape () or (n_outputs,)

        Raises
        ------
        DataError
            If ``coef`` has another number of columns.
        """
        check_is_fitted(self)
        given = np.asarray(coef, dtype="float64")
        if not given.ndim or given.shape[-1] != self.n_components_:
            raise DataError(
                f"coef must have {self.n_components_} columns, one for each direction, got shape {given.shape}."
            )
        raw = given @ self.components_ / self.scale_
        return raw, np.asarray(intercept, dtype="float64") - raw @ self.mean_


def _dense(x: Any) -> np.ndarray:
    matrix: Any = x
    return np.asarray(matrix.toarray() if sparse.issparse(x) else x)
