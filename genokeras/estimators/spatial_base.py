"""What the classifiers of sequences, images and texts have in common."""

from __future__ import annotations

import os
import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from genokeras.data import (
    ImageData,
    Labels,
    SequenceData,
    TextData,
    encode_known_labels,
    encode_labels,
    holdout_folds,
)
from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.estimators.base import SearchedClassifier
from genokeras.estimators.finished import FinishedSearch
from genokeras.estimators.spatial_final import run_spatial_final_fit
from genokeras.estimators.spatial_fit import Fathers, SpatialFitData, SpatialSettings, search_and_finish
from genokeras.estimators.tables import leaderboard, scores
from genokeras.runs import RunFolder
from genokeras.runs.progress import make_observer
from genokeras.searchers import Searcher
from genokeras.spatial import (
    Encoder,
    SpatialExplanation,
    SpatialRun,
    explain_rows,
    load_network,
    open_run,
    predict,
    split,
    take,
)

Content = SequenceData | ImageData | TextData
_EXAMPLES = 32


class SpatialClassifier(SearchedClassifier):
    """A classifier whose networks are convolutional; see its children for parameters and attributes."""

    kind: ClassVar[str]

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
        self.random_state = random_state
        self.resume = resume
        self.verbose = verbose

    # ---- what a kind of samples is like

    @abstractmethod
    def _read(self, x: Any, y: Any, groups: Any, extra: Any) -> Content:
        """Samples that were read and checked; those to be predicted have no labels."""

    @abstractmethod
    def _fit_encoder(
        self, data: Any, codes: np.ndarray, rng: np.random.Generator
    ) -> tuple[Encoder, tuple[str, ...]]:
        """The encoder of training data, and notes on what it does to them."""

    @abstractmethod
    def _fathers(self, encoder: Any, n_classes: int) -> Fathers:
        """What a search starts from."""

    # ---- fitting

    def _fit(
        self,
        x: Any,
        y: Any,
        time_limit: float | None,
        groups: Any,
        validation_data: tuple[Any, ...] | None,
        extra: Any = None,
    ) -> Self:
        settings = self._settings(time_limit)
        budget = settings.budget()
        data = self._fit_data(self._read(x, y, groups, extra), validation_data, settings)
        seconds = None if settings.time_limit is None else budget.remaining
        observer = make_observer(self.verbose, seconds, settings.max_trials, settings.objective)
        self._forget()
        self._take(search_and_finish(data, settings, budget, observer))
        return self

    def _settings(self, time_limit: float | None) -> SpatialSettings:
        own = getattr(self, "_run", None)
        return SpatialSettings(
            path=str(self.path) if self.path is not None else tempfile.mkdtemp(prefix="genokeras-"),
            time_limit=self.time_limit if time_limit is None else time_limit,
            objective=self.objective,
            folds=self.folds,
            searcher=self.searcher,
            max_trials=self.max_trials,
            searcher_args=dict(self.searcher_args or {}),
            seed=self._seed(),
            resume=self.resume,
            replace_run=own.folder.run_id if own is not None else None,
        )

    def _fit_data(
        self, data: Content, validation_data: tuple[Any, ...] | None, settings: SpatialSettings
    ) -> SpatialFitData:
        labels = encode_labels(_labels_of(data), data.source)
        rng = np.random.default_rng([settings.seed, 1])
        encoder, notes = self._fit_encoder(data, labels.codes, rng)
        rows, groups = encoder.rows(data), data.groups
        if validation_data is None:
            names = [str(name) for name in labels.classes]
            folds = split(labels.codes, groups, settings.folds, settings.seed, names)
        else:
            held = self._validation(validation_data)
            more = encode_known_labels(_labels_of(held), labels.classes, held.source)
            held_rows = encoder.rows(held)
            rows = {name: np.concatenate([values, held_rows[name]]) for name, values in rows.items()}
            folds, groups = holdout_folds(len(data), len(held)), None
            labels = Labels(labels.classes, np.concatenate([labels.codes, more]))
        return SpatialFitData(
            encoder,
            rows,
            labels,
            groups,
            folds,
            self._fathers(encoder, labels.n_classes),
            data.source,
            (*data.notes, *notes, *folds.notes),
        )

    def _validation(self, validation_data: tuple[Any, ...]) -> Content:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ParameterError(
                "validation_data must be a pair (x_val, y_val), or with extra numbers three of them."
            )
        x, y, *extra = validation_data
        return self._read(x, y, None, extra[0] if extra else None)

    def final_fit(
        self,
        x_train: Any,
        y_train: Any = None,
        x_test: Any = None,
        y_test: Any = None,
        trainer_args: Mapping[str, Any] | None = None,
        retrain: bool = True,
        *,
        extra_train: Any = None,
        extra_test: Any = None,
    ) -> Self:
        """Train the best network on all the given samples and deliver that in place of the ensemble.

        It trains for as many epochs as were best in the search. Test data only score: ``final_evaluation_`` says how it
        went; nothing is chosen by them.

        Parameters
        ----------
        x_train, y_train, extra_train : as ``x``, ``y`` and ``extra`` of ``fit``
        x_test, y_test, extra_test : as in ``evaluate``, optional
        trainer_args : dict, optional
            ``max_iter_num`` sets the number of epochs.
        retrain : bool, default=True
            Start from fresh weights; False goes on from those of the search.
        """
        run = self._fitted()
        data = self._read(x_train, y_train, None, extra_train)
        codes = encode_known_labels(_labels_of(data), run.classes, data.source)
        rows = run.problem.encoder.rows(data)
        done = run_spatial_final_fit(run, rows, codes, trainer_args, retrain, self.verbose)
        self._take(done.run)
        self.final_evaluation_ = None if x_test is None else self.evaluate(x_test, y_test, extra_test)
        return self

    # ---- predicting

    def _probabilities(self, data: Content) -> np.ndarray:
        encoder = self._fitted().problem.encoder
        return predict(self.model_, encoder, encoder.rows(data))

    def _scored(self, x: Any, y: Any, extra: Any) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and true class numbers of labelled samples."""
        self._fitted()
        data = self._read(x, y, None, extra)
        codes = encode_known_labels(_labels_of(data), self.classes_, data.source)
        return self._probabilities(data), codes

    def predict_proba(self, x: Any, extra: Any = None) -> np.ndarray:
        """Class probabilities, ``(n_samples, n_classes)`` float32, columns in the order of ``classes_``.

        Raises
        ------
        NotFittedError, DataError
        """
        self._fitted()
        return self._probabilities(self._read(x, None, None, extra))

    def predict(self, x: Any, extra: Any = None) -> np.ndarray:
        """Most probable class of each sample, ``(n_samples,)``."""
        most_probable = self.predict_proba(x, extra).argmax(axis=1)
        return np.asarray(self.classes_[most_probable])

    def score(self, x: Any, y: Any = None, sample_weight: Any = None, extra: Any = None) -> float:
        """Accuracy, as scikit-learn's classifiers have it."""
        probabilities, codes = self._scored(x, y, extra)
        return float(np.average(probabilities.argmax(axis=1) == codes, weights=sample_weight))

    def evaluate(self, x: Any, y: Any = None, extra: Any = None) -> dict[str, float]:
        """Scores on labelled samples that ``fit`` has not seen.

        Returns
        -------
        dict
            ``accuracy``, ``balanced_accuracy``, ``log_loss``, ``roc_auc`` (NaN where a class has no sample), ``f1``,
            ``mcc``.
        """
        return scores(*self._scored(x, y, extra))

    def explain(
        self, x: Any, method: str | None = None, num_samples: int = 80, extra: Any = None
    ) -> SpatialExplanation:
        """Which letters, pixels or words the answers hang on.

        Parameters
        ----------
        x : as in ``predict``
        method : str, optional
            Of sequences ``"mutagenesis"`` (the default; every letter is exchanged) or ``"gradient"`` (quicker), of images
            ``"gradient"``, of texts ``"leave_one_out"``.
        num_samples : int
            Samples that are explained at most, the first ones of ``x``.
        extra : as in ``predict``

        Returns
        -------
        SpatialExplanation
            ``values`` ``(n_samples, length, n_classes)``, of images ``(n_samples, height, width, n_classes)``, in log odds;
            ``top_window(output, width)`` says where the most telling stretch of letters begins.

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        run = self._fitted()
        if num_samples < 1:
            raise ParameterError(f"num_samples must be 1 or more, got {num_samples}.")
        data = self._read(x, None, None, extra)
        data = data.take(np.arange(min(num_samples, len(data))))
        encoder, names = run.problem.encoder, tuple(str(name) for name in self.classes_)
        return explain_rows(self.model_, encoder, encoder.rows(data), names, data.names, method)

    # ---- results

    def leaderboard(self) -> pd.DataFrame:
        """One row a trial, best first.

        Returns
        -------
        DataFrame
            As of ``GenomeClassifier.leaderboard``, and ``rung``: how often the network was sent on to train longer.
        """
        run = self._fitted()
        table = leaderboard(run)
        rungs = {trial.id: trial.proposal.rung for trial in run.history}
        table.insert(list(table.columns).index("step"), "rung", table["model_id"].map(rungs))
        return table

    def load_searcher(self) -> FinishedSearch:
        """The search's history and graphs, as classic AutoKeras handed them out."""
        return FinishedSearch(self._fitted(), load_network)

    def _examples(self) -> Any:
        run = self._fitted()
        n = min(_EXAMPLES, len(run.problem.codes))
        inputs = run.problem.encoder.model_inputs(take(run.problem.rows, np.arange(n)))
        read = [inputs[tensor.name] for tensor in run.model.inputs]
        return read if len(read) > 1 else read[0]

    @classmethod
    def _open(cls, folder: RunFolder) -> SpatialRun:
        held = folder.settings
        if held.get("kind") != cls.kind:
            other = f"a run of {held['kind']}s" if "kind" in held else "a run of GenomeClassifier"
            raise RunFolderError(f"{str(folder.path)!r} holds {other}, which {cls.__name__} cannot load.")
        return open_run(folder)

    def _fitted(self) -> SpatialRun:
        run: SpatialRun = super()._fitted()
        return run


def _labels_of(data: Content) -> np.ndarray:
    if data.labels is None:
        raise DataError(
            f"{data.source} came without labels: pass y as an array, the name of a column, or a file of labels."
        )
    return data.labels
