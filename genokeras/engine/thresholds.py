"""The threshold of a classifier for what was asked, chosen on out-of-fold answers of its run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.engine.honest import HonestAnswers, honest_answers
from genokeras.engine.run import Run
from genokeras.searchers.estimate import few_groups, row_counts
from genokeras.tasks.threshold import RESAMPLES, Threshold, check_enough, choose, read_aim


def chosen_threshold(run: Run, asked: Any, known: HonestAnswers | None = None) -> Threshold:
    """The threshold for what was asked; see ``genokeras.tasks.threshold``.

    Parameters
    ----------
    run : Run
        With its samples.
    asked : mapping
        Such as ``{"class": "tumor", "sensitivity": 0.95}``.
    known : HonestAnswers, optional
        Those of the run, where they are at hand.

    Raises
    ------
    ParameterError
        If something else is asked for, or what the run delivers was trained on since the search.
    DataError
        If there are too few samples for that share.
    """
    names = [str(name) for name in run.names]
    aim, found = read_aim(asked, names), known or honest_answers(run)
    weight = found.weights(by_class=True)
    check_enough(aim, found.targets, names, weight)
    rng = np.random.default_rng([int(run.folder.settings["seed"]), 7])
    resamples = row_counts(found.targets, found.groups, RESAMPLES, rng)
    chosen = choose(aim, found.answers[:, aim.positive], found.targets, weight, resamples)
    if not few_groups(found.groups, weight):
        return chosen
    rates = {name: (value, math.nan, math.nan) for name, (value, *_) in chosen.rates.items()}
    return replace(chosen, rates=rates)
