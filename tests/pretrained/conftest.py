"""Small keras-hub tasks with random weights, saved as presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

WORDS = ("a", "film", "##s", "great", "dull", "match", "was", "the", ".")


@pytest.fixture(scope="session")
def hub() -> Any:
    return pytest.importorskip(
        "keras_hub", reason="needs keras-hub: pip install 'genokeras[pretrained]'", exc_type=ImportError
    )


def text_task(hub: Any, classes: int, activation: str | None = None) -> Any:
    """A BERT of four units that tells texts apart, at random."""
    keras.utils.set_random_seed(classes)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    tokenizer = hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    backbone = hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=1,
        num_heads=1,
        hidden_dim=4,
        intermediate_dim=4,
        max_sequence_length=8,
    )
    task = hub.models.BertTextClassifier(
        backbone,
        num_classes=classes,
        activation=activation,
        preprocessor=hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=8),
    )
    # With weights as small as they start, all texts would be alike.
    for variable in task.weights:
        if variable.path.endswith(("kernel", "embeddings")):
            variable.assign(25 * variable)
    return task


def saved(task: Any, folder: Path) -> Path:
    task.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def two_classes(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(text_task(hub, 2), tmp_path_factory.mktemp("presets") / "two_classes")


@pytest.fixture(scope="session")
def three_classes(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(text_task(hub, 3), tmp_path_factory.mktemp("presets") / "three_classes")


@pytest.fixture(scope="session")
def detector_preset(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RetinaNet that reads 32 x 32 pixels with padding around and answers with boxes (x, y)."""
    keras.utils.set_random_seed(0)
    encoder = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64, 64],
        stackwise_num_blocks=[1, 1, 1],
        stackwise_num_strides=[1, 2, 2],
        block_type="basic_block",
    )
    converter = hub.layers.RetinaNetImageConverter(
        image_size=(32, 32), scale=1 / 255, crop_to_aspect_ratio=False, pad_to_aspect_ratio=True
    )
    task = hub.models.RetinaNetObjectDetector(
        backbone=hub.models.RetinaNetBackbone(encoder, min_level=3, max_level=4, use_p5=False),
        num_classes=3,
        bounding_box_format="xyxy",
        pre_logits_num_conv_layers=1,
        preprocessor=hub.models.RetinaNetObjectDetectorPreprocessor(image_converter=converter),
    )
    head = task.box_head.prediction_layer  # boxes as they are laid out over the picture, none moved
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(np.zeros(head.bias.shape))
    return saved(task, tmp_path_factory.mktemp("presets") / "detector")
