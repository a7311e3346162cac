"""Sequences, images and texts: how they are prepared, and what their estimators do beyond all others."""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from genokeras.data import Folds, ImageData, SequenceData, TextData, read_targets
from genokeras.encoders import BackboneEncoder, NetworkEncoder, Rows, fit_backbone_encoder, take
from genokeras.encoders.row_files import packed_rows
from genokeras.engine import (
    Fathers,
    Method,
    NetworkMethod,
    Prepared,
    Problem,
    Run,
    Wanted,
    make_network_searcher,
)
from genokeras.engine.problem import fingerprint_of, group_numbers, rows_digest
from genokeras.errors import ParameterError
from genokeras.estimators.base import SearchedEstimator
from genokeras.estimators.content import ContentKind, Given, Training, known_targets, labelled, names_of
from genokeras.estimators.heads import head_fathers
from genokeras.explain.attributions import SampleExplanation, explain_rows
from genokeras.graph.arcs import Arc
from genokeras.report.decisions import asked_of, decision_of
from genokeras.report.given import check_groups_given
from genokeras.report.html import write_run_report
from genokeras.searchers import Searcher
from genokeras.support.digest import hex_digest
from genokeras.tasks.task import Task

_EXAMPLES = 32
Samples = SequenceData | ImageData | TextData


class NetworkKind(ContentKind):
    """A kind of samples that networks read by mini-batches."""

    @abstractmethod
    def fit_encoder(
        self, data: Any, rng: np.random.Generator, seconds: float
    ) -> tuple[NetworkEncoder, tuple[str, ...]]:
        """The encoder of training data, and notes on what it does to them; targets are not looked at.

        ``seconds`` is the time that the whole fit has, on the machine that costs were measured on.
        """

    @abstractmethod
    def plain_encoder(self, data: Any) -> tuple[NetworkEncoder, tuple[str, ...]]:
        """As `fit_encoder`, of samples that a backbone reads as they are."""

    @abstractmethod
    def fathers(self, encoder: Any, task: Task) -> Fathers:
        """What a search starts from."""

    def moved(
        self, encoder: Any, data: Any, rows: Rows, training: Training, folds: Folds, rng: np.random.Generator
    ) -> tuple[np.ndarray | None, tuple[str, ...]]:
        """Whether training may move samples, ``(n_folds,)`` bool, each decided by a fold's own training rows; and notes.

        None where the encoder alone decides.
        """
        return None, ()

    def read_several(self, given: Given) -> Samples:
        found: list[Any] = []

        def read(y: Any) -> np.ndarray:
            found.append(self.read(replace(given, y=y)))
            return np.asarray(found[-1].labels if given.y is None else labelled(found[-1], y).values)

        labels = read_targets(given.y, read)
        data = found[0]
        return data if given.y is None else replace(data, labels=labels)

    def method(self) -> Method:
        return NetworkMethod()

    def prepare(self, training: Training, arguments: Mapping[str, Any]) -> Prepared:
        rng, data = np.random.default_rng([training.seed, 1]), training.content
        seconds = arguments["seconds"]() if "seconds" in arguments else math.inf
        encoder, rows, notes = self._encoded(data, arguments.get("backbone"), rng, seconds)
        if training.held is not None:
            self.warn_of_unread(training.held, encoder)
            held = encoder.rows(training.held)
            rows = {name: np.concatenate([values, held[name]]) for name, values in rows.items()}
        folds, aim, targets = training.folds(encoder.places), training.aim, training.targets
        moved, more = self.moved(encoder, data, rows, training, folds, rng)
        weight, groups = training.weight, group_numbers(training.groups)
        fingerprint = fingerprint_of(rows_digest(encoder.identity(rows)), targets, weight, groups)
        problem = Problem(
            targets, folds.held_out, weight, encoder, rows, aim.task, folds.train, groups, moved, fingerprint
        )
        return Prepared(
            make=lambda _: problem,
            fingerprint=fingerprint,
            old_fingerprint=lambda: _old_fingerprint(problem),
            sample_weight=weight,
            groups=groups,
            described={
                "kind": encoder.reader.kind,
                "backbone": encoder.digest if isinstance(encoder, BackboneEncoder) else None,
                "task": aim.task.kind,
                "source": data.source,
                "n_samples": len(targets),
                **aim.task.described(targets, aim.names),
                "feature_names": [],
                "sample_ids": list(names_of(data)),
                "notes": [*data.notes, *notes, *more, *aim.notes, *folds.notes],
            },
        )

    def _encoded(
        self, data: Any, backbone: Any, rng: np.random.Generator, seconds: float
    ) -> tuple[NetworkEncoder, Rows, tuple[str, ...]]:
        if backbone is None:
            encoder, notes = self.fit_encoder(data, rng, seconds)
            return encoder, encoder.rows(data), notes
        plain, notes = self.plain_encoder(data)
        found = fit_backbone_encoder(plain, backbone, data)
        return found.encoder, found.rows, (*notes, *found.notes)

    def searcher(self, wanted: Wanted, problem: Problem, arcs: tuple[Arc, ...]) -> Searcher:
        encoder = problem.encoder
        assert isinstance(encoder, NetworkEncoder)
        fathers = head_fathers if isinstance(encoder, BackboneEncoder) else self.fathers
        return make_network_searcher(wanted, fathers(encoder, problem.task), problem)

    def matched(self, content: Any, run: Run) -> Any:
        self.warn_of_unread(content, run.problem.encoder)
        return content

    def warn_of_unread(self, data: Any, encoder: Any) -> None:
        """Warn of samples that are answered, though an encoder does not read all of them, or nothing."""

    def asked_folds(self, n_folds: int | None, n_samples: int) -> int | None:
        return n_folds


def _old_fingerprint(problem: Problem) -> str:
    parts: list[str | np.ndarray] = []
    for name, values in sorted(packed_rows(problem.encoder.identity(problem.rows)).items()):
        parts += [name, values]
    parts.append(problem.targets)
    if (problem.sample_weight != 1).any():
        parts.append(problem.sample_weight)
    return hex_digest(*parts)


class NetworkEstimator(SearchedEstimator):
    """An estimator whose networks are convolutional; see its children for parameters and attributes."""

    content: ClassVar[ContentKind]

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
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
        backbone: Any = None,
        task: Any = None,
        memory_limit: float | str | None = None,
        keep: str = "all",
        callbacks: Any = None,
        metrics: Any = None,
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
        self.random_state = random_state
        self.resume = resume
        self.verbose = verbose
        self.backbone = backbone
        self.task = task
        self.memory_limit = memory_limit
        self.keep = keep
        self.callbacks = callbacks
        self.metrics = metrics

    def _arguments(self) -> dict[str, Any]:
        return {**super()._arguments(), "backbone": self.backbone}

    def _encoder(self) -> NetworkEncoder:
        encoder = self._fitted().problem.encoder
        assert isinstance(encoder, NetworkEncoder)
        return encoder

    def explain(
        self, x: Any, method: str | None = None, num_samples: int = 80, extra: Any = None
    ) -> SampleExplanation:
        """Which letters, pixels or words the answers depend on.

        Parameters
        ----------
        x : as in ``predict``
        method : str, optional
            Of sequences ``"mutagenesis"`` (every letter is exchanged; the default up to 2,000 letters) or ``"gradient"`` (quicker;
            the default for longer ones), of images ``"gradient"``, of texts ``"leave_one_out"``: of more than
            200 words, 200 stretches are left out, and their words share the difference.
        num_samples : int
            Samples that are explained at most, the first ones of ``x``.
        extra : as in ``predict``

        Returns
        -------
        SampleExplanation
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
        data: Any = self._read(x, None, None, extra)
        data = data.take(np.arange(min(num_samples, len(data))))
        encoder, names = self._encoder().reader, tuple(str(name) for name in run.names)
        rows = encoder.rows(self.content.matched(data, run))
        return explain_rows(run.model, encoder, rows, names, data.names, method, run.task, run.model_for)

    def report(
        self,
        path: str | os.PathLike[str] = "report.html",
        x: Any = None,
        y: Any = None,
        extra: Any = None,
        groups: Any = None,
    ) -> Path:
        """Write one HTML file about the run: its estimate, predictions and search; and a model card beside it.

        Parameters
        ----------
        path : path-like, default="report.html"
            The card is ``<stem>_model_card.md``.
        x, y, extra : as in ``evaluate``, optional
            Samples that are scored beside the out-of-fold estimate: an external validation, where they are other samples than those
            of the training. Those that are predicted wrong are listed.
        groups : as in ``fit``, optional
            Which of the samples ``x`` belong together, those of one donor, say, ``(n_samples,)`` or the name of a column: intervals of
            their scores are by drawing whole groups. Without, they count as independent.

        Returns
        -------
        pathlib.Path
            The report; it needs no network and no other file.

        Raises
        ------
        NotFittedError, RunFolderError
        DataError
            If samples cannot be read, or came without targets.
        ParameterError
            If the path does not end in ``.html`` or ``.htm``, samples have any number of labels, or groups came without samples.
        """
        run, given = self._fitted(), None
        check_groups_given(x, groups)
        if x is not None:
            content = self._read(x, y, groups, extra)
            targets = known_targets(run.task, content, y, run.names)
            given = self.content.matched(content, run), targets
        return write_run_report(run, path, decision_of(run, asked_of(self)), given)

    def _examples(self) -> Any:
        run = self._fitted()
        n = min(_EXAMPLES, run.problem.n_samples)
        names = [tensor.name for tensor in run.model.inputs]
        read = self._encoder().inputs_named(names, take(run.problem.rows, np.arange(n)))
        return read if len(read) > 1 else read[0]

    @classmethod
    def _restored(cls, run: Run) -> dict[str, Any]:
        encoder = run.problem.encoder
        backbone = encoder.preset or encoder.model if isinstance(encoder, BackboneEncoder) else None
        custom = run.task.kind not in ("classes", "numbers")
        return {"backbone": backbone, **({"task": run.task.kind} if custom else {})}
