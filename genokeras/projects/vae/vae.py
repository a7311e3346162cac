"""The residual variational auto-encoder (Res-VAE): latent vectors of samples, learnt without labels.

=========  =============================================================  ===========
symbol     meaning                                                        shape
=========  =============================================================  ===========
X_s        features that vary, standardised on the training rows          ``(n, k)``
V, c       orthonormal basis of their row span, and its scale             ``(k, r)``
Z          c X_s V, what is encoded and decoded                           ``(n, r)``
=========  =============================================================  ===========

With the decoder's output in the row span, ``X^ = Z^ V^T / c``, the squared error of a sample's features is
``|x - x^|^2 = |z - z^|^2 / c^2 + |x - x V V^T|^2``, because the columns of V are orthonormal. The second term knows no
weights. It is zero on the training rows (where the row space is exact), and a constant of the validation rows: so training
on Z loses nothing, and the constant is added to what is reported.

The loss is ``|x - x^|^2 / k + beta (2 / k) KL``: the negative lower bound (Kingma & Welling 2014, eq. 3 and 10) of a
Gaussian decoder with unit variance, but for a constant, divided by ``k / 2``. So it is the mean squared error of a
standardised feature, 1 for a decoder that only knows the means, plus the price of the latent vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genokeras.networks.vae import VaeShape, export_decoder, export_encoder
from genokeras.projects.vae.vae_data import VaeData, prepare_vae
from genokeras.projects.vae.vae_objective import VaeObjective
from genokeras.support.checks import check_choice, check_number, check_whole
from genokeras.training.descent import Descent, descend, rate_curve
from genokeras.training.descent_objective import DescentSettings
from genokeras.tuning.learning_rate_range import RangeTest, exponential_rates, suggest_rate

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VaeSettings(DescentSettings):
    """Architecture and training of a Res-VAE; the parameters not named here are those of `DescentSettings`.

    Parameters
    ----------
    latent : int
        Width of the latent vectors (``n_latent``). Hidden layers have twice as many units, 64 at least.
    blocks : int
        Residual blocks of the encoder, and of the decoder (``n_blocks``).
    keep_prob : float
        Share of the hidden units that dropout keeps while training.
    output_nonlinear : {None, "relu", "tanh", "sigmoid"}
        Activation behind the encoder's last block.
    beta : float
        Weight of the KL term; 1 is the lower bound itself (Higgins et al. 2017).
    warm_up : int
        Epochs in which the weight rises from 0 to ``beta``, so that latent units are not given up before the decoder has
        learnt to use them (Soenderby et al. 2016, section 2.3). Validation always uses ``beta``.

    Raises
    ------
    ParameterError
        If a value is out of its range, or the optimiser is unknown or ``"kfac"``.
    """

    latent: int = 32
    blocks: int = 2
    keep_prob: float = 0.8
    output_nonlinear: str | None = None
    beta: float = 1.0
    warm_up: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self.latent, "latent")
        check_whole(self.blocks, "blocks")
        check_whole(self.warm_up, "warm_up", 0)
        check_number(self.keep_prob, "keep_prob", above=0, most=1)
        check_number(self.beta, "beta", least=0)
        check_choice(self.output_nonlinear, "output_nonlinear", ("relu", "tanh", "sigmoid", None))

    @property
    def shape(self) -> VaeShape:
        """The architecture."""
        return VaeShape(int(self.latent), int(self.blocks), self.output_nonlinear)


@dataclass(frozen=True, eq=False)
class TrainedVae:
    """A trained Res-VAE: plain Keras models of stock layers, which load where GenoKeras is not installed.

    Attributes
    ----------
    encoder : keras.Model
        Raw features ``(n, p)`` -> latent means ``(n, latent)``.
    decoder : keras.Model
        Latent vectors ``(n, latent)`` -> raw features ``(n, p)``.
    history : list of dict
        A line for every epoch, and one before training: ``epoch``, ``steps``, ``learning_rate``, ``loss`` (but for the first
        line), ``val_loss``, ``val_reconstruction``, ``val_kl`` (nats a sample).
    losses : dict
        On the validation rows in the best epoch: ``loss``, ``reconstruction``, ``kl``; ``mean_predictor``, the
        reconstruction error of the means; ``epoch``.
    """

    encoder: Any
    decoder: Any
    history: list[dict[str, float]]
    losses: dict[str, float]


def fit_vae(
    x_train: np.ndarray,
    x_validation: np.ndarray,
    settings: VaeSettings,
    *,
    medians: np.ndarray | None = None,
    log: Callable[[str], None] = _logger.info,
) -> TrainedVae:
    """Train a Res-VAE.

    Parameters
    ----------
    x_train, x_validation : numpy.ndarray
        ``(n, p)`` raw features. The validation rows choose the epoch, and train nothing.
    settings : VaeSettings
    medians : numpy.ndarray, optional
        ``(p,)``; stand in for NaN.
    log : callable
        Takes the lines that say how it goes.

    Raises
    ------
    DataError
        As `prepare_vae` does.
    TrainingError
        If the loss is not finite from the start.

    Examples
    --------
    >>> vae = fit_vae(x_train, x_validation, VaeSettings(latent=8))  # doctest: +SKIP
    >>> vae.encoder.predict(x_new).shape  # doctest: +SKIP
    (20, 8)
    """
    return train_vae(prepare_vae(x_train, x_validation, medians), settings, log)


def train_vae(
    data: VaeData,
    settings: VaeSettings,
    log: Callable[[str], None] = _logger.info,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainedVae:
    """Train on prepared rows, until told to stop at most, and export; see `fit_vae`."""
    objective, result = _descended(data, settings, log, should_stop)
    encoder, decoder = objective.split(result.weights)
    losses = {name: result.best[f"val_{name}"] for name in objective.score_names}
    losses |= {"mean_predictor": data.mean_predictor, "epoch": result.best["epoch"]}
    return TrainedVae(
        export_encoder(settings.shape, encoder, data.space, len(data.means), data.medians),
        export_decoder(settings.shape, decoder, data.space, data.means),
        result.history,
        losses,
    )


def vae_candidate(data: VaeData, settings: VaeSettings, epochs: int) -> float:
    """Train for some epochs, and return the lowest validation loss, by which a selector compares hyper-parameters.

    Parameters
    ----------
    data : VaeData
        From `prepare_vae`, once for all candidates.
    settings : VaeSettings
        The learning rate is used as it is; ``warm_up`` takes half of the epochs at most.
    epochs : int
        ``pre_train_epoch``.
    """
    short = replace(settings, max_epochs=epochs, warm_up=min(settings.warm_up, epochs // 2))
    return float(_descended(data, short, _logger.debug)[1].best["val_loss"])


def vae_range_test(
    data: VaeData, settings: VaeSettings, rates: Sequence[float] | np.ndarray | None = None
) -> RangeTest:
    """Train one step at each of some rising learning rates, with the full weight of the KL term, and suggest one.

    Parameters
    ----------
    data : VaeData
    settings : VaeSettings
        Its own learning rate plays no part.
    rates : sequence of float, optional
        By default a hundred from 1e-5 to 0.1, rising exponentially.

    Raises
    ------
    TrainingError
        If the loss is not finite from the start.
    """
    ramp = exponential_rates(steps=100) if rates is None else rates
    return suggest_rate(ramp, rate_curve(_objective(data, replace(settings, warm_up=0)), settings, ramp))


def _descended(
    data: VaeData,
    settings: VaeSettings,
    log: Callable[[str], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[VaeObjective, Descent]:
    objective = _objective(data, settings)
    return objective, descend(objective, settings, log, should_stop)


def _objective(data: VaeData, settings: VaeSettings) -> VaeObjective:
    return VaeObjective(
        settings.shape,
        data.train,
        data.validation,
        per_square=1.0 / (data.space.scale**2 * len(data.space.columns)),
        per_nat=2.0 / len(data.space.columns),
        outside=(data.outside_train, data.outside_validation),
        keep_prob=settings.keep_prob,
        beta=settings.beta,
        warm_up=settings.warm_up,
        batch_size=settings.batch_size,
        seed=settings.seed,
    )
