"""DNA and RNA sequences, and the classifier for them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np

from genokeras.data import SequenceData, load_sequences
from genokeras.encoders import (
    TENSOR,
    WINDOW,
    BackboneEncoder,
    SequenceEncoder,
    fit_sequence_encoder,
    places_loose,
    strands_alike,
)
from genokeras.engine import SpatialRun, TrialStore
from genokeras.engine.spatial_start import Aim, Fathers
from genokeras.errors import ParameterError
from genokeras.estimators.content import ContentKind
from genokeras.estimators.spatial_classifier import SpatialClassifier
from genokeras.explain import Motif, filter_motifs, write_meme
from genokeras.graph import dilated_cnn, motif_cnn, residual_cnn, small_cnn
from genokeras.searchers import HyperSpace
from genokeras.tasks.task import Task

SPACE = HyperSpace(
    learning_rate=(1e-3, 2e-3, 4e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.1, 0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Networks whose filters are shown where linear models alone are delivered.
_LOOKED_AT = 3
# Letters by which training may move a sequence whose places are not exact.
SHIFT = 3
WEIGHT_DECAYS = (2e-2, 1e-1, 4e-3, 4e-1)
# Squared errors curve more than log losses, so that the same penalty holds a ridge regression less.
RIDGE_WEIGHT_DECAYS = (3e-1, 3e-2, 3.0)


@final
class Sequences(ContentKind):
    """DNA and RNA."""

    name: ClassVar[str] = "sequence"

    def read(self, x: Any, y: Any, groups: Any, extra: Any, training: bool) -> SequenceData:
        return load_sequences(x, y, groups=groups, extra=extra)

    def fit_encoder(
        self, data: SequenceData, aim: Aim, rng: np.random.Generator
    ) -> tuple[SequenceEncoder, tuple[str, ...]]:
        alike = strands_alike(data, aim.codes, rng)
        placed = data.lengths.min() == data.lengths.max() <= WINDOW
        exact = bool(placed) and not places_loose(data, aim.codes, SHIFT, rng)
        encoder, notes = fit_sequence_encoder(data, alike, 0 if exact else SHIFT)
        strands = (
            "The reverse complements say the same: networks train on both strands and answer with their mean."
            if alike
            else "The reverse complements say less: sequences are read in their own direction."
        )
        places = (
            "Exact places matter: training does not move sequences."
            if exact
            else f"Places need not be exact: training moves sequences by up to {SHIFT} letters."
        )
        said = (strands, places)
        return encoder, (*notes, *said)

    def plain_encoder(self, data: SequenceData) -> tuple[SequenceEncoder, tuple[str, ...]]:
        # A backbone reads sequences whole.
        return fit_sequence_encoder(data, strands=False, window=int(data.lengths.max()))

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
        return Fathers(known, tuple(known), SPACE, decays)


class SequenceClassifier(SpatialClassifier):
    """Grows convolutional networks for DNA or RNA, and says honestly how good they are.

    Linear models of words of 4 to 7 letters come first, and of words by place where all sequences are equally long. Networks
    that scan for motifs begin with short training; the better ones go on, and grow by network morphism. Whether the other
    strand says the same is found out from the data: where it does, networks train on both strands and answer with the mean.

    Parameters
    ----------
    path : path-like, optional
        The run folder, new or empty; a temporary one by default.
    time_limit : float or None, default=60
        Seconds for the whole of ``fit``; None needs ``max_trials``.
    objective : str, default="log_loss"
        "log_loss", "brier", "accuracy", "balanced_accuracy", "roc_auc", "f1" or "mcc".
    folds : int, optional
        Stratified cross-validation folds; grouped ones where ``fit`` gets groups. By default 3 below 2,000 sequences or a
        million letters of all together, 5 below 400,000 letters, and one hold-out of a fifth of them above.
    searcher : {"bayesian", "random"} or Searcher, default="bayesian"
    max_trials : int, optional
        Trials at most. With it and ``time_limit=None`` training is counted in epochs, and the same seed gives the same run.
    searcher_args : dict, optional
        ``trainer_args`` (``max_iter_num`` epochs of a trial at most, 200; ``max_no_improvement_num`` scorings without
        improvement, 5; ``min_loss_dec``, 1e-4; ``batch_size``), ``search_type`` (a Searcher class or instance), ``fathers``
        (of "motif_cnn", "dilated_cnn", "small_cnn", "residual_cnn", or graphs) and whatever else the searcher takes.
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

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %), ``linear_baseline``, ``chance``, ``uncorrected``, and ``also``: the same
        for other metrics.
    model_ : keras.Model
        What is delivered: probabilities of A, C, G, T ``(length, 4)`` in, class probabilities out.
    path_ : pathlib.Path
        The run folder.
    n_trials_ : int
    stop_reason_ : str
        "time", "trials", "space" (nothing left to try), "interrupted" or "killed".
    notes_ : tuple of str
        What was detected, left out or decided about the data.

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

    content = Sequences()

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        extra: Any = None,
        validation_data: tuple[Any, ...] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x : path, SequenceData, DataFrame, sequence of str, or array-like of shape (n_sequences, length, 4)
            FASTA (also .gz), tables with a column ``sequence``, strings or one-hot arrays; see ``gk.load_sequences``.
        y : array-like of shape (n_sequences,), str or path, optional
            Labels, a column of the table or a key of FASTA headers, or a file of labels by name.
        time_limit : float, optional
            In place of the constructor's.
        groups : array-like of shape (n_sequences,) or str, optional
            Sequences of one group (``"chromosome"``, say) stay on one side of every split.
        sample_weight : array-like of shape (n_sequences,), optional
            How much each counts, in training and in scores.
        extra : sequence of str, DataFrame or array-like of shape (n_sequences, n_extra), optional
            Numbers beside each sequence.
        validation_data : (x, y) or (x, y, extra), optional
            Trials are scored on these sequences; no network trains on them.

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
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight, extra)

    def motifs(self) -> list[Motif]:
        """What the filters of the best networks look for, those with most information first.

        Of every network in the delivered ensemble, or of the three best where linear models alone are delivered, each filter
        of the first layer is the mean of the training sequences' windows that it answers to most (Alipanahi et al. 2015).
        """
        return motifs_of(self._fitted())

    def write_motifs(self, path: str | os.PathLike[str]) -> Path:
        """Write the motifs as a MEME file, which Tomtom, FIMO and their kin read.

        Raises
        ------
        RunFolderError
            If the file cannot be written.
        """
        return write_meme(self.motifs(), path)


def motifs_of(run: SpatialRun) -> list[Motif]:
    """The motifs of all networks that a run on sequences delivers, or of its best ones; those with most information first."""
    if isinstance(run.problem.encoder, BackboneEncoder):
        raise ParameterError(
            "motifs are filters of networks that grew on letters; this run searched heads of a backbone. explain(x) tells "
            "which letters count."
        )
    store, found = TrialStore(run.folder), []
    networks = [trial for trial in run.history.ranked() if trial.proposal.hyper.view == TENSOR]
    delivered = [trial for trial in networks if trial.id in run.delivery.shares]
    for trial in delivered or networks[:_LOOKED_AT]:
        weights = store.father(trial).weights
        codes = run.problem.rows["codes"]
        found += filter_motifs(trial.proposal.graph, weights, codes, f"trial_{trial.id}")
    return sorted(found, key=lambda motif: -motif.information)
