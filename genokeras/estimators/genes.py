"""Tables of samples x genes, and what their estimators do beyond all others: explain and report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from genokeras.data.blocks import MASK, MISSING_BLOCKS
from genokeras.data.table import which_layer
from genokeras.encoders import TableEncoder
from genokeras.engine import Run
from genokeras.engine.block_estimates import BlockEstimate, block_estimates
from genokeras.engine.novelty import novelty_table
from genokeras.errors import ParameterError
from genokeras.estimators.content import ContentKind
from genokeras.estimators.elsewhere import Elsewhere
from genokeras.estimators.gene_content import Genes
from genokeras.estimators.importances import Importances
from genokeras.estimators.panels import read_panel
from genokeras.estimators.plotting import GenePlots
from genokeras.explain import Explanation, explain_run, pairs_of_run
from genokeras.explain.runs import training_rows
from genokeras.report.decisions import asked_of, decision_of
from genokeras.report.genes import explained
from genokeras.report.given import check_groups_given, given_dataset
from genokeras.report.html import check_reported, write_run_report
from genokeras.searchers import Searcher
from genokeras.support.checks import check_choice

_EXAMPLES = 64


class TableEstimator(GenePlots, Importances, Elsewhere):
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
        missing_blocks: str = "drop",
        memory_limit: float | str | None = None,
        keep: str = "all",
        callbacks: Any = None,
        metrics: Any = None,
        layer: str | None = None,
        use_raw: bool | None = None,
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
        self.missing_blocks = missing_blocks
        self.memory_limit = memory_limit
        self.keep = keep
        self.callbacks = callbacks
        self.metrics = metrics
        self.layer = layer
        self.use_raw = use_raw

    def _asked(self) -> dict[str, Any]:
        if self.missing not in ("error", "median"):
            raise ParameterError(f"missing must be 'error' or 'median', got {self.missing!r}.")
        check_choice(self.missing_blocks, "missing_blocks", MISSING_BLOCKS)
        # Runs from before there were blocks do not have it.
        blocks = {"missing_blocks": MASK} if self.missing_blocks == MASK else {}
        layer = self._layer()
        return {"missing": self.missing} | blocks | ({} if layer is None else {"layer": layer})

    def _arguments(self) -> dict[str, Any]:
        return {
            **super()._arguments(),
            "searcher": self.searcher,
            "drop_columns": self._dropped(),
            "missing_blocks": self.missing_blocks,
        }

    def _layer(self) -> str | None:
        return which_layer(self.layer, self.use_raw)

    def _missing(self, training: bool) -> str:
        # NaN may stay where the model fills it in by itself.
        if training:
            return self.missing
        fills = self._encoder().medians is not None and (
            self.missing != "error" or not self._encoder().blocks
        )
        return "keep" if fills else "error"

    def _encoder(self) -> TableEncoder:
        encoder = self._fitted().problem.encoder
        assert isinstance(encoder, TableEncoder)
        return encoder

    def _take(self, run: Run) -> None:
        super()._take(run)
        self.feature_names_in_ = np.asarray(run.feature_names, dtype=object)
        self.n_features_in_ = len(run.feature_names)
        self.blocks_ = self._encoder().blocks
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
        if "adapt" in run.folder.settings:
            x = self.prepare_samples(x, adapt="standardise")
        if self._dropped() or run.folder.settings.get("blocks"):
            x = self._samples(x)
            background = None if background is None else self._samples(background)
        return explain_run(run, x, background, method=method, num_samples=num_samples, output=output)

    def gene_pairs(self, top: int = 10) -> pd.DataFrame:
        """Pairs of genes that go with the classes or numbers together, whatever each says alone.

        They are looked for among all pairs in the training samples: does the product of two genes, less what each says alone, go with the
        target? With classes it does where two genes are correlated otherwise in one class than in another (differential co-expression; in general liquid
        association, Li 2002, PNAS 99: 16875-16880).

        Parameters
        ----------
        top : int, default=10
            Pairs.

        Returns
        -------
        DataFrame
            One row a pair, the strongest first: ``gene``, ``partner``; ``strength``, the squared correlation of their product with the
            target (of several classes or targets the mean); ``beyond_chance``, whether that is more than any pair reaches with shuffled
            targets 19 times in 20 (False throughout where samples came in groups: it is not known then); and the correlation of both
            genes within each class, or among the samples in the lower and the upper half of a number. Of several numbers that is the
            one that their product is correlated with most, which ``target`` names.

        Raises
        ------
        NotFittedError
        ParameterError
            If `top` is below 1, or the run has no view of all genes to read its samples from.

        Examples
        --------
        >>> from genokeras import GenomeClassifier
        >>> clf = GenomeClassifier.load("runs/leukemia")  # doctest: +SKIP
        >>> clf.gene_pairs().query("beyond_chance")  # doctest: +SKIP
        """
        run = self._fitted()
        return pairs_of_run(run, top).table(run.feature_names)

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

    def block_estimates(self) -> pd.DataFrame:
        """Whether a further assay pays: the estimate of each block alone, and of all together, on the same folds.

        Returns
        -------
        DataFrame
            ``block`` ("all together" first), ``n_features``, ``n_trials`` (those that read this block alone), ``metric``, ``value`` with
            its 95 % interval ``low`` to ``high``, and ``gain``, how much better all together are, with the interval of that difference
            from the same resamples, ``gain_low`` to ``gain_high``; ``says`` puts it into words. Empty where there is one matrix.

        Raises
        ------
        NotFittedError
        """
        columns = [*(field.name for field in fields(BlockEstimate)), "says"]
        rows = [
            {**estimate.to_dict(), "says": estimate.sentence} for estimate in block_estimates(self._fitted())
        ]
        return pd.DataFrame(rows, columns=columns)

    def report(
        self,
        path: str | os.PathLike[str] = "report.html",
        x: Any = None,
        y: Any = None,
        explain: bool = True,
        known_genes: str | os.PathLike[str] | Sequence[str] | None = None,
        groups: Any = None,
    ) -> Path:
        """Write one HTML file about the run: its estimate, predictions, genes and search; and a model card beside it.

        Parameters
        ----------
        path : path-like, default="report.html"
            The card is ``<stem>_model_card.md``.
        x, y : as in ``fit``, optional
            Samples to check the data on and to find the genes with; by default the training samples, as the run has kept them. With
            ``y`` they are scored, too, beside the out-of-fold estimate: an external validation, where they are other samples.
        explain : bool, default=True
            Whether to find the genes of each output, which takes most of the time.
        known_genes : path-like or sequence of str, optional
            A list from elsewhere, a text file with one gene a line say, that the genes of each output are compared with.
        groups : as in ``fit``, optional
            Which of the samples ``x`` belong together, those of one donor, say, ``(n_samples,)`` or the name of a column: intervals of
            their scores are by drawing whole groups. Without, they count as independent.

        Returns
        -------
        pathlib.Path
            The report; it needs no network and no other file.

        Raises
        ------
        NotFittedError, DataError, ParameterError, RunFolderError
        """
        run = self._fitted()
        check_reported(run)
        check_groups_given(x, groups)
        samples = None if x is None else self._shown(x, y, groups)
        explanation, stability = (explained(run, samples) if explain else None) or (None, None)
        decision = decision_of(run, asked_of(self))
        given = None if samples is None else given_dataset(run, samples)
        return write_run_report(run, path, decision, given, explanation, stability, known_genes)

    def _examples(self) -> Any:
        """Training rows, one of them with a missing value where the model fills these in."""
        problem = self._fitted().problem
        try:
            rows = training_rows(problem, most=_EXAMPLES)
        except ParameterError:  # no view of all features: random rows are used
            return None
        if self._encoder().medians is not None:
            rows[0, 0] = np.nan
        read = self._encoder().model_inputs({"features": rows})
        return (
            read["features"] if not self._encoder().blocks else {n: read[n] for n in self._encoder().inputs}
        )

    @classmethod
    def _restored(cls, run: Run) -> dict[str, Any]:
        custom = run.task.kind not in ("classes", "numbers")
        dropped = run.folder.settings.get("drop_columns")
        return {
            **({"task": run.task.kind} if custom else {}),
            **({"drop_columns": tuple(dropped)} if dropped else {}),
        }
