"""How much each gene counts, as scikit-learn's selectors of features read it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from genokeras.engine import Run
from genokeras.errors import NoImportancesError, ParameterError
from genokeras.report.genes import explained_training


class Importances:
    """What estimators of tables know of their genes together."""

    if TYPE_CHECKING:

        def _fitted(self) -> Run: ...

    @cached_property
    def feature_importances_(self) -> np.ndarray:
        """``(n_features,)`` float64, 0 or more, of sum 1: how far each gene moves what the delivered model answers.

        Mean absolute expected gradients (Erion et al. 2021), summed over the classes or targets: those of ``explain``, measured on 80 of the
        training samples, drawn at random, against training samples as the background. So it is what the model makes of a gene, not how well
        a model without that gene would do; genes that go together share what they are worth. It takes seconds, when it is first read.

        Raises
        ------
        NotFittedError
        NoImportancesError
            If the run has not kept its training samples, or what it predicts cannot be explained. It is an ``AttributeError``, so that
            ``hasattr`` answers.
        """
        run = self._fitted()
        try:
            found = explained_training(run)
        except ParameterError as error:
            raise NoImportancesError(f"there are no feature_importances_: {error}") from error
        size = found.comparable.sum(axis=1)
        total = size.sum()
        return np.asarray(size / total if total > 0 else size)
