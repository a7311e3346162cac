"""Images, and the classifier for them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, final

import numpy as np

from genokeras.data import Folds, ImageData, load_images
from genokeras.encoders import ImageEncoder, Rows, fit_image_encoder, moves_matter, take
from genokeras.engine import Fathers
from genokeras.estimators.content import ContentKind, Given, Training
from genokeras.estimators.faces import RegressorFace
from genokeras.estimators.fine_tuning import TunedClassifier
from genokeras.estimators.networks import NetworkEstimator, NetworkKind
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
class Images(NetworkKind):
    """Images of one size."""

    name: ClassVar[str] = "image"

    def read(self, given: Given) -> ImageData:
        y = given.y
        column = isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1
        return load_images(given.x, y[:, 0] if column else y, groups=given.groups)

    def fit_encoder(
        self, data: ImageData, rng: np.random.Generator, seconds: float
    ) -> tuple[ImageEncoder, tuple[str, ...]]:
        return fit_image_encoder(data), ()

    def moved(
        self, encoder: Any, data: Any, rows: Rows, training: Training, folds: Folds, rng: np.random.Generator
    ) -> tuple[np.ndarray | None, tuple[str, ...]]:
        task = training.aim.task
        # A class stays what it is where an image is moved a little; a place or a size does not.
        if isinstance(task, Classes) or not isinstance(encoder, ImageEncoder):
            return None, ()
        targets = task.training_targets(training.targets)
        found = np.array(
            [not moves_matter(encoder, take(rows, train), targets[train], rng) for train in folds.train]
        )
        if found.all():
            note = "Places and sizes need not be exact: training moves, turns and scales images a little."
        elif not found.any():
            note = "Exact places and sizes matter: training does not move images."
        else:
            note = f"Training moves, turns and scales images a little in {found.sum()} of {len(found)} folds."
        return found, (note,)

    def plain_encoder(self, data: ImageData) -> tuple[ImageEncoder, tuple[str, ...]]:
        return fit_image_encoder(data), ()

    def fathers(self, encoder: ImageEncoder, task: Task) -> Fathers:
        shape, n_outputs = encoder.input_shape, task.n_outputs
        known = {
            "plain_cnn": partial(small_cnn, shape, n_outputs, units=0),
            "residual_cnn": partial(residual_cnn, shape, n_outputs),
            "small_cnn": partial(small_cnn, shape, n_outputs),
        }
        decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
        return Fathers(known, ("plain_cnn", "residual_cnn"), SPACE, decays)


class ImageClassifier(TunedClassifier, NetworkEstimator):
    """Grows convolutional networks for images, and says honestly how good they are.

    Networks begin with short training on images that are moved, turned and scaled a little at random; the better ones go on,
    and grow by network morphism. Works as in classic AutoKeras, too:
    ``ImageClassifier(verbose=True, path="auto-keras/", searcher_args={"trainer_args": {"max_iter_num": 5}})``.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, executor, executor_args, random_state, resume, verbose, memory_limit, keep, callbacks, metrics
        As in ``SequenceClassifier``.
    searcher_args : dict, optional
        As in ``SequenceClassifier``; fathers are "plain_cnn" and "residual_cnn", "small_cnn" or graphs.
    backbone : keras.Model or str, optional
        A pretrained network, or the name or folder of a keras-hub preset (``pip install "genokeras[pretrained]"``). It is frozen: a copy makes
        features of each image (averages over positions), on which small heads are searched; fathers are then "mlp", "deep_mlp" or
        graphs of the features. It gets pixels as they came, resized to what it reads, grey ones three times where it wants
        colours. Presets bring their own scaling; a network that wants pixels otherwise needs it as its first layer, as in
        ``keras.Sequential([keras.layers.Rescaling(1 / 127.5, -1), network])``. ``fine_tune`` trains the whole afterwards.
    class_weight, threshold, ordered : as in ``GenomeClassifier``, optional

    Attributes
    ----------
    classes_, estimate_, path_, n_trials_, growth_, stop_reason_, notes_
        As in ``SequenceClassifier``.
    model_ : keras.Model
        What is delivered: pixels as they came ``(height, width, channels)`` in, class probabilities out.

    Notes
    -----
    ``x`` is an array of shape (n_images, height, width[, channels]), ``ImageData``, an idx file, or a folder with a folder of images
    for each class; see ``gk.load_images``. ``y`` is labels, also ``(n_images, 1)``, or a file of them.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD.

    Examples
    --------
    >>> from genokeras import ImageClassifier
    >>> clf = ImageClassifier(path="runs/digits", random_state=0)
    >>> clf.fit("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", time_limit=600)  # doctest: +SKIP
    """

    content: ClassVar[ContentKind] = Images()


class ImageRegressor(RegressorFace, NetworkEstimator):
    """Grows convolutional networks that answer numbers for images, and says honestly how good they are.

    Everything is as in ``ImageClassifier``, but for one thing: training moves, turns and scales images at random only where the
    data say that the numbers do not depend on exact places and sizes (``notes_`` tells).

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, searcher_args, executor, executor_args, random_state, resume, verbose, memory_limit, keep, callbacks, metrics, backbone
        As in ``SequenceRegressor``; fathers as in ``ImageClassifier``.

    Attributes
    ----------
    targets_, estimate_, path_, n_trials_, growth_, stop_reason_, notes_
        As in ``SequenceRegressor``.
    model_ : keras.Model
        What is delivered: pixels as they came ``(height, width, channels)`` in, numbers in the units of the targets out.

    Notes
    -----
    ``x`` is an array of shape (n_images, height, width[, channels]), ``ImageData``, an idx file, or a folder with a folder of images
    for each class; see ``gk.load_images``. ``y`` is labels, also ``(n_images, 1)``, or a file of them.

    Examples
    --------
    >>> from genokeras import ImageRegressor
    >>> reg = ImageRegressor(path="runs/ages", random_state=0)
    >>> reg.fit("faces", "ages.csv", time_limit=600)  # doctest: +SKIP
    """

    content: ClassVar[ContentKind] = Images()
