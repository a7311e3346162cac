"""What all estimators do, for samples of any kind and any target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from genokeras.data.block import reading_of
from genokeras.encoders import checked_answers, predict
from genokeras.engine import (
    AllRows,
    RunSettings,
    Wanted,
    Watchers,
    final_fit,
    fit_run,
    make_observer,
    search_callbacks,
)
from genokeras.engine.afterwards import record_evaluation
from genokeras.engine.executors import SHARED, check_executor
from genokeras.engine.sample_importance import factors_entry
from genokeras.errors import ParameterError
from genokeras.estimators.checks import check_extra, check_limits, seed_of
from genokeras.estimators.content import (
    Content,
    Given,
    Training,
    known_targets,
    labelled,
    names_of,
    validation_parts,
    weights_of,
)
from genokeras.estimators.counting import counted_aim, counted_samples, of_rows, with_medians_of
from genokeras.estimators.fitted import FittedEstimator
from genokeras.estimators.own_metrics import described, scored_metrics
from genokeras.estimators.places import check_numbered, is_numbered, numbered_place
from genokeras.estimators.studies import (
    SEARCH_SHARE,
    as_studies,
    check_batches,
    check_given_again,
    check_resumed,
    named_batches,
    studies_of,
    with_studies,
)
from genokeras.interrupt import interruptible
from genokeras.support.checks import check_choice
from genokeras.support.cores import within_cores
from genokeras.support.memory import naming_memory
from genokeras.support.memory_limits import memory_limit_of
from genokeras.support.precision import single_precision
from genokeras.support.run_lock import check_unlocked
from genokeras.support.temporary import temporary_folder
from genokeras.tasks.known import find_task
from genokeras.tasks.own_objectives import check_computable, is_own, own_objective
from genokeras.tasks.task import Labelled, Task


class SearchedEstimator(FittedEstimator):
    """An estimator over a run folder; its children name the samples, what is predicted, and the parameters."""

    several_targets: ClassVar[bool] = False

    path: Any
    time_limit: float | None
    objective: Any
    folds: int | None
    searcher: Any
    max_trials: int | None
    searcher_args: Mapping[str, Any] | None
    executor: Any
    executor_args: Mapping[str, Any] | None
    random_state: int | None
    memory_limit: Any
    keep: str
    metrics: Any
    callbacks: Any
    resume: bool
    verbose: int

    @interruptible
    @within_cores
    @naming_memory
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        batches: Any = None,
        adapt: str | None = None,
        sample_weight: Any = None,
        extra: Any = None,
        validation_data: tuple[Any, ...] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x : array-like, DataFrame, path and others
            The samples: what each class reads is listed in its docstring.
        y : array-like of shape (n_samples,), str or path, optional
            Labels; the name of a column, key or annotation; or a file of labels by sample. A regressor takes numbers, also
            ``(n_samples, n_targets)`` or a list of columns.
        time_limit : float, optional
            Seconds, in place of the constructor's.
        groups : array-like of shape (n_samples,) or str, optional
            Samples of one group (a donor, a chromosome, a patient) stay on one side of every split.
        batches : array-like of shape (n_samples,) or str, optional
            The study, laboratory or platform of each sample of a table. Every fold leaves one out, so that ``estimate_`` is for a new one;
            it then has ``studies``, each one's scores, and ``new_samples``, the estimate for new samples of the same studies.
        adapt : {"standardise"}, optional
            With ``batches``: every gene gets the same mean and standard deviation in each study, in training and wherever samples are read
            later, which are then 10 or more of one cohort, mixed as in training. For platforms whose values have nothing in common.
        sample_weight : array-like of shape (n_samples,), optional
            How much each sample counts beside the others, in training and in scores: by row, or a Series whose index holds the sample ids.
            Weights times a factor are the same weights. Samples of weight 0 are left out, as if they had not been given.
        extra : sequence of str, DataFrame or array-like of shape (n_samples, n_extra), optional
            Numbers beside each sequence.
        validation_data : (x, y), optional
            Trials are scored on these samples in place of cross-validation; no network trains on them. With ``extra`` numbers
            ``(x, y, extra)``.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data cannot be used; nothing was written then.
        ParameterError
            If a parameter is unknown or out of range; nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        OutOfMemoryError
            If the samples need more memory than there is.
        KeyboardInterrupt
            If Ctrl-C or an interrupt of the notebook came before a trial was trained; of SIGTERM SystemExit (143). Later both end
            the search and deliver, ``stop_reason_`` being "interrupted"; a second one stops at once.
        """
        check_numbered(self.path, self.resume, self.executor)
        if self.executor != SHARED:
            check_unlocked(self.path)
        elif self.path is None:
            raise ParameterError(
                'executor "shared" needs a path, the same one in all the processes that search the run.'
            )
        limit = self.time_limit if time_limit is None else time_limit
        seed, task = seed_of(self.random_state), self._task(x, y)
        wanted = Wanted.of(self.searcher, self.searcher_args, limit)
        check_executor(self.executor, self.executor_args or {})
        check_limits(self.folds, self.max_trials, seed, limit)
        check_choice(self.keep, "keep", ("all", "best"))
        memory = memory_limit_of(self.memory_limit)
        callbacks = search_callbacks(self.callbacks)
        method = self.content.method()
        method.check(wanted.trainer_args)
        check_batches(batches, groups, validation_data, adapt, self)
        budget = method.budget(limit if batches is None or limit is None else SEARCH_SHARE * limit)
        objective = None if is_own(self.objective) else task.objective(self.objective)
        belong = groups if batches is None else batches
        with named_batches(batches):
            training = self._training(x, y, belong, sample_weight, extra, validation_data, seed)
        training = as_studies(training, batches is not None, adapt)
        if objective is None:
            objective = own_objective(self.objective, training.aim.task, training.aim.names)
            check_computable(objective, training.aim.task, training.targets, training.weight)
        scored_metrics(self.metrics, training.aim.task, training.aim.names, training.targets)
        check_resumed(self.path, self.resume, studies_of(training, adapt))
        there = {"memory": memory, "seconds": budget.seconds_of_reference}
        prepared = self.content.prepare(training, {**self._arguments(), **there})
        settings = RunSettings(
            path=str(self._place()),
            objective=objective,
            wanted=wanted,
            asked={
                "objective": objective.name,
                "folds": self.content.asked_folds(self.folds, training.n_samples),
                **self._asked(),
            },
            max_trials=self.max_trials,
            seed=seed,
            resume=self.resume,
            replace_run=self._run.folder.run_id if hasattr(self, "_run") else None,
            executor=self.executor,
            executor_args=dict(self.executor_args or {}),
            memory=memory,
            keep=self.keep,
            described={
                "time_limit": limit,
                **described(objective),
                **studies_of(training, adapt),
                **factors_entry(training.factors),
            },
            callbacks=callbacks,
        )
        seconds = None if limit is None else budget.remaining
        observer = make_observer(self.verbose, seconds, self.max_trials, objective)
        self._forget()
        run = fit_run(
            prepared,
            settings,
            lambda problem, arcs: self.content.searcher(wanted, problem, arcs),
            budget,
            observer,
        )
        left = None if limit is None else limit - budget.elapsed
        self._take(with_studies(run, training, prepared, left))
        return self

    def _place(self) -> Any:
        if self.path is None:
            return temporary_folder()
        return numbered_place(self.path) if is_numbered(self.path) else self.path

    def _training(
        self,
        x: Any,
        y: Any,
        groups: Any,
        sample_weight: Any,
        extra: Any,
        validation_data: tuple[Any, ...] | None,
        seed: int,
    ) -> Training:
        content = self._read(x, y, groups, extra, training=True)
        weight = weights_of(content, sample_weight)
        kept = weight > 0
        labels = replace(self._labels(content, x, y), weight=weight)
        aim = counted_aim(self._task(x, y), labels, kept)
        again = partial(self._read, x, y, groups, extra, training=True, missing="keep")
        content, weight = of_rows(with_medians_of(content, again, kept), kept), weight[kept]
        factors = self._factors(aim.targets, aim.names, weight)
        held, held_targets = None, None
        if validation_data is not None:
            x_held, y_held, extra_held = validation_parts(validation_data, self.content.takes_extra)
            held = self._read(x_held, y_held, None, extra_held, training=True)
            held_targets = known_targets(aim.task, held, y_held, aim.names)
        return self._checked(Training(content, aim, held, held_targets, self.folds, weight, seed, factors))

    def _checked(self, training: Training) -> Training:
        """Training samples that will do for what was asked of the estimator."""
        return training

    def _tabled(self, y: Any, training: bool) -> Any:
        """Labels as readers take them."""
        return y

    def _task(self, x: Any, y: Any) -> type[Task]:
        """What is to be predicted of these samples."""
        return find_task(getattr(self, "task", None) or self.default_task)

    def _labels(self, content: Content, x: Any, y: Any) -> Labelled:
        """The labels of training samples, with what is said of them beforehand."""
        return labelled(content, y)

    def _factors(self, targets: np.ndarray, names: np.ndarray, weight: np.ndarray) -> np.ndarray | None:
        """``(n_outputs,)`` what the weights of the samples of each class are multiplied by; None where all classes count alike."""
        return None

    def _takes_several(self, y: Any) -> bool:
        """Whether each sample may have several targets."""
        return self.several_targets

    def _arguments(self) -> dict[str, Any]:
        """Parameters that say how samples are prepared."""
        return {"searcher_args": self.searcher_args or {}}

    def _asked(self) -> dict[str, Any]:
        """Further parameters that must be the same where a run is resumed."""
        return {}

    def _layer(self) -> str | None:
        """Which of several matrices of the training data is read."""
        return None

    def _missing(self, training: bool) -> str:
        """What to do about missing values of the training data, or of further samples."""
        return "error"

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
        """Samples, missing values as the estimator has them or as is said here."""
        check_extra(self, extra)
        read = self.content.read_several if self._takes_several(y) else self.content.read
        drop = getattr(self, "drop_columns", None) or ()
        known: dict[str, Any] = {
            "missing_blocks": getattr(self, "missing_blocks", "drop"),
            "layer": self._layer(),
        }
        if not training:
            known = reading_of(self._fitted().folder.settings)
        y = self._tabled(y, training)
        return read(Given(x, y, groups, extra, missing or self._missing(training), training, drop, **known))

    def final_fit(
        self,
        x_train: Any,
        y_train: Any = None,
        x_test: Any = None,
        y_test: Any = None,
        trainer_args: Mapping[str, Any] | None = None,
        retrain: bool = True,
        *,
        sample_weight: Any = None,
        batches: Any = None,
        extra_train: Any = None,
        extra_test: Any = None,
    ) -> Self:
        """Train the best architecture on all the given samples and deliver that in place of the ensemble.

        It trains for as long as was best on the mean fold curve. Test data only score: ``final_evaluation_`` has the scores;
        nothing is chosen by them.

        Parameters
        ----------
        x_train, y_train, sample_weight, extra_train : as in ``fit``
        batches : as in ``fit``, optional
            Of a run that was fitted with ``adapt``: the study of each sample, which is standardised by itself.
        x_test, y_test, extra_test : as in ``evaluate``, optional
        trainer_args : dict, optional
            ``max_iter_num`` sets the number of steps, or of epochs.
        retrain : bool, default=True
            Start from fresh weights; False goes on from those of the search.

        Notes
        -----
        ``callbacks`` of the estimator that are ``SearchCallback`` hear ``on_final_fit_begin`` and ``on_final_fit_end``; those of Keras
        hear nothing, because there are no epochs to tell of.
        """
        run = self._fitted()
        watchers = Watchers(search_callbacks(self.callbacks), run.folder, run.objective)
        self._check_trains_on("final_fit")
        content, weight = self._read_again(x_train, y_train, sample_weight, batches, extra_train)
        targets = known_targets(run.task, content, y_train, run.names)
        factors = self._factors(targets, run.names, weight)
        weight = weight if factors is None else weight * factors[targets]
        data = AllRows(run.problem.encoder.rows(content), targets, weight)
        test = None if x_test is None else self._scored(x_test, y_test, extra_test, predicted=False)
        self._take(final_fit(run, data, trainer_args, retrain, watchers=watchers))
        self.final_evaluation_ = None if test is None else self.evaluate(x_test, y_test, extra_test)
        if self.final_evaluation_ is not None:
            record_evaluation(self._fitted(), self.final_evaluation_)
        watchers.end_final_fit(self._fitted(), self.final_evaluation_ or {})
        return self

    def _read_again(
        self, x: Any, y: Any, sample_weight: Any, batches: Any, extra: Any = None
    ) -> tuple[Content, np.ndarray]:
        """Samples that train a run's model anew, in the order that the run knows, and their weights above 0."""
        check_given_again(self._fitted().folder.settings, None, batches, by_groups=False)
        content, weight = counted_samples(self._read(x, y, None, extra), sample_weight)
        return self.content.matched(content, self._fitted()), weight

    def _check_trains_on(self, method: str) -> None:
        """Refuse training the delivered model on where something rests on its out-of-fold answers."""

    @single_precision()
    def _answers(self, content: Any) -> np.ndarray:
        """``(n_samples, n_outputs)`` float32."""
        run = self._fitted()
        # The model has a backbone inside, whose features need not be computed beforehand.
        encoder = run.problem.encoder.reader
        rows = encoder.rows(self.content.matched(content, run))
        return checked_answers(predict(run.model, encoder, rows), names_of(content))

    def _scored(self, x: Any, y: Any, extra: Any, predicted: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Answers and targets of samples whose targets are known."""
        return self._scored_content(self._read(x, y, None, extra), y, predicted)

    def _weighted(
        self, x: Any, y: Any, extra: Any, sample_weight: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `_scored`, and the weights of the samples."""
        content = self._read(x, y, None, extra)
        return *self._scored_content(content, y), weights_of(content, sample_weight)

    def _scored_content(
        self, content: Content, y: Any, predicted: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        run = self._fitted()
        targets = known_targets(run.task, content, y, run.names)
        return self._answers(content) if predicted else np.empty(0), targets

    def evaluate(self, x: Any, y: Any = None, extra: Any = None) -> dict[str, float]:
        """Scores on samples that ``fit`` has not seen and whose targets are known.

        Returns
        -------
        dict
            Of a classifier ``accuracy``, ``balanced_accuracy``, ``log_loss``, ``roc_auc`` (NaN where a class has no sample),
            ``f1``, ``mcc``, all of the most probable class, and with ``threshold`` also ``sensitivity`` and ``specificity``; of ordered classes ``quadratic_kappa``,
            ``ranked_probability_score`` and ``rank_error`` in place of some; of labels ``label_log_loss``, ``roc_auc_macro``,
            ``f1_macro``, ``label_accuracy``, ``subset_accuracy``; further those of ``metrics``; of a regressor ``r2``, ``mse``, ``rmse``, ``mae`` (in the targets' units), ``pearson`` and ``spearman``
            correlation, means over the targets where there are several.
        """
        return self._scores(*self._scored(x, y, extra))

    def _scores(self, answers: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """What `evaluate` returns."""
        run = self._fitted()
        found = {name: run.task.objective(name).value(answers, targets) for name in run.task.evaluated()}
        own = scored_metrics(self.metrics, run.task, run.names)
        return found | {metric.name: metric.value(answers, targets) for metric in own}
