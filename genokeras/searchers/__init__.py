"""Strategies that decide which networks to try, and what is made of the trials that came back.

The only way in is `Searcher.ask(history, n, rng)`: a searcher sees finished trials by value, returns
proposals, and knows neither Keras nor files nor who trains. Around it: the space of hyper-parameters,
objectives, the weights of an ensemble, and the estimate that is corrected for having chosen the best of many.
"""

from genokeras.searchers.bayesian import BayesianSearcher
from genokeras.searchers.ensemble import (
    DISCOUNT,
    GEOMETRIC,
    LARGEST_ENSEMBLE,
    MEAN,
    combine,
    select_ensemble,
)
from genokeras.searchers.estimate import (
    FEWEST_GROUPS,
    FEWEST_RESAMPLES,
    Estimate,
    estimate_performance,
    few_groups,
    few_groups_note,
)
from genokeras.searchers.halving import HalvingSearcher
from genokeras.searchers.history import History
from genokeras.searchers.random_search import RandomSearcher
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import posterior_best, posterior_means
from genokeras.searchers.values import Proposal, TrialResult

__all__ = [
    "DISCOUNT",
    "FEWEST_GROUPS",
    "FEWEST_RESAMPLES",
    "GEOMETRIC",
    "LARGEST_ENSEMBLE",
    "MEAN",
    "BayesianSearcher",
    "Estimate",
    "HalvingSearcher",
    "History",
    "HyperSpace",
    "Proposal",
    "RandomSearcher",
    "Searcher",
    "TrialResult",
    "combine",
    "estimate_performance",
    "few_groups",
    "few_groups_note",
    "posterior_best",
    "posterior_means",
    "select_ensemble",
]
