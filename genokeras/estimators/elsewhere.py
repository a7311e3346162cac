"""Samples from elsewhere: with genes missing, or of a cohort that is measured otherwise."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data import Dataset, align_with_fill, dropped_names, load_dataset, warn_of_gaps
from genokeras.data.block import reading_of
from genokeras.engine import Run
from genokeras.engine.other_rows import ChangedRows
from genokeras.errors import DataError, ParameterError
from genokeras.estimators.content import Content
from genokeras.estimators.faces import ClassifierFace, RegressorFace
from genokeras.estimators.panels import PanelMaker, kept_samples
from genokeras.estimators.studies import ADAPTATIONS, FEWEST_TO_ADAPT, moved_to, spread_within
from genokeras.explain.runs import table_of
from genokeras.features import fit_filling
from genokeras.metric_names import metric_name
from genokeras.support.checks import check_choice, check_number
from genokeras.support.wording import listed

_logger = logging.getLogger(__name__)
MOST_LOSS = 0.05


@dataclass(frozen=True)
class MissingGenes:
    """What it costs that genes are missing.

    Attributes
    ----------
    genes : tuple of str
    metric : str
    whole, estimated : float
        Out-of-fold scores of the training samples, with all genes and with these estimated from the others.
    """

    genes: tuple[str, ...]
    metric: str
    whole: float
    estimated: float

    @property
    def loss(self) -> float:
        """By how much the score falls."""
        return self.whole - self.estimated

    @property
    def blanked(self) -> float:
        """Deprecated: ``estimated``."""
        warnings.warn(
            "missing_genes_.blanked is called missing_genes_.estimated since missing genes are estimated; it goes with 0.4.0.",
            FutureWarning,
            stacklevel=2,
        )
        return self.estimated

    def sentence(self, n_genes: int) -> str:
        """What is said of it."""
        return (
            f"{len(self.genes)} of {n_genes} genes are missing and were estimated from the others ({listed(self.genes, 3)}). With "
            f"the same genes estimated, the out-of-fold {metric_name(self.metric)} of the training samples is "
            f"{self.estimated:.3f} in place of {self.whole:.3f}."
        )


class Elsewhere(PanelMaker):
    """An estimator of tables that takes samples from elsewhere."""

    drop_columns: Any

    def _dropped(self) -> tuple[str, ...]:
        return dropped_names(self.drop_columns or ())

    def _samples(self, x: Any, y: Any = None, groups: Any = None) -> Dataset:
        """Samples as they came, for what looks at their gaps itself."""
        found = load_dataset(
            x,
            self._tabled(y, training=False),
            groups=groups,
            missing="keep",
            drop_columns=self._dropped(),
            drop_unknown=True,
            several_targets=self._takes_several(y),
            **reading_of(self._fitted().folder.settings),
        )
        self._look_at_gaps(found)
        return found

    def _look_at_gaps(self, content: Content) -> None:
        # Runs of earlier versions do not say how much was missing in training.
        most = self._fitted().folder.settings.get("most_missing")
        if most is not None and isinstance(content, Dataset):
            warn_of_gaps(content, float(most))

    def _read(
        self,
        x: Any,
        y: Any,
        groups: Any = None,
        extra: Any = None,
        *,
        training: bool = False,
        missing: str | None = None,
    ) -> Content:
        content = super()._read(x, y, groups, extra, training=training, missing=missing)
        if training:
            return content
        self._look_at_gaps(content)
        run = self._fitted()
        if "adapt" not in run.folder.settings:
            return content
        return standardised_like_training(run, self.content.matched(content, run))

    def _shown(self, x: Any, y: Any, groups: Any) -> Dataset:
        """Samples of a report, as the model reads them."""
        run, found = self._fitted(), self._samples(x, y, groups)
        adapted = "adapt" in run.folder.settings
        return standardised_like_training(run, self.content.matched(found, run)) if adapted else found

    def prepare_samples(
        self,
        x: Any,
        y: Any = None,
        *,
        missing_genes: str = "error",
        most_loss: float = MOST_LOSS,
        adapt: str | None = None,
    ) -> Dataset:
        """Bring samples from elsewhere to what the model reads; ``predict`` and all else take the result.

        Parameters
        ----------
        x, y : as in ``evaluate``
        missing_genes : {"error", "impute"}, default="error"
            "impute" estimates genes that the samples lack from those that they have, by ridge regression on the training samples. A
            warning says what that costs: the score of the out-of-fold predictions with the same genes estimated from the training samples
            of each fold; ``missing_genes_`` holds it.
        most_loss : float, default=0.05
            Samples are refused where the score (balanced accuracy, R2, the C-index) falls by more.
        adapt : {"standardise"}, optional
            Give every gene the mean and the standard deviation that it has in training (with ``batches`` the standard deviation within
            studies). It needs 10 samples or more of one cohort, and assumes that their classes, or numbers, are mixed as in training: a
            cohort of one class alone would be moved into the middle of all.

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If genes are missing and must not be, or cost too much; or there are too few samples to adapt.
        ParameterError
            If a parameter is unknown, or the run has not kept its training samples.
        """
        check_choice(missing_genes, "missing_genes", ("error", "impute"))
        check_number(most_loss, "most_loss", least=0)
        if adapt is not None:
            check_choice(adapt, "adapt", ADAPTATIONS)
        run, found = self._fitted(), self._samples(x, y)
        # A run that was fitted with it reads no others.
        adapt = adapt or run.folder.settings.get("adapt")
        missing: tuple[str, ...] = ()
        if missing_genes == "impute":
            found, missing = align_with_fill(found, run.feature_names, training_means(run))
            self.missing_genes_ = self._cost(run, missing, most_loss, found.source) if missing else None
        else:
            found = self.content.matched(found, run)
        # Genes are estimated from others that are on the scale of training.
        found = found if adapt is None else standardised_like_training(run, found)
        return with_estimates(run, found, missing) if missing else found

    def _cost(self, run: Run, missing: tuple[str, ...], most_loss: float, source: str) -> MissingGenes:
        cost = cost_of_missing(run, missing)
        said = cost.sentence(len(run.feature_names))
        if not cost.loss <= most_loss:
            raise DataError(
                f"{source}: {said} That is more than most_loss={most_loss:g}. Measure these genes, or make a panel of genes "
                "that there are (panel(n_genes=...))."
            )
        warnings.warn(said, stacklevel=4)
        return cost


def training_means(run: Run) -> np.ndarray:
    """``(n_features,)`` mean of each gene in training; 0 of constant ones, which no network reads.

    Raises
    ------
    ParameterError
        If the run has no view of all features.
    """
    encoder = table_of(run.problem)
    if "all" not in encoder.spaces:
        raise ParameterError("this run has no view of all genes to know their training means by.")
    space, means = encoder.spaces["all"][0], np.zeros(encoder.n_features)
    means[space.columns] = space.mean
    return means


def with_estimates(run: Run, dataset: Dataset, genes: tuple[str, ...]) -> Dataset:
    """Samples whose values of these genes are estimated from their others."""
    samples = kept_samples(run)
    filling = fit_filling(samples.x[samples.used], present_genes(run, genes))
    return replace(dataset, x=filling.fill(np.asarray(table_of(run.problem).filled(dataset.x))))


def cost_of_missing(run: Run, genes: tuple[str, ...]) -> MissingGenes:
    """What it costs that these genes are missing: scores of the out-of-fold predictions with them estimated within each fold."""
    samples, problem, present = kept_samples(run), run.problem, present_genes(run, genes)
    x = samples.x.copy()
    for train, held in zip(problem.train, problem.held_out, strict=True):
        x[held] = fit_filling(samples.x[train], present).fill(samples.x[held])
    rows = ChangedRows(run)
    metric = run.objective.answers.standard_metrics[0]
    whole, estimated = rows.usual((metric,)), rows.values(x, (metric,))
    return MissingGenes(genes, metric, whole[metric], estimated[metric])


def present_genes(run: Run, missing: tuple[str, ...]) -> np.ndarray:
    """``(n_features,)`` bool: which genes of a run are not among these."""
    return ~np.isin(np.array(run.feature_names), missing)


def standardised_like_training(run: Run, dataset: Dataset) -> Dataset:
    """Samples of one cohort whose genes have the means and standard deviations of training.

    Raises
    ------
    DataError
        If there are too few.
    """
    if dataset.n_samples < FEWEST_TO_ADAPT:
        fitted = "adapt" in run.folder.settings
        advice = (
            "The model was fitted to such cohorts: predict whole ones."
            if fitted
            else "Predict them without adapt."
        )
        raise DataError(
            f"adapt='standardise' needs {FEWEST_TO_ADAPT} samples or more of one cohort, got {dataset.n_samples} ({dataset.source}): "
            f"fewer say too little of its means. {advice}"
        )
    samples = kept_samples(run)
    x, groups = samples.x[samples.used], run.problem.groups
    by_study = groups is not None and "batches" in run.folder.settings
    within = groups[samples.used] if by_study and groups is not None else None
    raw = dataset.x.toarray() if isinstance(dataset.x, sparse.csr_matrix) else np.asarray(dataset.x)
    new = np.asarray(table_of(run.problem).filled(raw))
    moved = moved_to(new, x.mean(axis=0, dtype="float64"), spread_within(x, within))
    note = (
        "Every gene was given the mean and the standard deviation that it has in training: this assumes that the samples are one "
        "cohort, mixed as those of training."
    )
    _logger.info("%s: %s", dataset.source, note)
    return replace(dataset, x=moved, notes=(*dataset.notes, note))


class ClassifierElsewhere(ClassifierFace, Elsewhere):
    """Of classes."""

    def predict_proba(
        self,
        x: Any,
        extra: Any = None,
        *,
        missing_genes: str = "error",
        most_loss: float = MOST_LOSS,
        adapt: str | None = None,
    ) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Named genes are matched by name, in any order; unnamed ones by position.

        Parameters
        ----------
        x : as in ``fit``
        extra : None
        missing_genes, most_loss, adapt : as in ``prepare_samples``

        Raises
        ------
        NotFittedError, DataError
        """
        return super().predict_proba(self._brought(x, missing_genes, most_loss, adapt), extra)

    def predict(
        self,
        x: Any,
        extra: Any = None,
        *,
        abstain: float | None = None,
        missing_genes: str = "error",
        most_loss: float = MOST_LOSS,
        adapt: str | None = None,
    ) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``; with ``threshold`` the class by that.

        Parameters
        ----------
        x : as in ``fit``
        extra : None
        abstain : float, optional
            A coverage: a sample gets the one class of its set, and None where ``predict_set(x, abstain)`` has none or several, or where
            ``threshold`` says another class.
        missing_genes, most_loss, adapt : as in ``prepare_samples``

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            As in ``predict_set``.
        """
        return super().predict(self._brought(x, missing_genes, most_loss, adapt), extra, abstain=abstain)

    def _brought(self, x: Any, missing_genes: str, most_loss: float, adapt: str | None) -> Any:
        if missing_genes == "error" and adapt is None:
            return x
        return self.prepare_samples(x, missing_genes=missing_genes, most_loss=most_loss, adapt=adapt)


class RegressorElsewhere(RegressorFace, Elsewhere):
    """Of numbers."""

    def predict(
        self,
        x: Any,
        extra: Any = None,
        *,
        missing_genes: str = "error",
        most_loss: float = MOST_LOSS,
        adapt: str | None = None,
    ) -> np.ndarray:
        """Numbers in the units of the targets, ``(n_samples,)`` float64; of several targets ``(n_samples, n_targets)``.

        Parameters
        ----------
        x : as in ``fit``
        extra : None
        missing_genes, most_loss, adapt : as in ``prepare_samples``

        Raises
        ------
        NotFittedError, DataError
        """
        if missing_genes != "error" or adapt is not None:
            x = self.prepare_samples(x, missing_genes=missing_genes, most_loss=most_loss, adapt=adapt)
        return super().predict(x, extra)
