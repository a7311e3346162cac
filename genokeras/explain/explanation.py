"""What an explanation is: how much each gene of each sample moved each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from genokeras.errors import DataError, ParameterError
from genokeras.explain.checks import NUMBER, position_of, repeated_in
from genokeras.support.wording import listed


@dataclass(frozen=True)
class Additivity:
    """How far ``base_values + values.sum(axis=1)`` is from what the model predicts, as a share of the outputs' range.

    Attributes
    ----------
    mean, maximum : float
        Over samples and outputs.
    output_range : float
        Largest minus smallest output over the explained samples and the background, of the output with the widest range. Errors of numbers
        are measured by the range of their own target.
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
        ``(n_samples, n_features, n_outputs)`` float32: what each gene adds to each output.
    base_values : numpy.ndarray
        ``(n_samples, n_outputs)`` mean output on the background.
    data : numpy.ndarray
        ``(n_samples, n_features)`` the explained samples, raw.
    feature_names, output_names, sample_ids : tuple of str
        Outputs are classes, or targets where numbers are predicted. Gene names may repeat.
    outputs : numpy.ndarray
        ``(n_samples, n_outputs)`` what the model predicts.
    additivity : Additivity
    method, output : str
        How the values were found, and what they add up to: "probability", "log_odds", or "number", in the units of each target.
    blocks : tuple of str
        The assay that each feature comes from; empty where there is one matrix.
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
    blocks: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        n_samples, n_features, n_outputs = self.values.shape
        return n_samples, n_features, n_outputs

    @property
    def of_numbers(self) -> bool:
        """Whether numbers are predicted, and not classes."""
        return self.output == NUMBER

    @property
    def output_word(self) -> str:
        """What an output is called: "class" or "target"."""
        return "target" if self.of_numbers else "class"

    @property
    def mean_abs(self) -> np.ndarray:
        """``(n_features, n_outputs)`` mean absolute value over the samples."""
        return np.asarray(np.abs(self.values).mean(axis=0, dtype="float64"))

    @property
    def mean_value(self) -> np.ndarray:
        """``(n_features, n_outputs)`` mean value over the samples."""
        return np.asarray(self.values.mean(axis=0, dtype="float64"))

    @property
    def comparable(self) -> np.ndarray:
        """``(n_features, n_outputs)`` mean absolute values whose sum over the outputs makes sense.

        Several targets have several units: there a mean absolute value is divided by how far predictions are from their base on average.
        """
        if not self.of_numbers or len(self.output_names) == 1:
            return self.mean_abs
        moved = np.abs(self.outputs - self.base_values).mean(axis=0)
        return self.mean_abs / np.where(moved > 0, moved, 1.0)

    def order(self, output: str | None = None) -> np.ndarray:
        """Feature numbers, the most important first, for one output or, by the sum of what is comparable, for all."""
        size = self.comparable.sum(axis=1) if output is None else self.mean_abs[:, self.number_of(output)]
        return np.argsort(-size, kind="stable")

    def by_block(self) -> pd.DataFrame:
        """How far each block as a whole moves each output: the mean absolute sum of its features' values; a row a block.

        Raises
        ------
        ParameterError
            If there is one matrix only.
        """
        if not self.blocks:
            raise ParameterError(
                "these features are of one matrix: fit({'rna': a, 'meth': b}, y) gives blocks."
            )
        owners = np.asarray(self.blocks, dtype=object)
        names = list(dict.fromkeys(self.blocks))
        sums = [self.values[:, owners == name].sum(axis=1, dtype="float64") for name in names]
        table = np.stack([np.abs(moved).mean(axis=0) for moved in sums])
        return pd.DataFrame(table, index=pd.Index(names, name="block"), columns=list(self.output_names))

    def number_of(self, output: object) -> int:
        """Position of a class or target.

        Raises
        ------
        ParameterError
            If there is none of that name; the message lists those there are.
        """
        return position_of(output, self.output_names, self.output_word)

    def __getitem__(self, key: Any) -> Explanation:
        """A part: ``explanation["tumor"]`` is one output; ``explanation[:10, genes, 1]`` goes by position.

        All three axes stay: a single number picks one entry of its axis.

        Raises
        ------
        ParameterError
            If there is no such output, or the index has more than three axes.
        """
        if isinstance(key, str):
            key = (slice(None), slice(None), self.number_of(key))
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) > 3 or Ellipsis in [part for part in parts if not isinstance(part, np.ndarray)]:
            raise ParameterError(
                f"an explanation has the axes samples, features and outputs, got the index {key!r}."
            )
        picked = [np.atleast_1d(np.arange(size)[part]) for size, part in zip(self.shape, parts, strict=False)]
        picked += [np.arange(size) for size in self.shape[len(parts) :]]
        rows, columns, outputs = picked
        return replace(
            self,
            values=self.values[np.ix_(rows, columns, outputs)],
            base_values=self.base_values[np.ix_(rows, outputs)],
            outputs=self.outputs[np.ix_(rows, outputs)],
            data=self.data[np.ix_(rows, columns)],
            feature_names=tuple(self.feature_names[i] for i in columns),
            output_names=tuple(self.output_names[i] for i in outputs),
            sample_ids=tuple(self.sample_ids[i] for i in rows),
            blocks=tuple(self.blocks[i] for i in columns) if self.blocks else (),
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

        ``varm["explanation_mean_abs"]`` and ``varm["explanation_mean_value"]`` get a column per output; genes of ``adata``
        that were not explained get NaN. ``uns["explanation"]`` says how the values were found.

        Parameters
        ----------
        adata : anndata.AnnData

        Returns
        -------
        anndata.AnnData
            The same object.

        Raises
        ------
        DataError
            If explained genes are not in ``adata``, or stand there or here more than once and in another order.
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
            "targets" if self.of_numbers else "classes": list(self.output_names),
            "n_samples": self.shape[0],
            "additivity_mean": self.additivity.mean,
            "additivity_maximum": self.additivity.maximum,
        }
        return adata

    def __repr__(self) -> str:
        n_samples, n_features, n_outputs = self.shape
        outputs = "targets" if self.of_numbers else "classes"
        return (
            f"Explanation({n_samples} samples x {n_features} features x {n_outputs} {outputs}, {self.method}, "
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
    repeated = [name for name in repeated_in(names) + repeated_in(known) if name in names]
    if repeated:
        raise DataError(
            f"genes are found by name where their order differs, and {listed(dict.fromkeys(repeated))} stands more than "
            "once. Make the names unique, or pass the AnnData that was explained."
        )
    return np.array([where[name] for name in names])


def measure_additivity(
    values: np.ndarray, base_values: np.ndarray, outputs: np.ndarray, ranges: np.ndarray
) -> Additivity:
    """Compare ``base + sum of values`` with the outputs.

    Parameters
    ----------
    values : numpy.ndarray
        ``(n_samples, n_features, n_outputs)``.
    base_values, outputs : numpy.ndarray
        ``(n_samples, n_outputs)``.
    ranges : numpy.ndarray
        ``(n_outputs,)`` what the errors of each output are divided by.
    """
    errors = np.abs(values.sum(axis=1, dtype="float64") + base_values - outputs) / ranges
    return Additivity(float(errors.mean()), float(errors.max()), float(ranges.max()))
