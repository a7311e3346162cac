"""Things in pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.pretrained.base import Pretrained, predict_prepared
from genokeras.pretrained.boxes import Detection, View, check_picture_path, draw_detections
from genokeras.pretrained.pictures import is_one_picture, read_colours
from genokeras.pretrained.presets import load_task
from genokeras.support.checks import check_number
from genokeras.support.hub import load_hub
from genokeras.support.wording import listed

# COCO numbers its 80 classes from 1 to 90; these numbers, in between and beyond, are not in use.
_UNUSED_BY_COCO = frozenset({0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91})


class ObjectDetector(Pretrained):
    """Finds things in pictures, and where they are.

    Attributes
    ----------
    labels_ : tuple of str
        What it can find, in the order of the model's classes; after ``load``.

    Examples
    --------
    >>> from genokeras.pretrained import ObjectDetector
    >>> detector = ObjectDetector().load("retinanet_resnet50_fpn_coco")  # doctest: +SKIP
    >>> detector.predict("street.jpg", output_file_path="found.jpg")[0]  # doctest: +SKIP
    Detection(label='bicycle', score=0.93, box=(12.5, 40.0, 118.2, 133.7))
    """

    labels_: tuple[str, ...] = ()

    def load(
        self,
        preset: str | os.PathLike[str],
        *,
        labels: Sequence[str] | None = None,
        min_score: float | None = None,
    ) -> Self:
        """Load an object detector.

        Parameters
        ----------
        preset : str or path-like
            A name such as ``"dfine_nano_coco"`` or ``"retinanet_resnet50_fpn_coco"``, an address, or a folder that
            ``save_to_preset`` wrote.
        labels : sequence of str or "coco", optional
            The names of the model's classes, which presets do not hold; without it those of COCO where keras-hub's name of
            the preset says so, else ``"class 0"``, ``"class 1"``...
        min_score : float, optional
            Detections below are left out; without it the preset's own threshold holds, usually 0.5.

        Raises
        ------
        ParameterError
            If keras-hub is missing, there is no such preset, it is no object detector, or the labels do not fit it.
        DataFileError
            If the files cannot be downloaded or read.
        """
        if min_score is not None:
            check_number(min_score, "min_score", least=0, most=1)
        task = load_task("ObjectDetector", preset)
        if (
            labels is None
            and str(preset) in load_hub().models.ObjectDetector.presets
            and "coco" in str(preset)
        ):
            labels = "coco"
        self.labels_ = _checked_labels(labels, task.num_classes)
        if min_score is not None:
            task.prediction_decoder.confidence_threshold = float(min_score)
        self._task = task
        return self

    def predict(
        self, x: Any, output_file_path: str | os.PathLike[str] | None = None
    ) -> list[Detection] | list[list[Detection]]:
        """Find things.

        Parameters
        ----------
        x : path, PIL.Image.Image, ndarray or a sequence of these
            Arrays have the shape (height, width, 3) and hold numbers from 0 to 255.
        output_file_path : path-like, optional
            Where to write the picture with the boxes drawn on it; for one picture only.

        Returns
        -------
        list of Detection, or a list of such lists
            The surest first; for several pictures a list for each.

        Raises
        ------
        NotFittedError
            Before ``load``.
        DataFileError
            If a file is missing or no picture.
        DataError
            If an array is no picture.
        ParameterError
            If the drawing cannot be written there.
        """
        task = self._loaded_task()
        one = is_one_picture(x)
        if output_file_path is not None and not one:
            raise ParameterError("output_file_path is for one picture: call predict for each.")
        target = None if output_file_path is None else check_picture_path(output_file_path)
        pictures = _read([x] if one else x, one)
        found = [self._found(task, picture) for picture in pictures]
        if target is not None:
            draw_detections(pictures[0], found[0], target)
        return found[0] if one else found

    def _found(self, task: Any, picture: np.ndarray) -> list[Detection]:
        seen = _prepared(task, picture)
        # One picture at a time: keras-hub's decoders fail where TensorFlow has met batches of two sizes.
        answer = predict_prepared(task, seen, batch_size=1)
        kept = slice(int(answer["num_detections"][0]))
        corners = _corners(task, answer["boxes"][0][kept], seen.shape[1:3])
        view = View.of(_converter(task), *picture.shape[:2])
        boxes = view.on_picture(corners, seen.shape[1:3], picture.shape[:2])
        rows = zip(answer["labels"][0][kept], answer["confidence"][0][kept], boxes, strict=True)
        detections = [_detection(self.labels_[int(label)], score, box) for label, score, box in rows]
        # A box in the padding around a picture has no area in the picture.
        inside = [d for d in detections if d.box[2] > d.box[0] and d.box[3] > d.box[1]]
        return sorted(inside, key=lambda d: -d.score)


def _read(x: Any, one: bool) -> list[np.ndarray]:
    if not isinstance(x, Sequence | np.ndarray) or not len(x):
        raise DataError(f"x must be a picture or several, as paths or arrays: got {x!r:.80}.")
    return [read_colours(picture, "x" if one else f"picture {i}") for i, picture in enumerate(x)]


def _converter(task: Any) -> Any:
    return task.preprocessor.image_converter


def _prepared(task: Any, picture: np.ndarray) -> np.ndarray:
    """The picture as the model reads it, in a batch of one."""
    return np.asarray(keras.ops.convert_to_numpy(_converter(task)(picture[np.newaxis])))


def _corners(task: Any, boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes as left, top, right, bottom."""
    # D-FINE answers in this one order whatever its bounding_box_format.
    is_dfine = isinstance(task, load_hub().models.DFineObjectDetector)
    order = "yxyx" if is_dfine else task.bounding_box_format
    boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    corners = keras.utils.bounding_boxes.convert_format(
        boxes, source=order, target="xyxy", height=size[0], width=size[1]
    )
    return np.asarray(keras.ops.convert_to_numpy(corners))


def _detection(label: str, score: float, box: np.ndarray) -> Detection:
    left, top, right, bottom = (float(edge) for edge in box)
    return Detection(label, float(score), (left, top, right, bottom))


def _checked_labels(labels: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"class {i}" for i in range(classes))
    if isinstance(labels, str):
        names = _coco_labels(classes) if labels == "coco" else ()
    else:
        names = tuple(str(name) for name in labels)
    if len(names) != classes:
        given = repr(labels) if isinstance(labels, str) else f"{len(names)}: {listed(names)}"
        raise ParameterError(
            f"labels must be a name for each of the model's {classes} classes, in the order of training, or 'coco' for models of 80 "
            f"or 91 classes: got {given}."
        )
    return names


def _coco_labels(classes: int) -> tuple[str, ...]:
    """COCO's names: of its 80 classes one after the other, or by number with gaps from 0 to 90."""
    numbers = range(91) if classes == 91 else [i for i in range(92) if i not in _UNUSED_BY_COCO]
    name_of = load_hub().utils.coco_id_to_name
    return tuple(name_of(i).replace("_", " ") for i in numbers)
