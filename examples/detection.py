"""Shapes in made-up pictures: train a small detector, save what it sees, and choose four thresholds without training anew.

    pip install 'genokeras[detection]'
    python examples/detection.py runs/detection

The detector looks at each picture in two stages. First it proposes boxes where it is sure enough that there is something
(``nms_score_threshold``) and that do not overlap a surer one (``nms_iou_threshold``). Then each proposal gets a class: those that are sure
enough stay (``score_threshold``), unless one of their own class overlaps them (``iou_threshold``). The judge is COCO's mean average precision. All
four thresholds are chosen on pictures that the network has not been trained on, and scored on others again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import genokeras as gk
from genokeras.tuning import Attempt, HyperSelector

SIZE, CELLS, CLASSES = 48, 6, ("square", "disc")
CELL = SIZE // CELLS
START = {"nms_score_threshold": 0.5, "nms_iou_threshold": 0.5, "score_threshold": 0.5, "iou_threshold": 0.5}
LISTS = {
    "nms_score_threshold": [0.5, 0.3, 0.1, 0.03],
    "nms_iou_threshold": [0.3, 0.5, 0.7],
    "score_threshold": [0.5, 0.3, 0.1, 0.01],
    "iou_threshold": [0.3, 0.5, 0.7],
}
Truth = list[list[tuple[int, np.ndarray]]]


# ---- pictures


def make_pictures(count: int, seed: int) -> tuple[np.ndarray, Truth]:
    """Grey pictures (count, 48, 48, 1) of one to three shapes in noise, and for each the class and corners of its shapes."""
    rng = np.random.default_rng(seed)
    pictures = rng.normal(0.0, 0.25, (count, SIZE, SIZE, 1)).astype("float32")
    truth: Truth = []
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    for picture in pictures:
        shapes = []
        for _ in range(rng.integers(1, 4)):
            kind, half = int(rng.integers(2)), float(rng.uniform(4, 9))
            x, y = rng.uniform(half, SIZE - half, 2)
            far = np.hypot(columns - x, rows - y) if kind else np.maximum(abs(columns - x), abs(rows - y))
            picture[..., 0] += np.where(far <= half, rng.uniform(0.7, 1.2), 0.0)
            shapes.append((kind, np.array([x - half, y - half, x + half, y + half])))
        truth.append(shapes)
    return pictures, truth


def targets_of(truth: Truth) -> np.ndarray:
    """``(count, 6, 6, 7)``: whether a shape's middle is in the cell, its place in it, its size, and its class."""
    targets = np.zeros((len(truth), CELLS, CELLS, 5 + len(CLASSES)), "float32")
    for one, shapes in zip(targets, truth, strict=True):
        for kind, (left, top, right, bottom) in shapes:
            x, y = (left + right) / 2 / CELL, (top + bottom) / 2 / CELL
            box = [1.0, x % 1, y % 1, (right - left) / SIZE, (bottom - top) / SIZE]
            one[int(y), int(x)] = [*box, *np.eye(len(CLASSES))[kind]]
    return targets


# ---- the network


def detection_loss(y_true: Any, y_pred: Any) -> Any:
    """Whether there is a shape in a cell; where there is one, also its box and its class."""
    there = y_true[..., 0]
    missed = keras.losses.binary_crossentropy(y_true[..., :1], y_pred[..., :1])
    box = keras.ops.sum(keras.ops.square(y_true[..., 1:5] - y_pred[..., 1:5]), axis=-1)
    kind = keras.losses.categorical_crossentropy(y_true[..., 5:], y_pred[..., 5:])
    return keras.ops.mean(missed + there * (5.0 * box + kind), axis=(1, 2))


def model_fn(inputs_spec: Any) -> gk.ModelSpec:
    """Four convolutions, and seven numbers for each of 6 x 6 cells."""
    x = inputs_spec
    for filters, stride in ((16, 2), (32, 2), (64, 2), (64, 1)):
        x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
    box = keras.layers.Conv2D(5, 1, activation="sigmoid")(x)
    kind = keras.layers.Conv2D(len(CLASSES), 1, activation="softmax")(x)
    return gk.ModelSpec(
        keras.Model(inputs_spec, keras.layers.Concatenate()([box, kind])), loss=detection_loss
    )


def optimizer_fn(param_spec: gk.ParamSpec) -> Any:
    return gk.get_optimizer_fn(name="adam", learning_rate=param_spec.learning_rate)()


# ---- from what the network sees to boxes


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a box and others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return shared / ((box[2:] - box[:2]).prod() + areas - shared)


def without_overlaps(boxes: np.ndarray, scores: np.ndarray, most: float) -> np.ndarray:
    """Numbers of the boxes that overlap no surer one by more than ``most``, the surest first."""
    order, kept = list(np.argsort(-scores)), []
    while order:
        kept.append(order.pop(0))
        if order:
            close = overlaps(boxes[kept[-1]], boxes[order]) > most
            order = [number for number, near in zip(order, close, strict=True) if not near]
    return np.array(kept, dtype=int)


def detections(seen: np.ndarray, thresholds: dict[str, float]) -> list[tuple[int, float, np.ndarray]]:
    """Class, score and corners of what is in one picture, from the network's ``(6, 6, 7)``."""
    rows, columns = np.mgrid[:CELLS, :CELLS]
    there, x, y, width, height = np.moveaxis(seen[..., :5], -1, 0)
    x, y = (columns + x) * CELL, (rows + y) * CELL
    half = np.stack([width, height]) * SIZE / 2
    boxes = np.stack([x - half[0], y - half[1], x + half[0], y + half[1]], axis=-1).reshape(-1, 4)
    there, kinds = there.ravel(), seen[..., 5:].reshape(-1, len(CLASSES))
    sure = np.flatnonzero(there >= thresholds["nms_score_threshold"])
    proposed = sure[without_overlaps(boxes[sure], there[sure], thresholds["nms_iou_threshold"])]
    found = []
    for kind in range(len(CLASSES)):
        scores = there[proposed] * kinds[proposed, kind]
        own = np.flatnonzero(scores >= thresholds["score_threshold"])
        for number in own[without_overlaps(boxes[proposed[own]], scores[own], thresholds["iou_threshold"])]:
            found.append((kind, float(scores[number]), boxes[proposed[number]]))
    return found


def mean_average_precision(seen: np.ndarray, truth: Truth, thresholds: dict[str, float]) -> float:
    """COCO's: over classes, and overlaps of .50 to .95."""

    def coco_box(box: np.ndarray) -> list[float]:
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    known = [(i, kind, box) for i, shapes in enumerate(truth) for kind, box in shapes]
    found = [(i, *one) for i, picture in enumerate(seen) for one in detections(picture, thresholds)]
    if not found:
        return 0.0
    judge = COCO()
    judge.dataset = {
        "info": {},
        "images": [{"id": i} for i in range(len(truth))],
        "categories": [{"id": i, "name": name} for i, name in enumerate(CLASSES)],
        "annotations": [
            {"id": n, "image_id": i, "category_id": kind, "bbox": coco_box(box), "area": float(np.prod(coco_box(box)[2:])), "iscrowd": 0}
            for n, (i, kind, box) in enumerate(known, start=1)
        ],
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        judge.createIndex()
        results = [
            {"image_id": i, "category_id": kind, "score": score, "bbox": coco_box(box)}
            for i, kind, score, box in found
        ]
        evaluation = COCOeval(judge, judge.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("detection"))
    parser.add_argument("--steps", type=int, default=1500, help="of the training")
    parser.add_argument("--pictures", type=int, default=2000, help="to train on; half as many are held out")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s")

    train = make_pictures(arguments.pictures, seed=0)
    choosing, fresh = (make_pictures(arguments.pictures // 4, seed=seed) for seed in (1, 2))
    functions = lambda: (train[0], targets_of(train[1])), model_fn, optimizer_fn
    spec = gk.ParamSpec(learning_rate=2e-3)
    gk.run(
        *functions,
        batch_size=32,
        log_dir=arguments.folder,
        max_number_of_steps=arguments.steps,
        param_spec=spec,
    )
    seen = [
        gk.run(
            lambda pictures=pictures: pictures,
            model_fn,
            optimizer_fn,
            run_mode=gk.ModeKeys.PREDICT,
            batch_size=100,
            log_dir=arguments.folder,
        )
        for pictures, _ in (choosing, fresh)
    ]
    saved = arguments.folder / "seen.npz"
    np.savez_compressed(saved, choosing=seen[0], fresh=seen[1])

    held = np.load(saved)  # from here on there is no network
    tried = 0

    def evaluate(candidates: list[dict[str, Any]]) -> list[Attempt]:
        nonlocal tried
        tried += len(candidates)
        return [Attempt(mean_average_precision(held["choosing"], choosing[1], one)) for one in candidates]

    chosen = HyperSelector(START, LISTS, evaluate).run().values
    for name, value in chosen.items():
        print(f"{name}: {value} (before: {START[name]})")
    before, after = (mean_average_precision(held["fresh"], fresh[1], one) for one in (START, chosen))
    print(f"{tried} sets of thresholds tried, without training anew")
    print(f"mean average precision on {len(fresh[1])} fresh pictures: {before:.3f} before, {after:.3f} now")


if __name__ == "__main__":
    main()
