"""An object detector loaded from a preset saved here: boxes on the picture given, labels, drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from genokeras.errors import DataError, DataFileError, NotFittedError, ParameterError
from genokeras.pretrained import ObjectDetector

WIDE = np.random.default_rng(0).integers(0, 256, (20, 40, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def detector(detector_preset: Path) -> ObjectDetector:
    return ObjectDetector().load(detector_preset, labels=["cell", "bead", "dust"], min_score=0.0)


@pytest.mark.slow
def test_boxes_are_those_of_keras_hub_moved_out_of_the_padding(
    detector: ObjectDetector, detector_preset: Path, hub: Any
) -> None:
    task = hub.models.ObjectDetector.from_preset(str(detector_preset))
    task.prediction_decoder.confidence_threshold = 0.0
    answer = task.predict(WIDE[np.newaxis].astype(np.float32), verbose=0)
    # 40 x 20 pixels stand in the middle of 40 x 40, shrunk to 32 x 32: 1.25 pixels each, 10 rows of padding above.
    seen = answer["boxes"][0][: answer["num_detections"][0]]
    expected = np.clip(seen * 1.25 - [0, 10, 0, 10], 0, [40, 20, 40, 20])
    expected = expected[(expected[:, 2] > expected[:, 0]) & (expected[:, 3] > expected[:, 1])]
    found = detector.predict(WIDE)
    assert len(found) > 1
    np.testing.assert_allclose([detection.box for detection in found], expected, atol=1e-3)


def test_detections_are_named_and_sorted(detector: ObjectDetector) -> None:
    found = detector.predict(WIDE)
    assert {detection.label for detection in found} <= {"cell", "bead", "dust"}
    assert all(0 <= detection.score <= 1 for detection in found)
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)


def test_pictures_of_several_kinds_and_sizes_are_answered_one_by_one(
    detector: ObjectDetector, tmp_path: Path
) -> None:
    Image.fromarray(WIDE).save(tmp_path / "wide.png")
    found = detector.predict([tmp_path / "wide.png", Image.fromarray(WIDE), WIDE[:9, :9], WIDE[..., 0]])
    assert found[0] == found[1] == detector.predict(str(tmp_path / "wide.png"))
    assert len(found) == 4


def test_the_preset_s_own_threshold_holds_without_another(detector_preset: Path) -> None:
    assert all(d.score >= 0.5 for d in ObjectDetector().load(detector_preset).predict(WIDE))


def test_boxes_are_drawn_into_a_picture(detector: ObjectDetector, tmp_path: Path) -> None:
    detector.predict(np.zeros((64, 64, 3)), output_file_path=tmp_path / "found.png")
    with Image.open(tmp_path / "found.png") as picture:
        assert picture.size == (64, 64)
        assert (
            len(
                set(
                    picture.getdata()
                    if not hasattr(picture, "get_flattened_data")
                    else picture.get_flattened_data()
                )
            )
            > 1
        )


@pytest.mark.parametrize(
    ("x", "path", "said"),
    [
        (WIDE, "found.txt", "such as .png"),
        (WIDE, "no_folder/found.png", "no folder"),
        ([WIDE], "found.png", "for one picture"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused(
    detector: ObjectDetector, tmp_path: Path, x: Any, path: str, said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        detector.predict(x, output_file_path=tmp_path / path)


def test_a_file_that_is_no_picture_is_named(detector: ObjectDetector, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no pixels", encoding="utf-8")
    with pytest.raises(DataFileError, match=r"notes.png is truncated, damaged or no image"):
        detector.predict(tmp_path / "notes.png")


@pytest.mark.parametrize("x", [[], 5, None])
def test_what_is_no_picture_is_refused(detector: ObjectDetector, x: Any) -> None:
    with pytest.raises(DataError, match="x must be a picture or several"):
        detector.predict(x)


def test_nothing_is_found_before_load() -> None:
    with pytest.raises(NotFittedError, match="load"):
        ObjectDetector().predict(WIDE)


@pytest.mark.parametrize("labels", [["cell"], "coco", "cell"])
def test_labels_must_fit_the_classes(detector_preset: Path, labels: Any) -> None:
    with pytest.raises(ParameterError, match="each of the model's 3 classes"):
        ObjectDetector().load(detector_preset, labels=labels)


def test_a_score_beyond_one_is_refused() -> None:
    with pytest.raises(ParameterError, match="min_score must be a number from 0 to 1"):
        ObjectDetector().load("any", min_score=50)


@pytest.mark.slow
def test_a_d_fine_backbone_alone_brings_its_classes(hub: Any, tmp_path: Path) -> None:
    """Its presets are published so; it answers top before left, whatever format it is given."""
    keras.utils.set_random_seed(0)
    task = d_fine(hub)
    task.backbone.save_to_preset(str(tmp_path))
    task.preprocessor.save_to_preset(str(tmp_path))
    loaded = ObjectDetector().load(tmp_path, min_score=0.0)
    assert loaded.labels_ == ("class 0", "class 1", "class 2", "class 3")
    found = loaded.predict(WIDE)[0]
    top, left, bottom, right = loaded._task.predict(WIDE[np.newaxis].astype(np.float32), verbose=0)["boxes"][
        0
    ][0]
    scale = np.array([40, 20, 40, 20]) / 32
    np.testing.assert_allclose(found.box, np.array([left, top, right, bottom]) * scale, atol=1e-2)


def d_fine(hub: Any) -> Any:
    """The smallest there can be: two stages, one layer each, 32 x 32 pixels, stretched."""
    stages = {"out_features": ["stage1", "stage2"], "image_shape": (None, None, 3)}
    encoder = hub.models.HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=8,
        hidden_sizes=[8, 16],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        use_learnable_affine_block=False,
        stackwise_stage_filters=[[8, 8, 8, 1, 1, 3], [8, 8, 16, 1, 1, 3]],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, False],
        **stages,
    )
    backbone = hub.models.DFineBackbone(
        backbone=encoder,
        decoder_in_channels=[8, 8],
        encoder_in_channels=[8, 16],
        encoder_hidden_dim=8,
        encoder_ffn_dim=8,
        encode_proj_layers=[1],
        num_encoder_layers=1,
        num_attention_heads=1,
        hidden_dim=8,
        hidden_expansion=0.5,
        depth_multiplier=0.5,
        num_labels=4,
        num_denoising=0,
        num_queries=5,
        learn_initial_query=False,
        anchor_image_size=(32, 32),
        feat_strides=[4, 8],
        num_feature_levels=2,
        num_decoder_layers=1,
        decoder_attention_heads=1,
        decoder_ffn_dim=8,
        decoder_n_points=[1, 1],
        eval_idx=-1,
        lqe_hidden_dim=8,
        num_lqe_layers=1,
        **stages,
    )
    converter = hub.layers.DFineImageConverter(image_size=(32, 32), scale=1 / 255, crop_to_aspect_ratio=False)
    return hub.models.DFineObjectDetector(
        backbone=backbone,
        num_classes=4,
        preprocessor=hub.models.DFineObjectDetectorPreprocessor(image_converter=converter),
    )
