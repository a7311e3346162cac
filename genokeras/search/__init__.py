"""Strategies that decide which networks to try, and what is made of the trials that came back.

The only way in is `Searcher.ask(history, n, rng)`: a searcher sees finished trials by value, returns
proposals, and knows neither Keras nor files nor who trains. Around it: the space of hyper-parameters,
objectives, the weights of an ensemble, and the estimate that is corrected for having chosen the best of many.
"""

from __future__ import annotations

from genokeras.search.bayesian import BayesianSearcher
from genokeras.search.calibration import Calibration, fit_calibration
from genokeras.search.ensemble import combine, select_ensemble
from genokeras.search.estimate import Estimate, estimate_performance
from genokeras.search.random_search import RandomSearcher
from genokeras.search.scores import OBJECTIVES, Objective, get_objective
from genokeras.search.searcher import Searcher
from genokeras.search.space import HyperSpace
from genokeras.search.values import History, Proposal, TrialResult

__all__ = [
    "OBJECTIVES",
    "BayesianSearcher",
    "Calibration",
    "Estimate",
    "History",
    "HyperSpace",
    "Objective",
    "Proposal",
    "RandomSearcher",
    "Searcher",
    "TrialResult",
    "combine",
    "estimate_performance",
    "fit_calibration",
    "get_objective",
    "select_ensemble",
]
