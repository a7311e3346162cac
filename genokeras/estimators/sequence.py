"""DNA and RNA sequences, and the classifier for them."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from genokeras.data import Folds, SequenceData, load_sequences
from genokeras.encoders import (
    WINDOW,
    NetworkEncoder,
    Rows,
    SequenceEncoder,
    fit_sequence_encoder,
    have_orientation,
    places_loose,
)
from genokeras.engine import Fathers
from genokeras.estimators.content import ContentKind, Given, Training
from genokeras.estimators.faces import RegressorFace
from genokeras.estimators.fine_tuning import TunedClassifier
from genokeras.estimators.networks import NetworkEstimator, NetworkKind
from genokeras.explain import Motif, motifs_of, write_motifs_of
from genokeras.graph import dilated_cnn, motif_cnn, residual_cnn, small_cnn
from genokeras.searchers import HyperSpace
from genokeras.support.wording import counted, listed
from genokeras.tasks.task import Task

SPACE = HyperSpace(
    learning_rate=(1e-3, 2e-3, 4e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.1, 0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Letters by which training may move a sequence whose places are not exact.
SHIFT = 3
WEIGHT_DECAYS = (2e-2, 1e-1, 4e-3, 4e-1)
# Squared errors curve more than log losses, so that the same penalty holds a ridge regression less.
RIDGE_WEIGHT_DECAYS = (3e-1, 3e-2, 3.0)


@final
class Sequences(NetworkKind):
    """DNA and RNA."""

    name: ClassVar[str] = "sequence"
    takes_extra: ClassVar[bool] = True

    def read(self, given: Given) -> SequenceData:
        return load_sequences(given.x, given.y, groups=given.groups, extra=given.extra)

    def fit_encoder(
        self, data: SequenceData, rng: np.random.Generator, seconds: float
    ) -> tuple[SequenceEncoder, tuple[str, ...]]:
        oriented = have_orientation(data, rng)
        encoder, notes = fit_sequence_encoder(data, not oriented, SHIFT, seconds=seconds)
        strands = (
            "The sequences have a direction: they differ from their reverse complements, and are read as they are."
            if oriented
            else "The sequences have no direction: networks train on both strands and answer with their mean."
        )
        return encoder, (*notes, strands)

    def moved(
        self, encoder: Any, data: Any, rows: Rows, training: Training, folds: Folds, rng: np.random.Generator
    ) -> tuple[np.ndarray | None, tuple[str, ...]]:
        if not isinstance(encoder, SequenceEncoder) or not encoder.equal or encoder.length > WINDOW:
            return None, ()
        targets = training.aim.task.kinds(training.targets)
        codes = rows["codes"]
        found = np.array([places_loose(codes[train], targets[train], SHIFT, rng) for train in folds.train])
        if found.all():
            note = f"Places need not be exact: training moves sequences by up to {SHIFT} letters."
        elif not found.any():
            note = "Exact places matter: training does not move sequences."
        else:
            note = (
                f"Training moves sequences by up to {SHIFT} letters in {found.sum()} of {len(found)} folds."
            )
        return found, (note,)

    def plain_encoder(self, data: SequenceData) -> tuple[SequenceEncoder, tuple[str, ...]]:
        # A backbone reads sequences whole.
        return fit_sequence_encoder(data, strands=False, window=int(data.lengths.max()))

    def warn_of_unread(self, data: SequenceData, encoder: NetworkEncoder) -> None:
        reader = encoder.reader
        assert isinstance(reader, SequenceEncoder)
        longer = np.flatnonzero(data.lengths > reader.length)
        if len(longer) and not reader.equal:  # where all are to be equally long, longer ones are an error
            warnings.warn(
                f"{data.source}: {counted(len(longer), 'sequence is', 'sequences are')} longer than the {reader.length:,} letters that the model "
                f"reads: the middle of each is read ({listed((data.names[row] for row in longer), 5)}). Cut them to the part that matters, "
                "or fit on sequences of such lengths.",
                stacklevel=4,
            )

    def fathers(self, encoder: SequenceEncoder, task: Task) -> Fathers:
        shape, n_outputs = encoder.input_shape, task.n_outputs
        # Where a motif stands tells more of sequences that were cut alike and are read in one direction.
        by_place = encoder.equal and not encoder.strands
        # A maximum does not see how much padding stands beside a shorter sequence; a mean would.
        pooled = None if encoder.equal else "max"
        known = {
            "motif_cnn": partial(
                motif_cnn,
                shape,
                n_outputs,
                head=None if by_place else "max",
                both_strands=encoder.strands,
            ),
            "dilated_cnn": partial(
                dilated_cnn, shape, n_outputs, head=pooled or "attention", both_strands=encoder.strands
            ),
            "small_cnn": partial(small_cnn, shape, n_outputs, head=pooled),
            "residual_cnn": partial(residual_cnn, shape, n_outputs, head=pooled or "average"),
        }
        decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
        return Fathers(known, ("motif_cnn", "dilated_cnn", "small_cnn"), SPACE, decays)


class SequenceEstimator(NetworkEstimator):
    """An estimator of sequences; see its children for parameters and attributes."""

    content: ClassVar[ContentKind] = Sequences()

    def motifs(self) -> list[Motif]:
        """What the filters of the best networks look for, those with most information first.

        Of every network in the delivered ensemble, or of the three best where linear models alone are delivered, each filter
        of the first layer is the mean of the training sequences' windows that it answers to most (Alipanahi et al. 2015).
        """
        return motifs_of(self._fitted())

    def write_motifs(self, path: str | os.PathLike[str]) -> Path:
        """Write the motifs as a MEME file, which Tomtom, FIMO and their kin read; a warning says where there are none.

        Motifs of sequences that have a direction are written as those of one strand, ``strands: +``.

        Raises
        ------
        ParameterError
            If the run searched heads of a backbone, whose filters read no letters.
        RunFolderError
            If the file cannot be written.
        """
        return write_motifs_of(self._fitted(), path)


class SequenceClassifier(TunedClassifier, SequenceEstimator):
    """Grows convolutional networks for DNA or RNA, and says honestly how good they are.

    Linear models of words of 4 to 7 letters come first, and of words by place where all sequences are equally long. Networks
    that scan for motifs begin with short training; the better ones go on, and grow by network morphism. Where sequences cannot be
    distinguished from their reverse complements, networks train on both strands and answer with the mean.

    Parameters
    ----------
    path : path-like, optional
        The run folder, new or empty; ``"runs/{}"`` makes a new one with every fit (``runs/0001`` on), as cross-validation needs it. By
        default a temporary one, which is gone when Python ends; ``save`` and pickling keep it.
    time_limit : float or None, default=60
        Seconds for the whole of ``fit``; None needs ``max_trials``.
    objective : str, optional
        "log_loss" (the default), "brier", "accuracy", "balanced_accuracy", "roc_auc", "f1" or "mcc".
    folds : int, optional
        Stratified cross-validation folds; grouped ones where ``fit`` gets groups. By default 3 below 2,000 sequences or a
        million letters of all together, 5 below 400,000 letters, and one hold-out of a fifth of them above.
    searcher : {"bayesian", "random"} or Searcher, default="bayesian"
    max_trials : int, optional
        Trials at most, those of a resumed run included. With it and ``time_limit=None`` training is counted in epochs, and the same seed gives the same run.
    searcher_args : dict, optional
        ``trainer_args`` (``max_iter_num`` epochs of a trial at most, 200; ``max_no_improvement_num`` scorings without
        improvement, 5; ``min_loss_dec``, 1e-4; ``batch_size``), ``search_type`` (a Searcher class or instance), ``fathers``
        ("motif_cnn", "dilated_cnn" and "small_cnn", or of these, "residual_cnn" and graphs) and whatever else the searcher takes.
    executor, executor_args, memory_limit, keep, callbacks, metrics : as in ``GenomeClassifier``, optional
    random_state : int, optional
        Seed; drawn, and written down in ``run.json``, where it is None.
    resume : bool, default=False
        Go on with the run that ``path`` holds.
    verbose : {0, 1}, default=1
        Progress on stderr.
    backbone : keras.Model, optional
        A pretrained network that reads ``(length, 4)`` probabilities of A, C, G and T, or any length (None). It stays as it is and is
        frozen: a copy makes features of each sequence (averages over positions, the ``extra`` numbers beside them), on which small
        heads are searched; fathers are then "mlp", "deep_mlp" or graphs of the features. Sequences are read in their own direction.
        ``fine_tune`` trains the whole afterwards.
    class_weight, threshold, ordered : as in ``GenomeClassifier``, optional

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %; NaN below five groups), ``linear_baseline``, ``chance``, ``uncorrected``, and ``also``: the same
        for other metrics.
    model_ : keras.Model
        What is delivered: probabilities of A, C, G, T ``(length, 4)`` in, class probabilities out.
    path_ : pathlib.Path
        The run folder.
    n_trials_ : int
    growth_ : Growth
        How many trials were grown by morphism, and their share of the ensemble; ``growth_.sentence()`` says it.
    stop_reason_ : str
        "time", "trials", "space" (nothing left to try), "searcher" (it failed), "memory" (it ran out), "callback" (one asked for it), "interrupted" or
        "killed".
    notes_ : tuple of str
        What was detected, left out or decided about the data.

    Notes
    -----
    ``x`` is FASTA (also .gz), a table with a column ``sequence``, ``SequenceData``, strings, or an array of shape
    (n_sequences, length, 4); see ``gk.load_sequences``. ``y`` is labels, a column of the table or a key of FASTA headers, or a
    file of labels by name.

    References
    ----------
    Alipanahi et al. (2015), Predicting the sequence specificities of DNA- and RNA-binding proteins by deep learning,
    Nature Biotechnology 33: 831-838. Li et al. (2020), A system for massively parallel hyperparameter tuning, MLSys.

    Examples
    --------
    >>> from genokeras import SequenceClassifier
    >>> clf = SequenceClassifier(path="runs/promoters", random_state=0)
    >>> clf.fit("promoters.fasta.gz", "label", time_limit=600)  # doctest: +SKIP
    >>> clf.predict_proba(["ACGT" * 20])  # doctest: +SKIP
    """


class SequenceRegressor(RegressorFace, SequenceEstimator):
    """Grows convolutional networks that answer numbers for DNA or RNA, and says honestly how good they are.

    Everything is as in ``SequenceClassifier``, with a ridge regression in the place of the logistic one: linear models first, then
    networks that scan for motifs; strands are treated as there.

    Parameters
    ----------
    objective : str, optional
        "r2" (the default), "mse", "rmse", "mae", "pearson" or "spearman".
    folds : int, optional
        Cross-validation folds, at random; grouped ones where ``fit`` gets groups. By default as in
        ``SequenceClassifier``.
    path, time_limit, searcher, max_trials, searcher_args, executor, executor_args, random_state, resume, verbose, memory_limit, keep, callbacks, metrics, backbone
        As in ``SequenceClassifier``; a backbone stays frozen.

    Attributes
    ----------
    targets_ : tuple of str
        What the numbers are called.
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %; NaN below five groups), ``linear_baseline``, ``chance`` (the mean as the answer to everything),
        ``uncorrected``, and ``also``: the same for other metrics.
    model_ : keras.Model
        What is delivered: probabilities of A, C, G, T ``(length, 4)`` in, numbers in the units of the targets out.
    path_, n_trials_, growth_, stop_reason_, notes_
        As in ``SequenceClassifier``.

    Notes
    -----
    ``x`` is FASTA (also .gz), a table with a column ``sequence``, ``SequenceData``, strings, or an array of shape
    (n_sequences, length, 4); see ``gk.load_sequences``. ``y`` is labels, a column of the table or a key of FASTA headers, or a
    file of labels by name.

    Examples
    --------
    >>> from genokeras import SequenceRegressor
    >>> reg = SequenceRegressor(path="runs/expression", random_state=0)
    >>> reg.fit("promoters.csv", "expression", time_limit=600)  # doctest: +SKIP
    >>> reg.predict(["ACGT" * 20])  # doctest: +SKIP
    """
