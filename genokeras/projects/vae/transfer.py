"""Transfer: what an earlier run's encoder learnt without labels, put before a classifier (or a regression).

=========  ====================================================================  =================
symbol     meaning                                                               shape
=========  ====================================================================  =================
X_s        features as the encoder standardises them                             ``(n, p)``
W, b       kernel and bias of the encoder's first layer                          ``(p, h)``
Z, c V     ``Z = c X_s V``: the new training rows in their own row space         ``(n, r)``
B          what fine-tuning adds to that layer, ``W + c V B``                    ``(r, h)``
=========  ====================================================================  =================

A gradient step on W is a combination of training rows, so fine-tuning never leaves ``W + c V B``: it trains B on Z, from
zero, instead of W on tens of thousands of features.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError, DataFileError, ParameterError
from genokeras.features import Standardisation, fit_row_space
from genokeras.networks.vae import STEM
from genokeras.projects.vae.transfer_objectives import FineTuning, LatentData, Probe, one_hot
from genokeras.projects.vae.vae_data import checked_rows
from genokeras.support.keras_files import load_keras
from genokeras.support.wording import cause, counted, listed
from genokeras.training.descent import descend, rate_curve
from genokeras.training.descent_objective import DescentSettings
from genokeras.tuning.learning_rate_range import RangeTest, exponential_rates, suggest_rate

_logger = logging.getLogger(__name__)
ENCODER_FILE = "encoder.keras"
HEAD = "head"  # the layer of the logits, or of the numbers predicted
_ROWS_AT_ONCE = 512


def load_encoder(path: str | os.PathLike[str]) -> Any:
    """Load the encoder of an earlier run.

    Parameters
    ----------
    path : path
        A ``.keras`` file; or a folder that holds an ``encoder.keras``, itself or somewhere below (of several, the one
        written last is taken).

    Returns
    -------
    keras.Model
        Raw features ``(n, p)`` -> latent means ``(n, latent)``.

    Raises
    ------
    DataFileError
        If there is no such file or folder, no encoder in it, or the file is not a Keras model of that shape.
    """
    found = find_encoder(path)
    try:
        encoder = load_keras(found, DataFileError)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataFileError(
            f"{found} cannot be loaded as a Keras model: {cause(error)}. "
            f"Expected the {ENCODER_FILE} that a VAE project wrote."
        ) from error
    shapes = (getattr(encoder, "input_shape", None), getattr(encoder, "output_shape", None))
    if not all(isinstance(shape, tuple) and len(shape) == 2 for shape in shapes):
        raise DataFileError(
            f"{found} is no encoder: expected a model from (rows, features) to (rows, latent), got "
            f"{shapes[0]} to {shapes[1]}."
        )
    return encoder


@dataclass(frozen=True, eq=False)
class TransferData:
    """What a classifier is trained on; every candidate can be trained on the same.

    Attributes
    ----------
    encoder : keras.Model
    x_train, x_validation : numpy.ndarray
        ``(n, p)`` raw features.
    probe : Probe
        The classifier on the encoder's latent means of these rows.
    """

    encoder: Any
    x_train: np.ndarray
    x_validation: np.ndarray
    probe: Probe


def prepare_transfer(
    encoder: Any,
    x_train: np.ndarray,
    codes: np.ndarray,
    x_validation: np.ndarray,
    codes_validation: np.ndarray,
    n_classes: int,
) -> TransferData:
    """Encode the rows that a linear classifier is trained on.

    Parameters
    ----------
    encoder : keras.Model
        From `load_encoder`, or ``TrainedVae.encoder``; it stays as it is.
    x_train, x_validation : numpy.ndarray
        ``(n, p)`` raw features.
    codes, codes_validation : numpy.ndarray
        ``(n,)`` class numbers from 0, or ``(n, n_targets)`` numbers to predict where ``n_classes`` is 0.
    n_classes : int
        0 for regression.

    Raises
    ------
    DataError
        If the data have another number of features than the encoder, or codes do not fit.
    """
    x_train, x_validation = checked_rows("training", x_train, 2), checked_rows("validation", x_validation, 1)
    for which, x in (("training", x_train), ("validation", x_validation)):
        _check_width(encoder, which, x)
    data = LatentData(
        _latent_means(encoder, "training", x_train),
        _latent_means(encoder, "validation", x_validation),
        _targets("training", codes, len(x_train), n_classes),
        _targets("validation", codes_validation, len(x_validation), n_classes),
    )
    return TransferData(encoder, x_train, x_validation, Probe(data, regression=n_classes == 0))


def transfer_range_test(data: TransferData, settings: DescentSettings) -> RangeTest:
    """Train the classifier for one step at each of a hundred rates from 1e-5 to 0.1, and suggest one of them.

    The learning rate of `settings` plays no part.
    """
    rates = exponential_rates(steps=100)
    return suggest_rate(rates, rate_curve(data.probe, settings, rates))


def transfer_candidate(data: TransferData, settings: DescentSettings, epochs: int) -> float:
    """Train the classifier for some epochs, and return its lowest validation loss, by which rates are compared."""
    return float(descend(data.probe, replace(settings, max_epochs=epochs), _logger.debug).best["val_loss"])


def train_transfer(
    data: TransferData,
    settings: DescentSettings,
    trainable: bool = False,
    log: Callable[[str], None] = _logger.info,
    should_stop: Callable[[], bool] = lambda: False,
) -> Any:
    """Train a linear classifier on the latent means of an encoder.

    Parameters
    ----------
    data : TransferData
    settings : DescentSettings
        A `VaeSettings` will do.
    trainable : bool
        False trains the classifier alone. True then goes on with the encoder as well, at a tenth of the learning rate: its weights
        start where many samples have brought them, and full steps after few labels would undo that before the classifier has settled
        (Kumar et al. 2022, arXiv:2202.10054, train the head first for the same reason).
    log : callable
        Takes the lines that say how it goes.
    should_stop : callable
        Whether to stop with the best epoch so far.

    Returns
    -------
    keras.Model
        Raw features ``(n, p)`` -> probabilities ``(n, n_classes)``, or numbers ``(n, n_targets)``; of the epoch with the lowest
        validation loss. One plain model of stock layers.

    Raises
    ------
    ParameterError
        If ``trainable`` is asked of an encoder without a first layer named ``"stem"``.
    """
    found = descend(data.probe, settings, log, should_stop)
    if found.best["epoch"] == 0 and not should_stop():
        log(
            f"Transfer: at a learning rate of {settings.learning_rate:g} no epoch was better on the validation rows than the "
            "start, which is the same answer for every sample"
        )
    if not trainable or should_stop():
        return _joined(data.encoder, data.probe, data.probe.head(found.weights), {})
    return _fine_tuned(data, found.weights, settings, log, should_stop)


def _fine_tuned(
    data: TransferData,
    head: list[np.ndarray],
    settings: DescentSettings,
    log: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> Any:
    encoder, probe = data.encoder, data.probe
    stem = next((layer for layer in encoder.layers if layer.name == STEM), None)
    if not isinstance(stem, keras.layers.Dense):
        raise ParameterError(
            f'this encoder has no Dense layer named "{STEM}", as those of VAE projects have: it cannot be trained '
            "further. Set trainable to false."
        )
    log("Transfer: the classifier has settled, the encoder is trained along with it")
    standardise = keras.Model(encoder.inputs[0], stem.input)
    train = outputs_of(standardise, data.x_train)
    validation = outputs_of(standardise, data.x_validation)
    varying = np.ptp(train, axis=0) > 0
    space = fit_row_space(train, Standardisation(np.zeros(len(varying)), varying.astype("float64")))
    kernel, bias = (np.asarray(keras.ops.convert_to_numpy(w)) for w in (stem.kernel, stem.bias))
    rest = keras.Model(stem.output, encoder.outputs[0])
    objective = FineTuning(
        probe,
        head,
        rest,
        [(z @ kernel + bias, space.transform(z)) for z in (train, validation)],
    )
    best = objective.split(descend(objective, settings, log, should_stop).weights)
    kernel[space.columns] += space.projection() @ best.added
    trained = {STEM: [kernel, bias + best.added_bias]}
    return _joined(encoder, probe, probe.head(best.head), trained | best.layers)


def _joined(
    encoder: Any,
    probe: Probe,
    head: tuple[np.ndarray, np.ndarray],
    trained: dict[str, list[np.ndarray]],
) -> Any:
    """A copy of the encoder, some of its layers with other weights, and the head behind it: one flat model."""
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    for name, weights in trained.items():
        copy.get_layer(name).set_weights(weights)
    kernel, bias = head
    logits = keras.layers.Dense(int(kernel.shape[1]), name=HEAD)
    outputs = logits(copy.outputs[0])
    logits.set_weights([kernel, bias])
    if not probe.regression:
        outputs = keras.layers.Softmax(name="probabilities")(outputs)
    return keras.Model(copy.inputs[0], outputs, name="transfer")


def _latent_means(encoder: Any, which: str, x: np.ndarray) -> np.ndarray:
    found = outputs_of(encoder, x)
    wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(wrong):
        raise DataError(
            f"the encoder has no finite answer for {counted(len(wrong), f'{which} row')}, the first is row "
            f"{wrong[0] + 1}: look for missing or extreme values there."
        )
    return found


def outputs_of(model: Any, x: np.ndarray) -> np.ndarray:
    """Block by block, and called directly, which for a few blocks is quicker than ``predict``."""
    blocks = (x[start : start + _ROWS_AT_ONCE].astype("float32") for start in range(0, len(x), _ROWS_AT_ONCE))
    return np.concatenate([keras.ops.convert_to_numpy(model(block, training=False)) for block in blocks])


def _check_width(encoder: Any, which: str, x: np.ndarray) -> None:
    expected = encoder.input_shape[1]
    if x.shape[1] != expected:
        raise DataError(
            f"the encoder reads {counted(expected, 'feature')}, the {which} rows have {x.shape[1]}: transfer needs the "
            "same features in the same order as the run that trained the encoder."
        )


def _targets(which: str, codes: np.ndarray, n_rows: int, n_classes: int) -> np.ndarray:
    """``(n, n_classes)`` one-hot, or ``(n, n_targets)`` numbers."""
    codes = np.asarray(codes)
    if len(codes) != n_rows or codes.ndim != (2 if n_classes == 0 else 1):
        expected = f"({n_rows}, n_targets)" if n_classes == 0 else f"({n_rows},)"
        raise DataError(f"{which} targets: expected shape {expected}, got {codes.shape}.")
    if n_classes == 0:
        if not np.isfinite(codes).all():
            raise DataError(f"{which} targets: expected finite numbers.")
        return codes.astype("float32")
    wrong = sorted(set(codes.tolist()) - set(range(n_classes)))
    if wrong:
        raise DataError(f"{which} codes: expected 0 to {n_classes - 1}, got {listed(wrong)}.")
    return one_hot(codes, n_classes)


def find_encoder(path: str | os.PathLike[str]) -> Path:
    """Return the encoder's file: the path itself, or in a folder the ``encoder.keras`` that was written last.

    Raises
    ------
    DataFileError
        If there is none.
    """
    path = Path(path).expanduser()
    if path.is_file():
        return path
    if not path.exists():
        raise DataFileError(f"{path} does not exist: expected an {ENCODER_FILE} or the folder of a VAE run.")
    found = sorted(path.rglob(ENCODER_FILE), key=lambda file: (file.stat().st_mtime, str(file)))
    if found:
        return found[-1]
    others = sorted(str(file.relative_to(path)) for file in path.rglob("*.keras"))
    held = f"; of Keras models it holds {listed(others, 5)}" if others else ", nor any other Keras model"
    raise DataFileError(
        f"there is no {ENCODER_FILE} in {path} or below{held}. Name the folder of a VAE run that has finished training, "
        "or the encoder's own file."
    )
