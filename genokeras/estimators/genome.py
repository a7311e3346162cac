"""The classifier for expression matrices: few samples, many genes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data import (
    Dataset,
    align_features,
    encode_known_labels,
    load_dataset,
    require_labels,
)
from genokeras.engine import Budget
from genokeras.engine.final import FinalFit, run_final_fit
from genokeras.engine.finished import FinishedSearch
from genokeras.engine.fitted import FittedRun, open_run
from genokeras.engine.fitting import FitSettings, load_fit_data, search_and_finish
from genokeras.engine.progress import make_observer
from genokeras.errors import ParameterError, RunFolderError
from genokeras.estimators.base import SearchedClassifier, estimator_name
from genokeras.estimators.tables import leaderboard, scores
from genokeras.explain import Explanation, explain_run
from genokeras.explain.runs import training_rows
from genokeras.report import write_report
from genokeras.report.genes import explained
from genokeras.searchers import Searcher
from genokeras.support import RunFolder

_BATCH_BYTES = 64 * 2**20
_EXAMPLES = 64
_RESERVE_SHARE, _RESERVE_LEAST, _RESERVE_MOST = 0.08, 1.5, 5.0


class GenomeClassifier(SearchedClassifier):
    """Grows Keras networks for a matrix of samples x genes, and says honestly how good they are.

    Architectures grow from a linear model by network morphism, guided by Bayesian optimisation. Every trial trains one
    network for every fold, all packed into one; what is delivered is the ensemble of trials that predicts best out of
    fold, with an estimate that is corrected for having chosen the best of many.

    Parameters
    ----------
    path : path-like, optional
        The run folder, new or empty; a temporary one by default.
    time_limit : float or None, default=60
        Seconds for the whole of ``fit``; None needs ``max_trials``.
    objective : str, default="log_loss"
        "log_loss", "brier", "accuracy", "balanced_accuracy", "roc_auc", "f1" or "mcc".
    folds : int, optional
        Stratified cross-validation folds; grouped ones where ``fit`` gets groups. By default 5, and above 20,000 samples
        one hold-out of a fifth of them, 10,000 at most.
    searcher : {"bayesian", "random", "enas"} or Searcher, default="bayesian"
    max_trials : int, optional
        Trials at most. With it and ``time_limit=None`` the same seed gives the same run.
    searcher_args : dict, optional
        ``trainer_args`` (``max_iter_num`` steps, 200; ``max_no_improvement_num`` scorings without improvement, 5;
        ``min_loss_dec``, 1e-4; ``batch_size``, 2048), ``search_type`` (a Searcher class or instance), ``fathers`` and
        whatever else the searcher takes.
    executor : {"local"}, default="local"
    missing : {"error", "median"}, default="error"
        What to do about missing values; the medians of the training rows become part of the exported model.
    random_state : int, optional
        Seed; drawn, and written down in ``run.json``, where it is None.
    resume : bool, default=False
        Go on with the run that ``path`` holds.
    verbose : {0, 1}, default=1
        Progress on stderr.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    feature_names_in_ : ndarray of shape (n_features_in_,)
    n_features_in_ : int
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %), ``linear_baseline``, ``chance``, ``uncorrected``, and ``also``: the same
        for other metrics.
    model_ : keras.Model
        What is delivered: raw genes in, class probabilities out.
    path_ : pathlib.Path
        The run folder.
    n_trials_ : int
    stop_reason_ : str
        "time", "trials", "space" (nothing left to try), "interrupted" or "killed".
    notes_ : tuple of str
        What was detected, left out or filled in the data.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD. Tsamardinos, Greasidou
    and Borboudakis (2018), Machine Learning 107: 1895-1922.

    Examples
    --------
    >>> from genokeras import GenomeClassifier
    >>> clf = GenomeClassifier(path="runs/leukemia", random_state=0)
    >>> clf.fit("examples/data/golub_leukemia.tsv.gz", "label", time_limit=60)  # doctest: +SKIP
    >>> clf.estimate_["value"], clf.leaderboard()  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        time_limit: float | None = 60,
        objective: str = "log_loss",
        folds: int | None = None,
        searcher: str | Searcher = "bayesian",
        max_trials: int | None = None,
        searcher_args: Mapping[str, Any] | None = None,
        executor: str = "local",
        missing: str = "error",
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
    ) -> None:
        self.path = path
        self.time_limit = time_limit
        self.objective = objective
        self.folds = folds
        self.searcher = searcher
        self.max_trials = max_trials
        self.searcher_args = searcher_args
        self.executor = executor
        self.missing = missing
        self.random_state = random_state
        self.resume = resume
        self.verbose = verbose

    # ---- fitting

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> GenomeClassifier:
        """Search architectures and train them.

        Parameters
        ----------
        x : array-like, sparse matrix, DataFrame, AnnData or path, shape (n_samples, n_features)
            Raw values; they are standardised inside.
        y : array-like of shape (n_samples,), str or path
            Labels, the name of a column or ``obs`` key, or a file of labels by sample id.
        time_limit : float, optional
            In place of the constructor's.
        groups : array-like of shape (n_samples,) or str, optional
            Samples of one group (a donor, say) stay on one side of every split.
        sample_weight : array-like of shape (n_samples,), optional
        validation_data : (x, y), optional
            Trials are scored on these rows in place of cross-validation; no network trains on them.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data cannot be used; nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        """
        settings = self._settings(time_limit)
        budget = Budget(settings.time_limit, _reserve(settings.time_limit))
        data = load_fit_data(x, y, settings, groups, sample_weight, validation_data)
        seconds = None if settings.time_limit is None else budget.remaining
        observer = make_observer(self.verbose, seconds, settings.max_trials, settings.objective)
        self._forget()
        self._take(search_and_finish(data, settings, budget, observer))
        return self

    def _settings(self, time_limit: float | None) -> FitSettings:
        own = getattr(self, "_run", None)
        return FitSettings(
            path=str(self.path) if self.path is not None else tempfile.mkdtemp(prefix="genokeras-"),
            time_limit=self.time_limit if time_limit is None else time_limit,
            objective=self.objective,
            folds=self.folds,
            searcher=self.searcher,
            max_trials=self.max_trials,
            searcher_args=dict(self.searcher_args or {}),
            executor=self.executor,
            missing=self.missing,
            seed=self._seed(),
            resume=self.resume,
            replace_run=own.folder.run_id if own is not None else None,
        )

    def _take(self, run: FittedRun) -> None:
        super()._take(run)
        self.feature_names_in_ = np.asarray(run.feature_names, dtype=object)
        self.n_features_in_ = len(run.feature_names)

    def final_fit(
        self,
        x_train: Any,
        y_train: Any,
        x_test: Any = None,
        y_test: Any = None,
        trainer_args: Mapping[str, Any] | None = None,
        retrain: bool = True,
    ) -> GenomeClassifier:
        """Train the best architecture on all the given rows and deliver that in place of the ensemble.

        It trains for as many steps as were best on the mean fold curve, with several seeds side by side. Test data only
        scores: ``final_evaluation_`` says how it went; nothing is chosen by it.

        Parameters
        ----------
        x_train, y_train : as in ``fit``
        x_test, y_test : as in ``evaluate``, optional
        trainer_args : dict, optional
            ``max_iter_num`` sets the number of steps.
        retrain : bool, default=True
            Start from fresh weights; False goes on from the fold members of the search.
        """
        run = self._fitted()
        train = align_features(self._load(x_train, y_train), run.feature_names)
        test = None if x_test is None else align_features(self._load(x_test, y_test), run.feature_names)
        codes = encode_known_labels(require_labels(train), run.classes, train.source)
        done: FinalFit = run_final_fit(run, train.x, codes, trainer_args, retrain)
        self._take(done.run)
        self.final_evaluation_ = None if test is None else self._evaluated(test)
        return self

    # ---- predicting

    def predict_proba(self, x: Any) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Named genes are matched by name, in any order; unnamed ones by position.

        Raises
        ------
        DataError
            If genes are missing, or their number is wrong.
        """
        self._fitted()
        return self._probabilities(self._aligned(x))

    def predict(self, x: Any) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``."""
        most_probable = self.predict_proba(x).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])

    def score(self, x: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy, as scikit-learn's classifiers have it."""
        dataset = self._aligned(x, y)
        codes = encode_known_labels(require_labels(dataset), self.classes_, dataset.source)
        hits = self._probabilities(dataset).argmax(axis=1) == codes
        return float(np.average(hits, weights=sample_weight))

    def evaluate(self, x: Any, y: Any = None) -> dict[str, float]:
        """Scores on labelled samples that ``fit`` has not seen.

        Returns
        -------
        dict
            ``accuracy``, ``balanced_accuracy``, ``log_loss``, ``roc_auc`` (NaN where a class has no sample), ``f1``,
            ``mcc``.
        """
        return self._evaluated(self._aligned(x, y))

    def explain(
        self,
        x: Any,
        background: Any = None,
        method: str = "expected_gradients",
        num_samples: int = 80,
        output: str = "probability",
    ) -> Explanation:
        """How much each gene moved each class's probability, sample by sample.

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
        output : {"probability", "log_odds"}

        Returns
        -------
        Explanation
            ``values`` ``(n_samples, n_features, n_classes)``; with ``base_values`` they add up to the outputs.

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        return explain_run(
            self._fitted(), x, background, method=method, num_samples=num_samples, output=output
        )

    def report(
        self,
        path: str | os.PathLike[str] = "report.html",
        x: Any = None,
        y: Any = None,
        explain: bool = True,
        known_genes: str | os.PathLike[str] | Sequence[str] | None = None,
    ) -> Path:
        """Write what there is to know of the run into one HTML file, and a model card beside it.

        Parameters
        ----------
        path : path-like, default="report.html"
            The card is ``<stem>_model_card.md``.
        x, y : as in ``fit``, optional
            Samples to check the data on and to find the genes with; by default the training samples, as the run has kept them.
        explain : bool, default=True
            Whether to find the genes of each class, which takes most of the time.
        known_genes : path-like or sequence of str, optional
            A list from elsewhere, a text file with one gene a line say, that the genes of each class are compared with.

        Returns
        -------
        pathlib.Path
            The report; it needs no network and no other file.

        Raises
        ------
        NotFittedError, DataError, ParameterError, RunFolderError
        """
        run = self._fitted()
        samples = None if x is None else load_dataset(x, y, missing="keep")
        explanation, stability = (explained(run, samples) if explain else None) or (None, None)
        return write_report(
            run, path, explanation=explanation, stability=stability, x=samples, known_genes=known_genes
        )

    def _evaluated(self, dataset: Dataset) -> dict[str, float]:
        codes = encode_known_labels(require_labels(dataset), self.classes_, dataset.source)
        return scores(self._probabilities(dataset), codes)

    def _probabilities(self, dataset: Dataset) -> np.ndarray:
        rows = max(1, _BATCH_BYTES // (4 * dataset.n_features))
        parts = []
        for start in range(0, dataset.n_samples, rows):
            block = dataset.x[start : start + rows]
            dense = block.toarray() if sparse.issparse(block) else block
            parts.append(np.asarray(_to_numpy(self.model_(dense, training=False))))
        return np.concatenate(parts)

    def _aligned(self, x: Any, y: Any = None) -> Dataset:
        return align_features(self._load(x, y), self._fitted().feature_names)

    def _load(self, x: Any, y: Any = None) -> Dataset:
        """NaN may stay where the model fills it in by itself."""
        fills = self._fitted().problem.medians is not None
        return load_dataset(x, y, missing="keep" if fills else "error")

    # ---- results

    def leaderboard(self) -> pd.DataFrame:
        """One row a trial, best first.

        Returns
        -------
        DataFrame
            ``rank``, ``model_id``, ``father``, ``morphism``, ``score`` and its standard error ``se``, ``gap`` to the best linear
            trial (positive is better), ``parameters``, ``seconds``, ``graph``, hyper-parameters, ``share`` in the delivered
            ensemble.
        """
        return leaderboard(self._fitted())

    def load_searcher(self) -> FinishedSearch:
        """The search's history and graphs, as classic AutoKeras handed them out."""
        return FinishedSearch(self._fitted())

    def _examples(self) -> np.ndarray | None:
        """Training rows, one of them with a missing value where the model fills these in."""
        problem = self._fitted().problem
        try:
            rows = training_rows(problem, most=_EXAMPLES)
        except ParameterError:  # no view of all features: random rows will have to do
            return None
        if problem.medians is not None:
            rows[0, 0] = np.nan
        return rows

    @classmethod
    def _open(cls, folder: RunFolder) -> FittedRun:
        kind = folder.settings.get("kind")
        if kind is not None:
            raise RunFolderError(
                f"{str(folder.path)!r} holds a run of {kind}s, which {cls.__name__} cannot load; "
                f"{estimator_name(folder.settings)}.load(path) can."
            )
        return open_run(folder)

    def _fitted(self) -> FittedRun:
        run: FittedRun = super()._fitted()
        return run


def _reserve(time_limit: float | None) -> float:
    """Seconds kept back for ensemble, estimate and export."""
    return (
        0.0
        if time_limit is None
        else float(np.clip(_RESERVE_SHARE * time_limit, _RESERVE_LEAST, _RESERVE_MOST))
    )


def _to_numpy(tensor: Any) -> np.ndarray:
    from_torch = getattr(tensor, "detach", None)
    return np.asarray(from_torch().cpu() if from_torch is not None else tensor)
