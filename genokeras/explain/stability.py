"""Would the same genes have been found with other samples?

Two answers. How well the lists agree that the folds and networks of one run give (see `agreement`): that is no proof by itself, because folds
share most of their samples, and lists of noise agree, too. And which genes of the list are found again in samples that share none (see
`replication`): by these the list is judged. A co-expressed block is stable where now this gene of it is named and now that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.engine import Problem
from genokeras.engine.run import Run
from genokeras.explain.agreement import like_frequency, likeness_index, top_lists
from genokeras.explain.checks import as_rows, pick_rows, position_of
from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.links import link_of
from genokeras.explain.models import attribute_frame
from genokeras.explain.pairs import GenePairs, pairs_of_run, targets_for_tests
from genokeras.explain.replication import found_again
from genokeras.explain.runs import aligned, ensemble_trials, output_names, table_of, training_rows
from genokeras.explain.statistics import unit_columns
from genokeras.networks import TrainedTrial
from genokeras.support.checks import check_whole
from genokeras.support.wording import counted
from genokeras.tasks.survival import Survival

TOP = 20
_SAMPLES, _DRAWS = 40, 60
_TRIALS = 16
_LIKE = 0.8
_MOST_ROWS = 1000
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Stability:
    """How well the lists of the most important genes agree, and which genes are found again in other samples.

    Attributes
    ----------
    output_names : tuple of str
        The classes or targets.
    top : int
        Length of a list.
    n_lists : int
    frequency : numpy.ndarray
        ``(n_features, n_outputs)`` share of the lists that name a gene.
    like_frequency : numpy.ndarray
        ``(n_features, n_outputs)`` share of the lists that name it, or a gene that goes with it (correlation above 0.8).
    importance : numpy.ndarray
        ``(n_features, n_outputs)`` mean size of the values that the lists were made by.
    index : numpy.ndarray
        ``(n_outputs,)`` agreement of the lists, 1 for equal ones and 0 for random ones; genes that go together count as nearly the same.
    again : numpy.ndarray
        ``(n_features, n_outputs)`` how far a gene shows in either half of the samples what it shows in the other.
    limit : numpy.ndarray
        ``(n_outputs,)`` what no gene reaches with shuffled targets 19 times in 20; NaN where that is not known.
    pairs : GenePairs or None
        Genes that go with the targets together with another one; None where no pair stood out for the search.
    """

    output_names: tuple[str, ...]
    top: int
    n_lists: int
    frequency: np.ndarray
    like_frequency: np.ndarray
    importance: np.ndarray
    index: np.ndarray
    again: np.ndarray
    limit: np.ndarray
    pairs: GenePairs | None = None

    def number_of(self, output: object) -> int:
        """Position of a class or target.

        Raises
        ------
        ParameterError
            If there is none of that name.
        """
        return position_of(output, self.output_names)

    def listed(self, output: object) -> np.ndarray:
        """``(top,)`` numbers of the most important genes, over all lists."""
        return np.argsort(-self.importance[:, self.number_of(output)], kind="stable")[: self.top]

    def is_found_again(self, output: object, genes: np.ndarray | None = None) -> np.ndarray:
        """Whether genes go with a class or target in both halves of the samples, or in pairs, beyond what shuffled targets reach.

        Parameters
        ----------
        output : object
        genes : numpy.ndarray of int, optional
            Their numbers; those of `listed` by default.

        Returns
        -------
        numpy.ndarray
            Of bool; False throughout where the limit is not known.
        """
        number = self.number_of(output)
        chosen = self.listed(output) if genes is None else genes
        alone = np.asarray(self.again[chosen, number] > self.limit[number])
        if self.pairs is None or np.isnan(self.limit[number]):
            return alone
        return alone | self.pairs.in_pairs[chosen]

    def is_noise(self, output: object, genes: np.ndarray | None = None) -> bool:
        """Whether no gene of the list of a class or target is found again, though that is known."""
        known = not np.isnan(self.limit[self.number_of(output)])
        return bool(known and not self.is_found_again(output, genes).any())

    def verdict(self, output: object, genes: np.ndarray | None = None) -> str:
        """What is to be thought of a list: "Stable", "Partly stable", "More than noise, but not stable", or that it cannot be told from noise.

        Parameters
        ----------
        output : object
            A class or target.
        genes : numpy.ndarray of int, optional
            Numbers of the genes that are shown; those of `listed` by default.
        """
        number = self.number_of(output)
        chosen = self.listed(output) if genes is None else genes
        index, n = self.index[number], len(chosen)
        agree = (
            f"The {self.n_lists} lists of the top {self.top} agree with a stability index of {_shown(index)}"
        )
        if np.isnan(self.limit[number]):
            return f"It is not known whether this list is more than noise. {agree}."
        found = self.is_found_again(output, chosen)
        beyond = (
            f"in both halves of the samples{self._or_in_pairs} reaches with shuffled labels 19 times in 20"
        )
        if not found.any():
            return (
                f"This list cannot be told from noise: none of its {counted(n, 'gene')} is found again {beyond}. {agree}, as lists of "
                "noise may, because folds share samples."
            )
        sizes = self.importance[chosen, number] + 1e-300
        share = float(sizes[found].sum() / sizes.sum())
        named = float(self.like_frequency[chosen[found], number] @ sizes[found] / sizes[found].sum())
        rest = "" if found.all() else f"; the other {n - found.sum()} may be chance"
        listed = f"They, or genes that go with them, stand on {named:.0%} of the {self.n_lists} lists of other folds and networks"
        if named < _HALF:
            word = "More than noise, but not stable"
            listed += ": several genes tell the same, and which of them are named is chance"
        else:
            word = "Stable" if share >= _HALF else "Partly stable"
        return (
            f"{word}: {found.sum()} of these {counted(n, 'gene')}, with {share:.0%} of their weight, are found again {beyond}{rest}. "
            f"{listed}. {agree} (1 where all name the same genes, or their like; 0 by chance)."
        )

    @property
    def _or_in_pairs(self) -> str:
        if self.pairs is None:
            return ", beyond what any gene"
        return ", or go with the labels together with another gene, beyond what any gene or pair of genes"


def _shown(index: float) -> str:
    return "an unknown value" if np.isnan(index) else f"{index:.2f}"


def stability_of(
    run: Run,
    x: Any,
    background: Any = None,
    *,
    top: int = TOP,
    num_samples: int = _SAMPLES,
    seed: int = 0,
) -> Stability:
    """Rank genes once for each fold and for each half of the ensemble's trials, and compare the rankings.

    Parameters
    ----------
    run : Run
    x, background
        See `explain_run`.
    top : int, default=20
        Length of a list, as long as the one that is shown; at most half of the features.
    num_samples : int, default=40
        Samples that each ranking is made of.
    seed : int

    Raises
    ------
    ParameterError
        If a number is below 1, or the run has a single fold and a single trial: there is nothing to compare.
    """
    check_whole(top, "top")
    check_whole(num_samples, "num_samples")
    dataset = aligned(run, x)
    rows = as_rows(
        dataset.select(pick_rows(dataset.n_samples, num_samples, seed)).x,
        "x",
        dataset.n_features,
        table_of(run.problem).medians,
    )
    reference = training_rows(run.problem, seed) if background is None else aligned(run, background).x
    reference = as_rows(reference, "background", dataset.n_features, table_of(run.problem).medians)
    top = max(1, min(top, dataset.n_features // 2))
    delivery, importances = run.delivery, []
    link = link_of(run.problem.task, delivery.calibration, pooling=delivery.pooling)
    for trials in _fold_members(ensemble_trials(run)):
        frame = RowSpaceFrame(trials, link)
        found = attribute_frame(frame, rows, reference, "expected_gradients", _DRAWS, seed)
        importances.append(np.abs(found.values).mean(axis=0))
    stacked = np.stack(importances)
    lists = [top_lists(stacked[:, :, c], top) for c in range(stacked.shape[2])]
    unit = unit_columns(reference.astype("float64")).astype("float32")
    again, limit = _found_again(run.problem, stacked.shape[2], seed)
    return Stability(
        output_names=output_names(run),
        top=top,
        n_lists=len(stacked),
        frequency=np.stack([chosen.mean(axis=0) for chosen in lists], axis=1),
        like_frequency=np.stack([like_frequency(chosen, unit, _LIKE) for chosen in lists], axis=1),
        importance=stacked.mean(axis=0, dtype="float64"),
        index=np.array([likeness_index(chosen, unit) for chosen in lists]),
        again=again,
        limit=limit,
        pairs=_pairs(run, seed),
    )


def _fold_members(trials: Sequence[TrainedTrial]) -> Iterator[list[TrainedTrial]]:
    """What one fold contributes to the ensemble, from either half of its 16 trials with the largest shares."""
    ordered = sorted(trials, key=lambda trial: -trial.share)[:_TRIALS]
    halves = [half for half in (ordered[::2], ordered[1::2]) if half]
    n_folds = trials[0].n_members
    for fold in range(n_folds):
        for half in halves:
            yield [_member(trial, fold) for trial in half]


def _member(trial: TrainedTrial, fold: int) -> TrainedTrial:
    weights = {
        layer: {name: array[fold : fold + 1] for name, array in named.items()}
        for layer, named in trial.weights.items()
    }
    spaces = {i: (trial.of_members(i)[fold],) for i in trial.spaces}
    return replace(trial, weights=weights, spaces=spaces)


def _found_again(problem: Problem, n_outputs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What `found_again` says of the training samples; nothing of a run that has no view of all features."""
    encoder = table_of(problem)
    if "all" not in encoder.spaces:
        return np.zeros((encoder.n_features, n_outputs)), np.full(n_outputs, np.nan)
    used = np.flatnonzero(problem.train.any(axis=0))
    used = used[pick_rows(len(used), _MOST_ROWS, seed)]
    targets = targets_for_tests(problem, used)
    if isinstance(problem.task, Survival):
        targets = np.repeat(targets, n_outputs, axis=1)
    groups = None if problem.groups is None else problem.groups[used]
    rows = training_rows(problem, seed, _MOST_ROWS)
    return found_again(rows, targets, groups, np.random.default_rng([seed, 3]), encoder.blocks)


def _pairs(run: Run, seed: int) -> GenePairs | None:
    """Pairs of genes, where one stood out for the search; of samples in groups, which shufflings know nothing of, none."""
    encoder = table_of(run.problem)
    if run.problem.groups is not None or "all" not in encoder.spaces or not encoder.looks_at_pairs:
        return None
    return pairs_of_run(run, seed=seed)
