"""Strategies that decide which networks to try, and what is made of the trials that came back.

The only way in is `Searcher.ask(history, n, rng)`: a searcher sees finished trials by value, returns
proposals, and knows neither Keras nor files nor who trains. Around it: the space of hyper-parameters,
objectives, the weights of an ensemble, and the estimate that is corrected for having chosen the best of many.
"""

from __future__ import annotations

from genokeras.searchers.answers import Answers
from genokeras.searchers.bayesian import BayesianSearcher
from genokeras.searchers.calibration import Calibration, fit_calibration
from genokeras.searchers.class_scores import log_loss_rows
from genokeras.searchers.ensemble import DISCOUNT, LARGEST_ENSEMBLE, combine, select_ensemble
from genokeras.searchers.estimate import Estimate, estimate_performance
from genokeras.searchers.halving import HalvingSearcher
from genokeras.searchers.random_search import RandomSearcher
from genokeras.searchers.scores import NUMBER_OBJECTIVES, OBJECTIVES, Objective, get_objective
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import History, Proposal, TrialResult

__all__ = [
    "DISCOUNT",
    "LARGEST_ENSEMBLE",
    "NUMBER_OBJECTIVES",
    "OBJECTIVES",
    "Answers",
    "BayesianSearcher",
    "Calibration",
    "Estimate",
    "HalvingSearcher",
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
    "log_loss_rows",
    "select_ensemble",
]
