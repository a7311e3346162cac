"""``search``: the learning rate, weight decay, momentum and anything else of any Keras model."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from genokeras.errors import ParameterError
from genokeras.keras_models.model_builder import RATE
from genokeras.keras_models.search_options import SearchOptions
from genokeras.keras_models.search_stages import SearchStages
from genokeras.keras_models.short_trainings import ShortTrainings
from genokeras.keras_models.user_functions import UserFunctions, checked_spec
from genokeras.support.retracing import without_retracing_advice
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning import ParamSpec, lists_to_search

_logger = logging.getLogger(__name__)

# For optimizer functions that read a learning rate where none is given; it is searched.
_PLACEHOLDER_RATE = 1e-3


@without_retracing_advice()
def search(
    input_fn: Callable[..., Any],
    model_fn: Callable[..., Any],
    optimizer_fn: Callable[..., Any],
    batch_size: int = 50,
    auto_batch: bool = False,
    total_steps: int = 100,
    evaluation_total_steps: int = 10,
    model_size: str | None = None,
    by_acc: bool = True,
    checkpoint_path: str | os.PathLike[str] | None = None,
    select_by_eval: bool = False,
    weight_decay_diff_thres: float = 0.05,
    max_thres: int = 10,
    window: int = 50,
    warmup_steps: int = 0,
    warmup_lr: float = 0.01,
    evaluate_every_n_steps: int = 1,
    log_every_n_steps: int = 10,
    init_learning_rate: float | None = None,
    end_learning_rate: float | None = None,
    acc_name: str = "accuracy",
    loss_name: str = "loss",
    search_learning_rate: bool = True,
    param_spec: ParamSpec | None = None,
    param_list_spec: ParamSpec | None = None,
    seed: int = 0,
    log: Callable[[str], None] = _logger.info,
) -> ParamSpec:
    """Choose the parameters of a training by short trainings.

    1. Per weight decay, from the largest, a range test: the learning rate grows exponentially, and the highest one before
       `max_thres` drops of the smoothed curve is taken (Smith 2017, section 3.3). Kept is the largest weight decay whose curve
       is within `weight_decay_diff_thres` of the highest point of the best curve.
    2. Short trainings at that rate, at a third of it, a ninth and so on: the lowest is taken that scores as well as the best.
    3. Momentum, then every other parameter in the order of the lists: a short training for each value, at that rate, or at
       a third of it and so on where it does not train; the best evaluation wins. Where a momentum m of the list needs more
       steps to its full speed, 3 / (1 - m), those trainings are up to three times as long. Behind another momentum, step 2
       again.
    4. Trainings of three times the steps: while a third of the rate scores better in them, or the rate does not last for
       them, it becomes a third.
    5. Parameters that only evaluation reads, such as thresholds: one training, evaluated with each value.

    A short training is evaluated after half, three quarters and all of its steps, and the mean counts. Accuracies that differ
    by at most two standard errors, and at most 0.02, count as equal. Of equal rates the lowest wins, whose weights settle
    best when training continues; where no rate betters the weights of a checkpoint, the highest that keeps what they score. Of
    other equal values the one with the lowest loss.

    Parameters
    ----------
    input_fn : callable
        ``(run_mode, batch_size)`` -> data: ``(x, y)`` or ``(x, y, sample_weight)`` of arrays, a ``tf.data.Dataset``, a
        ``PyDataset``, a PyTorch ``DataLoader`` or a generator; for the modes "train" and "evaluate".
    model_fn : callable
        ``(inputs_spec, run_mode, param_spec)`` -> ``keras.Model`` or :class:`ModelSpec`. `inputs_spec` has the structure of x,
        and holds what ``keras.Input`` returns.
    optimizer_fn : callable
        ``(param_spec)`` -> Keras optimizer. These functions are called by keyword with what their signatures accept.
    batch_size : int
        Rows per batch.
    auto_batch : bool
        The data are single examples, which are stacked to batches.
    total_steps : int
        Steps of a range test and of a short training.
    evaluation_total_steps : int
        Batches of an evaluation, at most; they are kept in memory.
    model_size : {"small", "large"}, optional
        By default a model of a million trainable parameters or more is large. The range tests go from 1e-4 to
        3 (small) or 1e-5 to 1 (large) with SGD and the like; 1e-5 to 0.3 or 1e-6 to 0.03 with Adam and the like.
    by_acc : bool
        Judge by `acc_name`, higher being better; otherwise by `loss_name`, by the share by which it fell from its first value.
    checkpoint_path : path-like, optional
        Weights to start from: a ``.keras`` or ``.weights.h5`` file, or the ``log_dir`` of an earlier :func:`run`.
    select_by_eval : bool
        Range tests measure on evaluation batches, every `evaluate_every_n_steps`, in place of the next training batch.
    weight_decay_diff_thres : float
        In terms of what is measured: accuracy, or share of the first loss.
    max_thres, window : int
        See :func:`genokeras.tuning.suggest_rate`.
    warmup_steps : int
        Steps at `warmup_lr` before every range test and short training.
    warmup_lr : float
    evaluate_every_n_steps : int
        Steps between two values of a range test's curve.
    log_every_n_steps : int
    init_learning_rate, end_learning_rate : float, optional
        First and last rate of the range tests, in place of those by `model_size`.
    acc_name, loss_name : str
    search_learning_rate : bool
        False, and where `param_list_spec` lists learning rates: no range tests; every parameter is settled by short
        trainings at the rate of the spec.
    param_spec : ParamSpec, optional
        Start values.
    param_list_spec : ParamSpec, optional
        Lists of values, by name. A name without start value is left out with a warning, and so is one that nothing reads. A
        name that is spelled almost like a start value is an error.
    seed : int
        Of the initial weights and the order of the rows. Every training starts from the same ones.
    log : callable
        Takes the lines that report progress.

    Returns
    -------
    ParamSpec
        All values, those chosen in place. Its ``report()`` gives the reasons, and
        :func:`genokeras.keras_models.plot_range_tests` draws the curves. A weight decay or learning rate that neither
        function reads is set on the optimizer, by :func:`run` too.

    Raises
    ------
    ParameterError
        If a function cannot be called, a list is empty or its name misspelt, the model has no trainable weights, or nothing measures what decides.
    DataError
        If there are fewer batches than needed, or they are not alike.
    SearchError
        If no value of a parameter could be scored.
    TrainingError
        If no range test had a finite loss.

    Examples
    --------
    >>> best = gk.search(input_fn, model_fn, optimizer_fn, param_spec=gk.ParamSpec(weight_decay=1e-4, momentum=0.9),
    ...                  param_list_spec=gk.ParamSpec(momentum=[0.99, 0.95, 0.9]))  # doctest: +SKIP
    >>> print(best.report())  # doctest: +SKIP
    """
    options = SearchOptions(
        batch_size=batch_size,
        auto_batch=auto_batch,
        total_steps=total_steps,
        evaluation_total_steps=evaluation_total_steps,
        model_size=model_size,
        by_acc=by_acc,
        checkpoint_path=checkpoint_path,
        select_by_eval=select_by_eval,
        weight_decay_diff_thres=weight_decay_diff_thres,
        max_thres=max_thres,
        window=window,
        warmup_steps=warmup_steps,
        warmup_lr=warmup_lr,
        evaluate_every_n_steps=evaluate_every_n_steps,
        log_every_n_steps=log_every_n_steps,
        init_learning_rate=init_learning_rate,
        end_learning_rate=end_learning_rate,
        acc_name=acc_name,
        loss_name=loss_name,
        search_learning_rate=search_learning_rate,
        seed=seed,
    )
    start = checked_spec("param_spec", param_spec)
    given = checked_spec("param_list_spec", param_list_spec)
    _check_names(given, start)
    lists = lists_to_search(start, given)
    if RATE in lists:
        options = replace(options, search_learning_rate=False)
    elif options.search_learning_rate and RATE not in start:
        start = start.replace(**{RATE: _PLACEHOLDER_RATE})
    trainings = ShortTrainings(UserFunctions(input_fn, model_fn, optimizer_fn), options, log)
    return SearchStages(trainings, options, lists, log).run(start)


def _check_names(lists: ParamSpec, start: ParamSpec) -> None:
    """Refuse names of lists that are start values misspelt."""
    known = list(start.to_dict())
    unknown = [name for name in lists.to_dict() if name not in start]
    misspelt = [f"{name!r}.{hint}" for name in unknown if (hint := did_you_mean(name, known, 1))]
    if misspelt:
        raise ParameterError(
            f"param_list_spec has a name without a start value in param_spec: {' '.join(misspelt)} "
            f"Start values are there for {listed(known)}."
        )
