"""Tables of samples x genes, and what their estimators do beyond all others: explain and report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data import Dataset, align_features, load_dataset, usual_folds
from genokeras.encoders import SplitView, TableEncoder, fit_split_view, fit_table_encoder
from genokeras.engine import Budget, Method, PackedMethod, Prepared, Problem, Run, Wanted, make_table_searcher
from genokeras.engine.problem import fingerprint_of, group_numbers
from genokeras.engine.splits import FurtherSplits
from genokeras.errors import DataError, ParameterError
from genokeras.estimators.content import ContentKind, Given, Training
from genokeras.estimators.elsewhere import Elsewhere
from genokeras.estimators.novelty import NOVELTY_FILE, novelty_table
from genokeras.estimators.panels import read_panel
from genokeras.explain import Explanation, explain_run
from genokeras.explain.runs import training_rows
from genokeras.features import DEFAULT_VIEWS, TRAVELLING_VIEWS, available_views, fit_novelty, varies
from genokeras.graph.arcs import Arc
from genokeras.report import write_report
from genokeras.report.genes import explained
from genokeras.searchers import HyperSpace, Searcher
from genokeras.support.digest import hex_digest

_EXAMPLES = 64
# With more samples than one hold-out is made for, fewer views: each takes a pass over the data.
LARGE_VIEWS = ("all", "top300")
# Of `searcher_args`.
_NAMING_VIEWS = ("space", "fathers", "search_type")


@final
class Genes(ContentKind):
    """Samples in rows, genes in columns."""

    name: ClassVar[str] = TableEncoder.kind
    takes_batches: ClassVar[bool] = True

    def read(self, given: Given) -> Dataset:
        return self._load(given, several_targets=False)

    def read_several(self, given: Given) -> Dataset:
        return self._load(given, several_targets=True)

    def _load(self, given: Given, *, several_targets: bool) -> Dataset:
        missing: Any = given.missing
        return load_dataset(
            given.x,
            given.y,
            groups=given.groups,
            missing=missing,
            drop_columns=given.drop_columns,
            # New samples may well lack what the model does not read.
            drop_unknown=not given.training,
            genes=given.genes,
            several_targets=several_targets,
        )

    def method(self) -> Method:
        return PackedMethod()

    def prepare(self, training: Training, arguments: Mapping[str, Any]) -> Prepared:
        dataset = training.content
        assert isinstance(dataset, Dataset)
        if not varies(dataset.x):
            raise DataError(
                f"{dataset.source}: every gene has the same value in all {dataset.n_samples} samples, so there is nothing to learn "
                "from. Is this the matrix that was meant?"
            )
        x = _with_validation(dataset, training.held)
        aim, folds, targets = training.aim, training.folds(), training.targets
        weight, groups = training.weight, group_numbers(training.groups)
        samples = _samples_digest(x, dataset.feature_names)
        fingerprint = fingerprint_of(samples, targets, weight, groups)
        views = available_views(
            dataset.n_features,
            views_to_fit(len(targets), arguments.get("searcher_args", {}), training.by_study),
            n_samples=len(targets),
        )

        def make(budget: Budget) -> Problem:
            encoder, rows = fit_table_encoder(
                x,
                targets,
                folds.train,
                views,
                aim.task.screening,
                dataset.feature_names,
                dataset.medians,
                None if may_name_views(arguments) else budget.fits_preparation,
            )
            further = training.further_folds(folds)
            return Problem(
                targets,
                folds.held_out,
                weight,
                encoder,
                rows,
                aim.task,
                folds.train,
                groups,
                None,
                fingerprint,
                FurtherSplits(further) if len(further) else None,
                _left_out(views, rows),
            )

        def fit_view(encoder: TableEncoder, train: np.ndarray, name: str) -> SplitView:
            return fit_split_view(x, targets, train, name, aim.task.screening, encoder)

        return Prepared(
            make=make,
            fingerprint=fingerprint,
            old_fingerprint=lambda: _samples_digest(x, dataset.feature_names, targets),
            sample_weight=weight,
            groups=groups,
            described={
                "kind": self.name,
                "task": aim.task.kind,
                "source": dataset.source,
                "n_samples": len(targets),
                **aim.task.described(targets, aim.names),
                "feature_names": list(dataset.feature_names),
                "names_given": dataset.names_given,
                "drop_columns": list(arguments.get("drop_columns", ())),
                "notes": [*dataset.notes, *aim.notes, *folds.notes],
            },
            fit_view=fit_view,
            files={NOVELTY_FILE: lambda: fit_novelty(x, groups, training.seed).to_arrays()},
        )

    def searcher(self, wanted: Wanted, problem: Problem, arcs: tuple[Arc, ...]) -> Searcher:
        space = HyperSpace(views=tuple(problem.widths), view_units=tuple(problem.widths.values()))
        return make_table_searcher(wanted, problem.task.n_outputs, space, arcs, problem.n_splits)

    def matched(self, content: Any, run: Run) -> Any:
        return align_features(content, run.feature_names)

    def asked_folds(self, n_folds: int | None, n_samples: int) -> int | None:
        folds = usual_folds(n_samples) if n_folds is None else n_folds
        return None if folds is None else int(folds)


def may_name_views(arguments: Mapping[str, Any]) -> bool:
    """Whether the searcher may ask for views by name, so that none may be left out: a custom one, or custom graphs or a custom space."""
    given = arguments.get("searcher_args", {})
    return not isinstance(arguments.get("searcher", ""), str) or not given.keys().isdisjoint(_NAMING_VIEWS)


def _left_out(wanted: Sequence[str], fitted: Mapping[str, Any]) -> tuple[str, ...]:
    """A note of the views that there was no time for."""
    missing = [name for name in wanted if name not in fitted]
    if not missing:
        return ()
    return (
        f"Of {len(wanted)} views of the genes {len(missing)} were left out, because preparing them would take more than a quarter of "
        f"the time limit: {', '.join(missing)}. A longer time limit uses them, too.",
    )


def views_to_fit(n_samples: int, searcher_args: Mapping[str, Any], by_study: bool = False) -> tuple[str, ...]:
    """Names of views: with very many samples those of the user's search space, or else all features and one screening."""
    if usual_folds(n_samples) is not None:
        return TRAVELLING_VIEWS if by_study else DEFAULT_VIEWS
    space = searcher_args.get("space")
    return space.views if isinstance(space, HyperSpace) else LARGE_VIEWS


def _with_validation(dataset: Dataset, held: Any) -> Any:
    """Training rows, and validation rows behind them."""
    if held is None:
        return dataset.x
    parts: list[Any] = [dataset.x, align_features(held, dataset.feature_names).x]
    return sparse.vstack(parts, format="csr") if any(map(sparse.issparse, parts)) else np.vstack(parts)


def _samples_digest(x: Any, names: Sequence[str], *more: np.ndarray) -> str:
    """A digest of values and names: a resumed run has to see the same data."""
    return hex_digest(x, *more, "\0".join(names))


class TableEstimator(Elsewhere):
    """An estimator of tables; see its children for parameters and attributes."""

    content: ClassVar[ContentKind] = Genes()

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_limit: float | None = 60,
        objective: str | None = None,
        folds: int | None = None,
        searcher: str | Searcher = "bayesian",
        max_trials: int | None = None,
        searcher_args: Mapping[str, Any] | None = None,
        executor: Any = "local",
        executor_args: Mapping[str, Any] | None = None,
        missing: str = "error",
        drop_columns: str | Sequence[str] | None = None,
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
        task: Any = None,
    ) -> None:
        self.path = path
        self.time_limit = time_limit
        self.objective = objective
        self.folds = folds
        self.searcher = searcher
        self.max_trials = max_trials
        self.searcher_args = searcher_args
        self.executor = executor
        self.executor_args = executor_args
        self.missing = missing
        self.drop_columns = drop_columns
        self.random_state = random_state
        self.resume = resume
        self.verbose = verbose
        self.task = task

    def _asked(self) -> dict[str, Any]:
        if self.missing not in ("error", "median"):
            raise ParameterError(f"missing must be 'error' or 'median', got {self.missing!r}.")
        return {"missing": self.missing}

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "searcher": self.searcher, "drop_columns": self._dropped()}

    def _missing(self, training: bool) -> str:
        # NaN may stay where the model fills it in by itself.
        later = "error" if training or self._encoder().medians is None else "keep"
        return self.missing if training else later

    def _encoder(self) -> TableEncoder:
        encoder = self._fitted().problem.encoder
        assert isinstance(encoder, TableEncoder)
        return encoder

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.feature_names_in_ = np.asarray(run.feature_names, dtype=object)
        self.n_features_in_ = len(run.feature_names)
        self.panel_ = read_panel(run.folder)

    def explain(
        self,
        x: Any,
        background: Any = None,
        method: str = "expected_gradients",
        num_samples: int = 80,
        output: str | None = None,
    ) -> Explanation:
        """How much each gene moved each output, sample by sample: a class's probability, or a number.

        Parameters
        ----------
        x : array-like, DataFrame, AnnData or path, shape (n_samples, n_features)
        background : the same, optional
            What samples are compared with; by default the training samples.
        method : str
            ``"expected_gradients"`` (Erion et al. 2021), ``"integrated_gradients"`` (Sundararajan et al. 2017), ``"linear"``
            (the best linear trial, exactly), or ``"shap_deep"``, ``"shap_gradient"``, ``"shap_permutation"`` of the shap
            package.
        num_samples : int
            Samples of ``x`` that are explained at most, drawn at random.
        output : {"probability", "log_odds", "number"}, optional
            "probability" of classes and "number" of numbers by default.

        Returns
        -------
        Explanation
            ``values`` ``(n_samples, n_features, n_outputs)``; with ``base_values`` they add up to the outputs.

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        run = self._fitted()
        if self._dropped():
            x = self._samples(x)
            background = None if background is None else self._samples(background)
        return explain_run(run, x, background, method=method, num_samples=num_samples, output=output)

    def novelty(self, x: Any, false_alarms: float = 0.05) -> pd.DataFrame:
        """Which samples are unlike all training samples, such as those of another tissue: a prediction means little there.

        Parameters
        ----------
        x : array-like, DataFrame, AnnData or path, shape (n_samples, n_features)
        false_alarms : float, default=0.05
            The share of samples like the training samples that may be called novel.

        Returns
        -------
        DataFrame
            One row a sample: ``distance`` from the training samples, within their span and outside of it, 1 for the median training
            sample; ``p_value``, the share of training samples that are as far from the others or farther (a conformal p-value; Bates et al.
            2023); ``novel`` where that is ``false_alarms`` or less.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If the rate is out of range, or there are too few training samples for it.
        RunFolderError
            If the run was made by a version that did not keep what is needed.

        Examples
        --------
        >>> from genokeras import GenomeClassifier
        >>> clf = GenomeClassifier.load("runs/leukemia")  # doctest: +SKIP
        >>> clf.novelty("new.tsv").query("novel")  # doctest: +SKIP
        """
        run = self._fitted()
        found = self.content.matched(self._read(x, None), run)
        return novelty_table(run, self._encoder().filled(found.x), found.sample_ids, false_alarms)

    def report(
        self,
        path: str | os.PathLike[str] = "report.html",
        x: Any = None,
        y: Any = None,
        explain: bool = True,
        known_genes: str | os.PathLike[str] | Sequence[str] | None = None,
    ) -> Path:
        """Write one HTML file about the run: its estimate, predictions, genes and search; and a model card beside it.

        Parameters
        ----------
        path : path-like, default="report.html"
            The card is ``<stem>_model_card.md``.
        x, y : as in ``fit``, optional
            Samples to check the data on and to find the genes with; by default the training samples, as the run has kept them.
        explain : bool, default=True
            Whether to find the genes of each output, which takes most of the time.
        known_genes : path-like or sequence of str, optional
            A list from elsewhere, a text file with one gene a line say, that the genes of each output are compared with.

        Returns
        -------
        pathlib.Path
            The report; it needs no network and no other file.

        Raises
        ------
        NotFittedError, DataError, ParameterError, RunFolderError
        """
        run = self._fitted()
        samples = None if x is None else self._samples(x, y)
        explanation, stability = (explained(run, samples) if explain else None) or (None, None)
        return write_report(
            run, path, explanation=explanation, stability=stability, x=samples, known_genes=known_genes
        )

    def _examples(self) -> np.ndarray | None:
        """Training rows, one of them with a missing value where the model fills these in."""
        problem = self._fitted().problem
        try:
            rows = training_rows(problem, most=_EXAMPLES)
        except ParameterError:  # no view of all features: random rows are used
            return None
        if self._encoder().medians is not None:
            rows[0, 0] = np.nan
        return rows

    @classmethod
    def _restored(cls, run: Run) -> dict[str, Any]:
        custom = run.task.kind not in ("classes", "numbers")
        dropped = run.folder.settings.get("drop_columns")
        return {
            **({"task": run.task.kind} if custom else {}),
            **({"drop_columns": tuple(dropped)} if dropped else {}),
        }
