"""``estimator.panel()``: a small model of few genes, and what is known of it."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data import Dataset
from genokeras.engine import Run
from genokeras.engine.novelty import NOVELTY_FILE
from genokeras.engine.panel_genes import PanelSamples
from genokeras.engine.panels import PANEL_FILE, PanelSettings, make_panel
from genokeras.engine.problem import group_numbers
from genokeras.engine.sample_importance import CLASS_FACTORS, factors_entry
from genokeras.errors import ParameterError
from genokeras.estimators.base import SearchedEstimator
from genokeras.estimators.checks import check_limits
from genokeras.estimators.content import Content, Training, known_targets, names_of
from genokeras.estimators.counting import counted_samples
from genokeras.estimators.studies import adapted, as_studies, check_given_again, named_batches, studies_of
from genokeras.explain.runs import table_of, training_rows
from genokeras.features import fit_novelty
from genokeras.features.rowspace import EXACT_RANK
from genokeras.report.panel import plot_panel_sizes
from genokeras.report.picture import Picture
from genokeras.support import RunFolder
from genokeras.support.checks import check_whole
from genokeras.support.temporary import made, temporary_folder
from genokeras.tasks.task import Aim
from genokeras.visible import visible


@dataclass(frozen=True, eq=False)
class Panel:
    """What is known of a panel of genes; ``estimator.panel(n_genes=10).panel_``.

    Attributes
    ----------
    genes : tuple of str
        All that new samples need, the first choice first.
    curve : DataFrame
        One row a number of genes: ``genes``, ``value``, ``low``, ``high`` (the corrected estimate of linear models and its 95 %
        interval, NaN below five groups), ``standard_error``, and a column for each further metric.
    metric : str
        Of the curve.
    smallest : int
        The fewest genes within one standard error of the best of the curve.
    frequency : Series
        Share of folds and bootstraps in which a gene was chosen, of all genes that often were.
    equivalents : DataFrame
        ``gene`` of the panel, ``equivalent``: a gene that can stand in for it without loss, their ``correlation``, whether it is a
        ``copy``, and ``loss``: what the squared out-of-fold error grows by, relative.
    needed : Series
        Whether leaving a gene of the panel out makes the error grow by more than its standard error.

    Examples
    --------
    >>> import genokeras as gk
    >>> panel = gk.load_estimator("runs/leukemia_panel_10").panel_  # doctest: +SKIP
    >>> panel.genes, panel.smallest, panel.equivalents  # doctest: +SKIP
    """

    genes: tuple[str, ...]
    curve: pd.DataFrame
    metric: str
    smallest: int
    frequency: pd.Series
    equivalents: pd.DataFrame
    needed: pd.Series

    def plot(self, path: str | os.PathLike[str] | None = None) -> Picture:
        """Draw the score against the number of genes.

        Parameters
        ----------
        path : path-like, optional
            A picture file to write.

        Returns
        -------
        Picture
            A Matplotlib figure.
        """
        points = [
            {"genes": one.genes, "metric": self.metric, "value": one.value, "interval": (one.low, one.high)}
            for one in self.curve.itertuples()
        ]
        figure = plot_panel_sizes(points, len(self.genes), self.smallest)
        if path is not None:
            figure.save(path)
        return figure


def read_panel(folder: RunFolder) -> Panel | None:
    """What a run folder says of its panel; None where it is no panel's."""
    if not folder.has(PANEL_FILE):
        return None
    with folder.reading():
        held = folder.read_json(PANEL_FILE)
        curve = pd.DataFrame([_point(point) for point in held["curve"]])
        pairs = [
            {"gene": one["gene"], "equivalent": other["gene"], **_without(other, "gene")}
            for one in held["equivalents"]
            for other in one["equivalents"]
        ]
        columns = ["gene", "equivalent", "correlation", "copy", "loss"]
        needed = {one["gene"]: one["needed"] for one in held["equivalents"]}
        return Panel(
            tuple(map(visible, held["genes"])),
            curve,
            str(held["curve"][0]["metric"]),
            int(held["smallest"]),
            pd.Series(held["frequency"], name="frequency", dtype="float64"),
            pd.DataFrame(pairs, columns=columns),
            pd.Series(needed, name="needed", dtype=bool),
        )


def _point(point: Mapping[str, Any]) -> dict[str, Any]:
    low, high = (math.nan if limit is None else limit for limit in point["interval"])
    further = {name: one["value"] for name, one in point["also"].items()}
    error = point["standard_error"]
    return {
        "genes": point["genes"],
        "value": point["value"],
        "low": low,
        "high": high,
        "standard_error": error,
    } | further


def _without(entries: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if key != name}


class PanelMaker(SearchedEstimator):
    """An estimator of tables that can be reduced to few genes."""

    def panel(
        self,
        x: Any = None,
        y: Any = None,
        *,
        n_genes: int = 10,
        path: str | os.PathLike[str] | None = None,
        time_limit: float | None = 30,
        max_trials: int | None = None,
        groups: Any = None,
        batches: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Make a model that needs few genes.

        Genes are chosen one after the other, each the one that explains most of what those before it leave; on all samples, and again
        inside every fold, so that the search on them, its ensemble and its corrected estimate know nothing of held-out samples. What is
        delivered reads the genes that all samples choose. Where a pair of genes stood out for the search, two genes may be chosen together for
        their product; the curve, which is of linear models, does not see what such genes say.

        Parameters
        ----------
        x, y, groups, batches, sample_weight : as in ``fit``, optional
            The training samples, or others of the same kind; by default those of the run, which a run of up to 1,024 samples has kept. A run
            that was fitted with ``groups``, or with ``batches``, needs those of the samples, too.
        n_genes : int, default=10
        path : path-like, optional
            The run folder; by default beside that of the larger run, as ``<its name>_panel_<n_genes>``.
        time_limit : float or None, default=30
            Seconds of the search; the curve of scores before it takes about as long again on a small table.
        max_trials : int, optional

        Returns
        -------
        self's class
            A fitted estimator like any other; ``panel_`` says what is known of its genes: see `Panel`.

        Raises
        ------
        ParameterError
            If a panel would be as large as all genes, the run has not kept its samples and none are given, or samples are given without
            the groups or batches that those of the run had.
        DataError, RunFolderError, SearchError
            As in ``fit``.

        Examples
        --------
        >>> small = clf.panel(n_genes=10)  # doctest: +SKIP
        >>> small.estimate_["value"], small.panel_.genes, small.panel_.equivalents  # doctest: +SKIP
        >>> small.panel_.plot("curve.png")  # doctest: +SKIP
        """
        run = self._fitted()
        _check_count(n_genes, len(run.feature_names))
        seed = int(run.folder.settings["seed"])
        check_limits(None, max_trials, seed, time_limit)
        if x is None:
            if any(one is not None for one in (y, groups, batches, sample_weight)):
                raise ParameterError(
                    "y, groups, batches and sample_weight are of the samples x, which is missing."
                )
            samples, described = kept_samples(run), dict(run.folder.settings)
        else:
            held = x.groups if groups is None and batches is None and isinstance(x, Dataset) else groups
            check_given_again(run.folder.settings, held, batches)
            training = self._training_again(x, y, groups, batches, sample_weight, seed)
            samples, described = self._given_samples(training), _described(run, training)
        place, replaced = _place(run, path, n_genes)
        entries = {**described, "n_samples": samples.problem.n_samples}
        settings = PanelSettings(n_genes, str(place), replaced, time_limit, max_trials, seed, entries)
        made_run = make_panel(samples, run.objective, settings)
        columns = [run.feature_names.index(name) for name in made_run.feature_names]
        novelty = fit_novelty(samples.x[samples.used][:, columns], _used_groups(run, samples), seed)
        made_run.folder.write_arrays(NOVELTY_FILE, novelty.to_arrays())
        return type(self).load(made_run.folder.path)

    def _training_again(
        self, x: Any, y: Any, groups: Any, batches: Any, sample_weight: Any, seed: int
    ) -> Training:
        """Training samples that are given again, or others of the same kind."""
        run, belong = self._fitted(), groups if batches is None else batches
        with named_batches(batches):
            content, weight = counted_samples(self._as_came(x, y, belong), sample_weight)
        targets = known_targets(run.task, content, y, run.names)
        for note in run.task.check_learnable(targets, run.names):
            warnings.warn(note, stacklevel=4)
        factors = self._factors(targets, run.names, weight)
        aim = Aim(run.task, targets, run.names)
        training = Training(content, aim, None, None, self.folds, weight, seed, factors)
        return self._checked(as_studies(training, batches is not None, run.folder.settings.get("adapt")))

    def _as_came(self, x: Any, y: Any, belong: Any) -> Content:
        """Samples in the run's order of genes, not adapted yet."""
        return self.content.matched(super()._read(x, y, belong, None), self._fitted())

    def _read_again(
        self, x: Any, y: Any, sample_weight: Any, batches: Any, extra: Any = None
    ) -> tuple[Content, np.ndarray]:
        if batches is None:
            return super()._read_again(x, y, sample_weight, batches, extra)
        settings = self._fitted().folder.settings
        check_given_again(settings, None, batches, by_groups=False)
        content, weight = counted_samples(self._as_came(x, y, batches), sample_weight)
        assert isinstance(content, Dataset)
        return adapted(content, np.asarray(content.groups)), weight

    def _given_samples(self, training: Training) -> PanelSamples:
        run, content, folds = self._fitted(), training.content, training.folds()
        assert isinstance(content, Dataset)
        encoder = table_of(run.problem)
        dense = content.x.toarray() if isinstance(content.x, sparse.csr_matrix) else np.asarray(content.x)
        problem = replace(
            run.problem,
            targets=training.targets,
            train=folds.train,
            held_out=folds.held_out,
            sample_weight=training.weight,
            groups=group_numbers(training.groups),
            rows={},
            further=None,
            notes=(),
        )
        return PanelSamples(
            np.asarray(encoder.filled(dense)), problem, encoder.feature_names, encoder.medians
        )


def _used_groups(run: Run, samples: PanelSamples) -> np.ndarray | None:
    groups = samples.problem.groups
    return None if groups is None or "batches" in run.folder.settings else groups[samples.used]


def _check_count(n_genes: int, known: int) -> None:
    check_whole(n_genes, "n_genes", 1)
    if n_genes >= known:
        raise ParameterError(
            f"a panel has fewer genes than the model has: got n_genes={n_genes} of {known}. Ask for at most {known - 1}."
        )


def _described(run: Run, training: Training) -> dict[str, Any]:
    """Entries of ``run.json`` of the larger run, for other samples than its own."""
    held = run.folder.settings
    own = training.aim.task.described(training.targets, run.names)
    named = {"sample_ids": list(names_of(training.content)), "source": training.content.source}
    more = {**studies_of(training, held.get("adapt")), **factors_entry(training.factors)}
    return {**{name: value for name, value in held.items() if name != CLASS_FACTORS}, **own, **named, **more}


def kept_samples(run: Run) -> PanelSamples:
    """The training samples, read back from the views of the run."""
    problem, encoder = run.problem, table_of(run.problem)
    used = np.asarray(problem.train.any(axis=0))
    spaces = encoder.spaces.get("all", ())
    exact = spaces and (used.sum() <= EXACT_RANK or spaces[0].basis is None)
    if not exact or (problem.scored & ~used).any():
        raise ParameterError(
            "this run has not kept its training samples exactly (there are too many, or some scored its trials and trained "
            "none: validation_data, or a hold-out where time was short): pass them again, panel(x, y, n_genes=...) or genokeras panel RUN DATA."
        )
    x = np.zeros((len(used), encoder.n_features), dtype="float32")
    x[used] = training_rows(problem, most=None)
    return PanelSamples(x, problem, encoder.feature_names, encoder.medians)


def _place(run: Run, path: str | os.PathLike[str] | None, n_genes: int) -> tuple[Path, str | None]:
    """Where the panel's run goes, and the id of an earlier panel there."""
    own = run.folder.path
    if path is None and own in made:
        return temporary_folder(), None
    place = own.with_name(f"{own.name}_panel_{n_genes}") if path is None else Path(path)
    if path is None and RunFolder.exists(place):
        held = RunFolder(place)
        return place, held.run_id if held.has(PANEL_FILE) else None
    return place, None
