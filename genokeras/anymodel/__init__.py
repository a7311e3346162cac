"""Search the parameters of any Keras model by short trainings, then train it in a folder, evaluate it, predict with it.

People write three functions: ``input_fn(run_mode, batch_size)`` gives data, ``model_fn(inputs_spec, run_mode, param_spec)`` a model,
``optimizer_fn(param_spec)`` an optimizer. What they read of the parameter spec is noted, so that a parameter that only
evaluation reads is searched without training anew.
"""

from __future__ import annotations

from genokeras.anymodel.model_spec import ModelSpec
from genokeras.anymodel.plots import plot_search
from genokeras.anymodel.run import run
from genokeras.anymodel.search import search
from genokeras.anymodel.training import Training

__all__ = ["ModelSpec", "Training", "plot_search", "run", "search"]
