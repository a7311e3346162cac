"""Images, and the classifier for them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self, final

import numpy as np

from genokeras.data import ImageData, load_images
from genokeras.encoders import ImageEncoder, fit_image_encoder, moves_matter
from genokeras.engine.spatial_start import Aim, Fathers
from genokeras.estimators.content import ContentKind
from genokeras.estimators.spatial_classifier import SpatialClassifier
from genokeras.features import Augmentation
from genokeras.graph import residual_cnn, small_cnn
from genokeras.searchers import HyperSpace
from genokeras.tasks.classes import Classes
from genokeras.tasks.task import Task

SPACE = HyperSpace(
    learning_rate=(1e-3, 2e-3, 4e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.1, 0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
WEIGHT_DECAYS = (1.0, 1e-1, 1e-2)
RIDGE_WEIGHT_DECAYS = (3e-1, 3e-2, 3.0)


@final
class Images(ContentKind):
    """Images of one size."""

    name: ClassVar[str] = "image"

    def read(self, x: Any, y: Any, groups: Any, extra: Any, training: bool) -> ImageData:
        column = isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1
        return load_images(x, y[:, 0] if column else y, groups=groups)

    def fit_encoder(
        self, data: ImageData, aim: Aim, rng: np.random.Generator
    ) -> tuple[ImageEncoder, tuple[str, ...]]:
        encoder = fit_image_encoder(data)
        if isinstance(aim.task, Classes):
            return encoder, ()
        # A class stays what it is where an image is moved a little; a place or a size does not.
        if moves_matter(encoder, encoder.rows(data), aim.task.training_targets(aim.targets), rng):
            still = "Exact places and sizes matter: training does not move images."
            return replace(encoder, augmentation=Augmentation()), (still,)
        return encoder, (
            "Places and sizes need not be exact: training moves, turns and scales images a little.",
        )

    def plain_encoder(self, data: ImageData) -> tuple[ImageEncoder, tuple[str, ...]]:
        return fit_image_encoder(data), ()

    def fathers(self, encoder: ImageEncoder, task: Task) -> Fathers:
        shape, n_outputs = encoder.input_shape, task.n_outputs
        known = {
            "small_cnn": partial(small_cnn, shape, n_outputs),
            "residual_cnn": partial(residual_cnn, shape, n_outputs),
        }
        decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
        return Fathers(known, tuple(known), SPACE, decays)


class ImageClassifier(SpatialClassifier):
    """Grows convolutional networks for images, and says honestly how good they are.

    Networks begin with short training on images that are moved, turned and scaled a little at random; the better ones go on,
    and grow by network morphism. Works as in classic AutoKeras, too:
    ``ImageClassifier(verbose=True, path="auto-keras/", searcher_args={"trainer_args": {"max_iter_num": 5}})``.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, random_state, resume, verbose
        As of ``SequenceClassifier``.
    searcher_args : dict, optional
        As of ``SequenceClassifier``; fathers are "small_cnn", "residual_cnn" or graphs.
    backbone : keras.Model or str, optional
        A pretrained network, or the name or folder of a keras-hub preset (``pip install genokeras[pretrained]``). It is frozen: a copy makes
        features of each image (averages over positions), on which small heads are searched; fathers are then "mlp", "deep_mlp" or
        graphs of the features. It gets pixels as they came, resized to what it reads, grey ones three times where it wants
        colours. Presets bring their own scaling; a network that wants pixels otherwise needs it as its first layer, as in
        ``keras.Sequential([keras.layers.Rescaling(1 / 127.5, -1), network])``. ``fine_tune`` trains the whole afterwards.

    Attributes
    ----------
    classes_, estimate_, path_, n_trials_, stop_reason_, notes_
        As of ``SequenceClassifier``.
    model_ : keras.Model
        What is delivered: pixels as they came ``(height, width, channels)`` in, class probabilities out.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD.

    Examples
    --------
    >>> from genokeras import ImageClassifier
    >>> clf = ImageClassifier(path="runs/digits", random_state=0)
    >>> clf.fit("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", time_limit=600)  # doctest: +SKIP
    """

    content = Images()

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x : path, ImageData, array-like of shape (n_images, height, width[, channels])
            Arrays, an idx file, or a folder with a folder of images for each class; see ``gk.load_images``.
        y : array-like of shape (n_images,) or path, optional
            Labels; also ``(n_images, 1)``, as ``keras.datasets`` have them.
        time_limit : float, optional
            In place of the constructor's.
        groups : array-like of shape (n_images,), optional
            Images of one group (a patient, say) stay on one side of every split.
        sample_weight : array-like of shape (n_images,), optional
            How much each counts, in training and in scores.
        validation_data : (x, y), optional
            Trials are scored on these images; no network trains on them.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data cannot be used; nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        """
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight)
