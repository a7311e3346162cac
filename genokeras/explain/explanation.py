"""What an explanation is: how much each gene of each sample moved each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from genokeras.errors import DataError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.wording import listed


@dataclass(frozen=True)
class Additivity:
    """How far ``base_values + values.sum(axis=1)`` is from what the model gives, as a share of the outputs' range.

    Attributes
    ----------
    mean, maximum : float
        Over samples and classes.
    output_range : float
        Largest minus smallest output over the explained samples and the background.
    """

    mean: float
    maximum: float
    output_range: float

    def __str__(self) -> str:
        return f"additivity error {self.mean:.1e} on average, {self.maximum:.1e} at most, of the output range"


@dataclass(frozen=True, eq=False)
class Explanation:
    """Attributions of one model on some samples, with the attributes of a ``shap.Explanation``.

    Attributes
    ----------
    values : numpy.ndarray
        ``(n_samples, n_features, n_classes)`` float32: what each gene adds to each output.
    base_values : numpy.ndarray
        ``(n_samples, n_classes)`` what the outputs are on the background.
    data : numpy.ndarray
        ``(n_samples, n_features)`` the explained samples, raw.
    feature_names, output_names, sample_ids : tuple of str
        Gene names may repeat.
    outputs : numpy.ndarray
        ``(n_samples, n_classes)`` what the model gives.
    additivity : Additivity
    method, output : str
        How the values were found, and what they add up to: "probability" or "log_odds".
    """

    values: np.ndarray
    base_values: np.ndarray
    data: np.ndarray
    feature_names: tuple[str, ...]
    output_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    outputs: np.ndarray
    additivity: Additivity
    method: str
    output: str

    @property
    def shape(self) -> tuple[int, int, int]:
        n_samples, n_features, n_classes = self.values.shape
        return n_samples, n_features, n_classes

    @property
    def mean_abs(self) -> np.ndarray:
        """``(n_features, n_classes)`` mean absolute value over the samples."""
        return np.asarray(np.abs(self.values).mean(axis=0, dtype="float64"))

    @property
    def mean_value(self) -> np.ndarray:
        """``(n_features, n_classes)`` mean value over the samples."""
        return np.asarray(self.values.mean(axis=0, dtype="float64"))

    def order(self, output: str | None = None) -> np.ndarray:
        """Feature numbers, the most important first, for one class or, by the sum over classes, for all."""
        size = self.mean_abs.sum(axis=1) if output is None else self.mean_abs[:, self.class_number(output)]
        return np.argsort(-size, kind="stable")

    def class_number(self, output: object) -> int:
        """Position of a class.

        Raises
        ------
        ParameterError
            If there is no class of that name; the message lists those there are.
        """
        name = str(output)
        check_choice(name, "the class of an explanation", self.output_names)
        return self.output_names.index(name)

    def __getitem__(self, key: Any) -> Explanation:
        """A part: ``explanation["tumor"]`` is one class; ``explanation[:10, genes, 1]`` goes by position.

        All three axes stay: a single number picks one entry of its axis.
        """
        if isinstance(key, str):
            key = (slice(None), slice(None), self.class_number(key))
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) > 3 or Ellipsis in [part for part in parts if not isinstance(part, np.ndarray)]:
            raise ParameterError(
                f"an explanation has the axes samples, features and classes, got the index {key!r}."
            )
        picked = [np.atleast_1d(np.arange(size)[part]) for size, part in zip(self.shape, parts, strict=False)]
        picked += [np.arange(size) for size in self.shape[len(parts) :]]
        rows, columns, classes = picked
        return replace(
            self,
            values=self.values[np.ix_(rows, columns, classes)],
            base_values=self.base_values[np.ix_(rows, classes)],
            outputs=self.outputs[np.ix_(rows, classes)],
            data=self.data[np.ix_(rows, columns)],
            feature_names=tuple(self.feature_names[i] for i in columns),
            output_names=tuple(self.output_names[i] for i in classes),
            sample_ids=tuple(self.sample_ids[i] for i in rows),
        )

    def to_shap(self) -> Any:
        """The same as a ``shap.Explanation``, for shap's own plots."""
        return import_module("shap").Explanation(
            values=self.values,
            base_values=self.base_values,
            data=self.data,
            feature_names=list(self.feature_names),
            output_names=list(self.output_names),
        )

    def to_anndata(self, adata: Any) -> Any:
        """Write gene importances into an AnnData, in place.

        ``varm["explanation_mean_abs"]`` and ``varm["explanation_mean_value"]`` get a column a class; genes of ``adata`` that were
        not explained get NaN. ``uns["explanation"]`` says how the values were found.

        Parameters
        ----------
        adata : anndata.AnnData

        Returns
        -------
        anndata.AnnData
            The one that was given.

        Raises
        ------
        DataError
            If explained genes are not in ``adata``.
        """
        position = _positions(self.feature_names, [str(name) for name in adata.var_names])
        for key, table in (("mean_abs", self.mean_abs), ("mean_value", self.mean_value)):
            filled = np.full((adata.n_vars, len(self.output_names)), np.nan)
            filled[position] = table
            adata.varm[f"explanation_{key}"] = pd.DataFrame(
                filled, index=adata.var_names, columns=list(self.output_names)
            )
        adata.uns["explanation"] = {
            "method": self.method,
            "output": self.output,
            "classes": list(self.output_names),
            "n_samples": self.shape[0],
            "additivity_mean": self.additivity.mean,
            "additivity_maximum": self.additivity.maximum,
        }
        return adata

    def __repr__(self) -> str:
        n_samples, n_features, n_classes = self.shape
        return (
            f"Explanation({n_samples} samples x {n_features} features x {n_classes} classes, {self.method}, "
            f"{self.output}, {self.additivity})"
        )


def _positions(names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Where each name stands in ``known``; by position where both hold the same names, repeated ones too."""
    if list(names) == list(known):
        return np.arange(len(names))
    where = {name: i for i, name in enumerate(known)}
    missing = [name for name in names if name not in where]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(names)} explained genes are not in adata.var_names: {listed(missing)}. "
            "Pass the AnnData that was explained, or set its var_names."
        )
    return np.array([where[name] for name in names])


def measure_additivity(
    values: np.ndarray, base_values: np.ndarray, outputs: np.ndarray, output_range: float
) -> Additivity:
    """Compare ``base + sum of values`` with the outputs.

    Parameters
    ----------
    values : numpy.ndarray
        ``(n_samples, n_features, n_classes)``.
    base_values, outputs : numpy.ndarray
        ``(n_samples, n_classes)``.
    output_range : float
    """
    errors = np.abs(values.sum(axis=1, dtype="float64") + base_values - outputs)
    scale = max(output_range, np.finfo("float32").tiny)
    return Additivity(float(errors.mean() / scale), float(errors.max() / scale), float(output_range))
