"""What the estimators of sequences, images and texts have in common."""

from __future__ import annotations

import os
import tempfile
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from genokeras.data import Folds, check_sample_weight, holdout_folds
from genokeras.encoders import BackboneEncoder, Encoder, Rows, fit_backbone_encoder, predict, take
from genokeras.engine import SpatialRun, load_network, open_run
from genokeras.engine.finished import FinishedSearch
from genokeras.engine.progress import make_observer
from genokeras.engine.spatial_fit import SpatialFitData, SpatialSettings, search_and_finish
from genokeras.engine.spatial_start import Aim, Fathers
from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.estimators.base import SearchedEstimator, estimator_name
from genokeras.estimators.content import Content, ContentKind
from genokeras.estimators.heads import head_fathers
from genokeras.estimators.spatial_final import run_spatial_final_fit
from genokeras.estimators.tables import leaderboard
from genokeras.explain import SpatialExplanation, explain_rows
from genokeras.searchers import Searcher
from genokeras.support import RunFolder

_EXAMPLES = 32


class SpatialEstimator(SearchedEstimator):
    """An estimator whose networks are convolutional; see its children for parameters and attributes."""

    content: ClassVar[ContentKind]
    # What is answered, "classes" or "numbers", as tasks and objectives have it.
    answers: ClassVar[str]

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
        backbone: Any = None,
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
        self.backbone = backbone

    # ---- what is answered

    @abstractmethod
    def _aim(self, data: Content, y: Any) -> Aim:
        """What networks are to answer of training data, whose targets were given as `y`."""

    @abstractmethod
    def _targets(self, data: Content, names: np.ndarray) -> np.ndarray:
        """Targets of further samples, whose classes or targets go by these names."""

    @abstractmethod
    def _folds(self, aim: Aim, groups: np.ndarray | None, settings: SpatialSettings, places: int) -> Folds:
        """Which of the training data score the networks."""

    @abstractmethod
    def evaluate(self, x: Any, y: Any = None, extra: Any = None) -> dict[str, float]:
        """Scores on samples that ``fit`` has not seen and whose answers are known."""

    def _read(self, x: Any, y: Any, groups: Any = None, extra: Any = None, training: bool = False) -> Content:
        return self.content.read(x, y, groups, extra, training)

    # ---- fitting

    def _fit(
        self,
        x: Any,
        y: Any,
        time_limit: float | None,
        groups: Any,
        validation_data: tuple[Any, ...] | None,
        sample_weight: Any = None,
        extra: Any = None,
    ) -> Self:
        settings = self._settings(time_limit)
        budget = settings.budget()
        content = self._read(x, y, groups, extra, True)
        data = self._fit_data(content, y, sample_weight, validation_data, settings)
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
            answers=self.answers,
            folds=self.folds,
            searcher=self.searcher,
            max_trials=self.max_trials,
            searcher_args=dict(self.searcher_args or {}),
            seed=self._seed(),
            resume=self.resume,
            replace_run=own.folder.run_id if own is not None else None,
        )

    def _fit_data(
        self,
        data: Content,
        y: Any,
        sample_weight: Any,
        validation_data: tuple[Any, ...] | None,
        settings: SpatialSettings,
    ) -> SpatialFitData:
        n = len(data)
        weight = np.ones(n) if sample_weight is None else check_sample_weight(sample_weight, n)
        aim = self._aim(data, y)
        rng = np.random.default_rng([settings.seed, 1])
        encoder, rows, fathers, notes = self._encoded(data, aim, rng)
        groups = data.groups
        if validation_data is None:
            folds = self._folds(aim, groups, settings, encoder.places)
        else:
            held = self._validation(validation_data)
            more = self._targets(held, aim.names)
            held_rows = encoder.rows(held)
            rows = {name: np.concatenate([values, held_rows[name]]) for name, values in rows.items()}
            folds, groups = holdout_folds(n, len(held)), None
            weight = np.concatenate([weight, np.ones(len(held))])
            aim = replace(aim, targets=np.concatenate([aim.targets, more]))
        return SpatialFitData(
            encoder,
            rows,
            aim,
            groups,
            folds,
            fathers,
            data.source,
            (*data.notes, *notes, *folds.notes),
            weight,
        )

    def _encoded(
        self, data: Content, aim: Aim, rng: np.random.Generator
    ) -> tuple[Encoder, Rows, Fathers, tuple[str, ...]]:
        if self.backbone is None:
            encoder, notes = self.content.fit_encoder(data, aim, rng)
            return encoder, encoder.rows(data), self.content.fathers(encoder, aim.task), notes
        plain, notes = self.content.plain_encoder(data)
        found = fit_backbone_encoder(plain, self.backbone, data)
        return found.encoder, found.rows, head_fathers(found.encoder, aim.task), (*notes, *found.notes)

    def _validation(self, validation_data: tuple[Any, ...]) -> Content:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ParameterError(
                "validation_data must be a pair (x_val, y_val), or with extra numbers three of them."
            )
        x, y, *extra = validation_data
        return self._read(x, y, None, extra[0] if extra else None, True)

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
        data = self._read(x_train, y_train, None, extra_train, True)
        targets = self._targets(data, run.names)
        rows = run.problem.encoder.rows(data)
        done = run_spatial_final_fit(run, rows, targets, trainer_args, retrain, self.verbose)
        self._take(done.run)
        self.final_evaluation_ = None if x_test is None else self.evaluate(x_test, y_test, extra_test)
        return self

    # ---- predicting

    def _answers(self, data: Content) -> np.ndarray:
        # The model has the backbone inside, whose features need not be computed beforehand.
        encoder = self._fitted().problem.encoder.reader
        return predict(self.model_, encoder, encoder.rows(data))

    def _scored(self, x: Any, y: Any, extra: Any) -> tuple[np.ndarray, np.ndarray]:
        """Answers and targets of samples whose targets are known."""
        run = self._fitted()
        data = self._read(x, y, None, extra)
        return self._answers(data), self._targets(data, run.names)

    def explain(
        self, x: Any, method: str | None = None, num_samples: int = 80, extra: Any = None
    ) -> SpatialExplanation:
        """Which letters, pixels or words the answers hang on.

        Parameters
        ----------
        x : as in ``predict``
        method : str, optional
            Of sequences ``"mutagenesis"`` (every letter is exchanged; the default up to 2,000 letters) or ``"gradient"`` (quicker;
            the default for longer ones), of images ``"gradient"``, of texts ``"leave_one_out"``.
        num_samples : int
            Samples that are explained at most, the first ones of ``x``.
        extra : as in ``predict``

        Returns
        -------
        SpatialExplanation
            ``values`` ``(n_samples, length, n_outputs)``, of images ``(n_samples, height, width, n_outputs)``: differences in
            the log odds of classes, or in numbers as they are. ``top_window(output, width)`` says where the most telling
            stretch of letters begins.

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        run = self._fitted()
        if num_samples < 1:
            raise ParameterError(f"num_samples must be 1 or more, got {num_samples}.")
        data = self._read(x, None, None, extra)
        data = data.take(np.arange(min(num_samples, len(data))))
        encoder, names = run.problem.encoder.reader, tuple(str(name) for name in run.names)
        rows = encoder.rows(data)
        return explain_rows(self.model_, encoder, rows, names, data.names, method, run.problem.task)

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
        if not _is_of(folder.settings, cls):
            owner = estimator_name(folder.settings)
            kind = folder.settings.get("kind")
            held = f"a run of {kind}s" if kind else "a run of GenomeClassifier"
            raise RunFolderError(
                f"{str(folder.path)!r} holds {held}, which {cls.__name__} cannot load; {owner}.load(path) can."
            )
        return open_run(folder)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        estimator = super().load(path)
        encoder = estimator._fitted().problem.encoder
        if isinstance(encoder, BackboneEncoder):
            estimator.backbone = encoder.preset or encoder.model
        return estimator

    def _fitted(self) -> SpatialRun:
        run: SpatialRun = super()._fitted()
        return run


def _is_of(settings: Mapping[str, Any], kind: type[SpatialEstimator]) -> bool:
    return (settings.get("kind"), settings.get("task", "classes")) == (kind.content.name, kind.answers)


def labels_of(data: Content) -> np.ndarray:
    """The labels of samples that were read.

    Raises
    ------
    DataError
        If they came without any.
    """
    if data.labels is None:
        raise DataError(
            f"{data.source} came without labels: pass y as an array, the name of a column, or a file of labels."
        )
    return data.labels
