"""How the old runs were made: constructor options, fit arguments, networks."""

from __future__ import annotations

import keras
import pandas as pd

import genokeras as gk
from genokeras.graph import feature_mlp, mlp, motif_cnn, small_cnn, text_cnn
from genokeras.searchers import HyperSpace
from tests.old_runs import samples as data

QUICK = {"trainer_args": {"max_iter_num": 6}}
COMMON = {"time_limit": None, "random_state": 0, "verbose": 0}


def tiny_backbone():
    """Pixels (8, 8, 1) to 4 features at 4 x 4 places."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="pixels"),
            keras.layers.Rescaling(1 / 255, name="scaled"),
            keras.layers.Conv2D(3, 3, activation="relu", name="first"),
            keras.layers.Conv2D(4, 3, activation="relu", name="second"),
        ],
        name="tiny_backbone",
    )
    model.set_weights(data.backbone_weights())
    return model


def _small_space(views):
    return HyperSpace(
        learning_rate=(0.01, 0.03), weight_decay=(0.1,), dropout=(0.0, 0.2), activation=("relu",), views=views
    )


def genome_args():
    return {
        "fathers": ["linear", mlp(2, (4,))],
        "space": _small_space(("all", "log")),
        "inherit": True,
        "fresh": 0.0,
        "explore": 0.0,
        "variants": 2,
        "trainer_args": {"max_iter_num": 30},
    }


def genome_missing_args():
    # Fathers by name: the old code refused graphs of other than two outputs here (ParameterError in FitSettings).
    return genome_args() | {"fathers": ["linear", "mlp"]}


def named(found):
    """A table with gene names."""
    return pd.DataFrame(found["x"], columns=list(found["names"]))


def estimator_kinds():
    """name -> (class name, data function, constructor options beside path, names of further arguments of ``fit``).

    Arguments of ``fit`` come from the data by their names. ``searcher_args`` are made anew each time.
    """
    shape = (8, 8, 1)
    picture = small_cnn(shape, 3, filters=(4, 4), units=4)
    level = small_cnn(shape, 2, filters=(4, 4), units=4)
    motif = motif_cnn((24, 4), 2, filters=4, kernel_size=7, units=4, both_strands=False)
    motif_number = motif_cnn((26, 5), 1, filters=4, kernel_size=7, units=0, both_strands=True)
    text = text_cnn((8,), 2, vocabulary=40, units=4, filters=4, kernel_sizes=(2, 3))
    text_number = text_cnn((8,), 1, vocabulary=40, units=4, filters=4, kernel_sizes=(2,))
    genome = {"searcher_args": genome_args(), "max_trials": 6}
    enas = {"child_num_layers": 2, "max_search_channel": 10, "top_k_candidates": 2}
    weighted = ("groups", "sample_weight")
    return {
        "genome_classifier": ("GenomeClassifier", "genes", genome | {"folds": 3}, weighted),
        "genome_checksums": ("GenomeClassifier", "genes", genome | {"max_trials": 3, "folds": 2}, weighted),
        "genome_missing": (
            "GenomeClassifier",
            "genes_missing",
            {
                "searcher_args": genome_missing_args(),
                "max_trials": 6,
                "missing": "median",
                "folds": 3,
                "objective": "balanced_accuracy",
            },
            (),
        ),
        "genome_enas": (
            "GenomeClassifier",
            "genes",
            {
                "searcher": "enas",
                "searcher_args": enas | {"trainer_args": {"max_iter_num": 20}},
                "max_trials": 13,
                "folds": 2,
            },
            (),
        ),
        "genome_final_fit": ("GenomeClassifier", "genes", genome, ()),
        "sequence_classifier": ("SequenceClassifier", "sequences", _spatial([motif], 7, folds=2), ()),
        "sequence_regressor": (
            "SequenceRegressor",
            "sequence_numbers",
            _spatial([motif_number], 5, folds=2),
            ("extra",),
        ),
        "image_classifier": ("ImageClassifier", "images", _spatial([picture], 9, folds=3), ()),
        "image_regressor": ("ImageRegressor", "image_numbers", _spatial([level], 6, folds=2), ()),
        "text_classifier": ("TextClassifier", "texts", _spatial([text], 6, folds=2), ()),
        "text_regressor": ("TextRegressor", "text_numbers", _spatial([text_number], 5, folds=2), ()),
        "image_backbone": (
            "ImageClassifier",
            "images",
            _spatial([feature_mlp((4,), 3, widths=(4,))], 6, folds=2) | {"backbone": tiny_backbone()},
            (),
        ),
    }


def _spatial(fathers, max_trials, folds):
    return {"searcher_args": {**QUICK, "fathers": fathers}, "max_trials": max_trials, "folds": folds}


def samples(kind, found):
    """What ``fit`` and ``predict`` take as x."""
    if "names" in found:
        return named(found)
    return [str(text) for text in found["x"]] if found["x"].dtype.kind == "U" else found["x"]


def module_kinds():
    """name -> (class name, loss, metric, data function, n_output_node, searcher_args)."""
    picture = small_cnn((8, 8, 1), 3, filters=(4,), units=4)
    small = {"default_model_len": 1, "default_model_width": 4, "max_trials": 4, **QUICK}
    return {
        "mlp_module": ("MlpModule", gk.classification_loss, gk.Accuracy, "rows", 3, small),
        "cnn_module": (
            "CnnModule",
            gk.classification_loss,
            gk.Accuracy,
            "module_images",
            3,
            {"max_trials": 4, "fathers": [picture], **QUICK},
        ),
        "mlp_regression": ("MlpModule", gk.regression_loss, gk.MSE, "module_numbers", 2, small),
    }


# ---- LightModel, gk.search and gk.run


def light_model():
    keras.utils.set_random_seed(5)
    net = keras.Sequential(
        [
            keras.Input((2,), name="points"),
            keras.layers.Dense(6, "relu", name="hidden"),
            keras.layers.Dense(1, "sigmoid", name="answer"),
        ],
        name="light_net",
    )
    model = gk.LightModel(net)
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"], schedule="plateau"
    )
    return model


LIGHT_OPTIONS = {"ckpt_path": "best.keras", "plot": False, "verbose": 0, "batch_size": 16}
LIGHT_EPOCHS, LIGHT_MORE_EPOCHS = 3, 5


def input_fn(run_mode, batch_size):
    found = data.rows(new=run_mode != "train")
    return found["x"], found["y"]


def model_fn(inputs_spec):
    hidden = keras.layers.Dense(5, "relu", name="hidden")(inputs_spec)
    return keras.Model(inputs_spec, keras.layers.Dense(3, name="answer")(hidden), name="any_net")


def optimizer_fn(param_spec):
    return keras.optimizers.SGD(param_spec.learning_rate, momentum=param_spec.momentum)


FUNCTIONS = (input_fn, model_fn, optimizer_fn)
ANY_SPEC = gk.ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
ANY_LISTS = gk.ParamSpec(weight_decay=[1e-2, 1e-4], momentum=[0.95, 0.5])
ANY_STEPS, ANY_MORE_STEPS = 20, 30
