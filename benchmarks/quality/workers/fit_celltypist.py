"""CellTypist's logistic regression, trained on the very same cells (Dominguez Conde et al. 2022, Science 376: eabl5197)."""

from __future__ import annotations

import warnings

import celltypist
import numpy as np
from serving import Result, Task, by_class, serve


def fit(task: Task) -> Result:
    """Its defaults: standardised genes, one logistic regression a class with C = 1. It takes the time it takes.

    Whether values are log counts of 10,000 a cell is not checked, because sets of the benchmark are not.
    """
    warnings.simplefilter("ignore", FutureWarning)
    names = np.array([f"g{i}" for i in range(task.x.shape[1])])
    model = celltypist.train(task.x, labels=task.codes.astype(str), genes=names, check_expression=False)
    columns = np.flatnonzero(np.isin(names, model.features))

    def predict(x: np.ndarray) -> np.ndarray:
        # As its annotate does: standardise, and cut at 10 standard deviations.
        scaled = np.minimum((x[:, columns] - model.scaler.mean_) / model.scaler.scale_, 10)
        return by_class(model.classifier.predict_proba(scaled), model.cell_types.astype(int), task.n_classes)

    return Result(predict)


if __name__ == "__main__":
    serve(fit)
