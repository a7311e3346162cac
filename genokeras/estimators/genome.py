"""The classifier and the regressor for expression matrices: few samples, many genes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from genokeras.estimators.annotate import Annotator
from genokeras.estimators.elsewhere import RegressorElsewhere
from genokeras.estimators.genes import TableEstimator
from genokeras.searchers import Searcher


class GenomeClassifier(Annotator):
    """Grows Keras networks for a matrix of samples x genes, and says honestly how good they are.

    Architectures grow from a linear model by network morphism, guided by Bayesian optimisation. Every trial trains one
    network for every fold, all packed into one; what is delivered is the ensemble of trials that predicts best out of
    fold, with an estimate that is corrected for having chosen the best of many.

    Parameters
    ----------
    path : path-like, optional
        The run folder, new or empty; ``"runs/{}"`` makes a new one with every fit (``runs/0001`` on), as cross-validation needs it. By
        default a temporary one, which is gone when Python ends; ``save`` and pickling keep it.
    time_limit : float or None, default=60
        Seconds for the whole of ``fit``; None needs ``max_trials``.
    objective : str, optional
        "log_loss" (the default), "brier", "accuracy", "balanced_accuracy", "roc_auc", "f1" or "mcc"; a scorer of scikit-learn; or a function of
        yours, ``gk.make_objective(function, greater_is_better=True)``.
    folds : int, optional
        Stratified cross-validation folds; grouped ones where ``fit`` gets groups. By default 5, and above 20,000 samples
        one hold-out of a fifth of them, 10,000 at most.
    searcher : {"bayesian", "random", "enas"}, Searcher or keras_tuner.Oracle, default="bayesian"
        An oracle, an instance or a class, chooses a template and its hyper-parameters.
    max_trials : int, optional
        Trials at most, those of a resumed run included. With it and ``time_limit=None`` the same seed gives the same run.
    searcher_args : dict, optional
        ``trainer_args`` (``max_iter_num`` steps, 200; ``max_no_improvement_num`` scorings without improvement, 5;
        ``min_loss_dec``, 1e-4; ``batch_size``, 512 where there are more than 1,024 samples, else all), ``search_type`` (a Searcher
        class or instance), ``fathers`` and whatever else the searcher takes.
    executor : {"local", "pool", "ray", "shared"} or type, default="local"
        Where trials are trained: in this process; in worker processes of this machine, for which scripts need no
        ``if __name__ == "__main__"``; on a Ray cluster (``pip install "genokeras[ray]"``); in all processes that fit with the same
        ``path``; or by a subclass of ``genokeras.Executor``.
    executor_args : dict, optional
        Of ``"pool"``: ``workers`` (as many as there are cores for their threads), ``threads`` of each (an even share), ``memory``
        (GiB that a worker may hold) and ``timeout`` (seconds that a job may take). A worker that dies, hangs or grows past this is
        replaced, and its job trained once more. Of ``"ray"``: ``address`` (``"auto"`` on a machine of a cluster; this machine alone
        without it), ``workers`` (as many as there is room for), ``num_cpus`` (1) and ``num_gpus`` (0) of each, also shares, and
        ``timeout``. Of ``"shared"``: ``threads`` of each process. Of all: ``ahead``, jobs without results that the searcher may be asked beside; by
        default, with a time limit, as many as there are slots, and else 0 (of sequences, images and texts ``2 * workers - 2``): the
        trials are then those of any other executor of so many slots, and with 0 those of ``"local"``.
    missing : {"error", "median"}, default="error"
        What to do about missing values; the medians of the training rows become part of the exported model. Samples without any value
        are refused, in ``fit`` and afterwards; a warning names new ones with far more gaps than any in training.
    drop_columns : str or sequence of str, optional
        Columns of tables that are no genes, such as an age: they are left out here and wherever samples are read.
    random_state : int, optional
        Seed; drawn, and written down in ``run.json``, where it is None.
    resume : bool, default=False
        Go on with the run that ``path`` holds.
    verbose : {0, 1}, default=1
        Progress on stderr.
    task : optional
        "classes", "ordered", "labels", or a custom task whose answers are probabilities: a subclass of ``genokeras.tasks.task.Task``.
    class_weight : "balanced" or dict, optional
        How much the samples of each class count beside the others, in training and in scores, on top of ``sample_weight``; "balanced"
        gives each class the same total.
    threshold : dict, optional
        ``{"class": "tumor", "sensitivity": 0.95}``, or ``"specificity"``: ``predict`` calls so large a share of that class right (of the other
        one), by out-of-fold predictions. ``threshold_`` has the probability, and both rates to expect. Probabilities stay as they are.
    ordered : sequence, optional
        All classes, the lowest first, such as the grades ``[1, 2, 3]``: mistakes then count by how far off they are. An ordered Categorical
        of pandas as ``y`` has the same effect.

    memory_limit : int or str, optional
        Bytes that a fit may take beside the samples, as in ``"4 GB"``; by default what the machine or its cgroup has left. Fewer views and
        directions are prepared where they would not fit, too large trials are refused, and fewer trials delivered.
    keep : {"all", "best"}, default="all"
        What the run folder keeps of the trials: ``"best"`` removes the weights of those without a share in what is delivered. The
        leaderboard stays; these trials cannot be loaded any more, and a run that is resumed has no children of theirs.
    callbacks : list, optional
        Who is told how a search goes: instances of ``genokeras.SearchCallback`` (``gk.TensorBoard("logs")``, ``gk.MLflow()``) and of
        ``keras.callbacks.Callback``, for which a trial is an epoch: networks train side by side in one compiled loop, which has no events of
        batches. ``EarlyStopping(monitor="best", patience=20)`` ends a search after twenty trials without a better one.
    metrics : list, optional
        Further scores, out of fold in the leaderboard and in ``evaluate``: names (of an objective, or of a metric of Keras), metrics of Keras,
        scorers of scikit-learn, functions ``(y_true, y_prob)``.
    missing_blocks : {"drop", "mask"}, default="drop"
        Where ``fit`` gets several blocks: samples that lack one are left out, or have the block's training means there. With "mask" new
        samples may lack blocks as well (a warning names them where others have the block), and single missing values are filled with means,
        too. A sample lacks a block, too, where all its values of that block are missing.
    layer : str, optional
        Which matrix of an AnnData, h5ad or loom file is read, here and wherever samples are read later: a layer, ``"raw"`` or ``"X"``. By default X.
    use_raw : bool, optional
        True is ``layer="raw"``, as in scanpy.

    Notes
    -----
    Samples may have any number of labels: ``y`` is then a table of 0 and 1 with a column for each, or a list of the labels of each sample; answers
    are ``(n_samples, n_labels)`` (``task="labels"`` says so where ``y`` names columns, or each sample has just one).

    ``fit`` and all else read arrays, DataFrames, scipy sparse matrices and AnnData of shape (n_samples, n_features), and files (csv,
    tsv, txt, parquet, npz, GCT, h5ad). Values are raw; they are standardised inside.
    Several assays of the same samples are given as a dict, ``fit({"rna": a, "meth": b, "clinical": c}, y)``, of any of these, or as
    MuData: blocks, joined by sample id, or by row where they have no ids. Each block is standardised, logged and rotated by itself;
    text in a block becomes categories. The delivered model has an input for each.


    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    feature_names_in_ : ndarray of shape (n_features_in_,)
    n_features_in_ : int
    blocks_ : tuple of Block
        Names and columns of the blocks, where ``fit`` got several.
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %; NaN where samples come in fewer than five groups or studies), ``linear_baseline``,
        ``chance``, ``uncorrected``, and ``also``: the same
        for other metrics.
    model_ : keras.Model
        What is delivered: raw genes in, class probabilities out.
    path_ : pathlib.Path
        The run folder.
    n_trials_ : int
    growth_ : Growth
        How many trials were grown by morphism, and their share of the ensemble; ``growth_.sentence()`` says it.
    stop_reason_ : str
        "time", "trials", "space" (nothing left to try), "searcher" (it failed), "memory" (it ran out), "callback" (one asked for it), "interrupted" or
        "killed".
    notes_ : tuple of str
        What was detected, left out or filled in the data.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD. Tsamardinos, Greasidou
    and Borboudakis (2018), Machine Learning 107: 1895-1922.

    Examples
    --------
    >>> from genokeras import GenomeClassifier
    >>> clf = GenomeClassifier(path="runs/leukemia", random_state=0)
    >>> clf.fit("examples/data/golub_leukemia.tsv.gz", "label", time_limit=60)  # doctest: +SKIP
    >>> clf.estimate_["value"], clf.leaderboard()  # doctest: +SKIP
    """

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
        missing: str = "error",
        drop_columns: str | Sequence[str] | None = None,
        random_state: int | None = None,
        resume: bool = False,
        verbose: int = 1,
        task: Any = None,
        class_weight: str | Mapping[Any, float] | None = None,
        threshold: Mapping[str, Any] | None = None,
        ordered: Sequence[Any] | None = None,
        missing_blocks: str = "drop",
        memory_limit: float | str | None = None,
        keep: str = "all",
        callbacks: Any = None,
        metrics: Any = None,
        layer: str | None = None,
        use_raw: bool | None = None,
    ) -> None:
        super().__init__(
            path,
            time_limit=time_limit,
            objective=objective,
            folds=folds,
            searcher=searcher,
            max_trials=max_trials,
            searcher_args=searcher_args,
            executor=executor,
            executor_args=executor_args,
            missing=missing,
            drop_columns=drop_columns,
            random_state=random_state,
            resume=resume,
            verbose=verbose,
            task=task,
            missing_blocks=missing_blocks,
            memory_limit=memory_limit,
            keep=keep,
            callbacks=callbacks,
            metrics=metrics,
            layer=layer,
            use_raw=use_raw,
        )
        self.class_weight = class_weight
        self.threshold = threshold
        self.ordered = ordered


class GenomeRegressor(RegressorElsewhere, TableEstimator):
    """Grows Keras networks that predict numbers from a matrix of samples x genes, and says honestly how good they are.

    Ridge regressions on every view of the genes come first, exactly solved; networks grow beside them. Features are screened by
    their correlation with the target inside each fold. Targets are standardised inside and given back in their units; what is
    delivered is the ensemble of trials that predicts best out of fold, with an estimate that is corrected for having chosen
    the best of many.

    Parameters
    ----------
    objective : str, optional
        "r2" (the default), "mse", "rmse", "mae", "pearson" or "spearman".
    folds : int, optional
        Cross-validation folds, at random; grouped ones where ``fit`` gets groups. By default as in ``GenomeClassifier``.
    task : optional
        "numbers" (the default), or a custom task: a subclass of ``genokeras.tasks.task.Task``, for counts say.
    path, time_limit, searcher, max_trials, searcher_args, executor, executor_args, missing, drop_columns, random_state, resume, verbose, memory_limit, keep, callbacks, metrics,
    missing_blocks, layer, use_raw
        As in ``GenomeClassifier``.

    Attributes
    ----------
    targets_ : tuple of str
        What the numbers are called.
    feature_names_in_ : ndarray of shape (n_features_in_,)
    n_features_in_ : int
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %; NaN below five groups or studies), ``linear_baseline`` (ridge regressions alone), ``chance`` (the mean as the answer
        to everything), ``uncorrected``, and ``also``: the same for other metrics.
    model_ : keras.Model
        What is delivered: raw genes in, numbers in the units of the targets out.
    path_, n_trials_, growth_, stop_reason_, notes_
        As in ``GenomeClassifier``.

    Notes
    -----
    ``y`` may be numbers ``(n_samples,)`` or ``(n_samples, n_targets)``, a column of the table, or a list of columns. Samples are
    read as by ``GenomeClassifier``.

    References
    ----------
    Tsamardinos, Greasidou and Borboudakis (2018), Machine Learning 107: 1895-1922.

    Examples
    --------
    >>> from genokeras import GenomeRegressor
    >>> reg = GenomeRegressor(path="runs/age", random_state=0)
    >>> reg.fit("brains.csv", "age", groups="donor", time_limit=60)  # doctest: +SKIP
    >>> reg.estimate_["value"], reg.predict("new_brains.csv")  # doctest: +SKIP
    """
