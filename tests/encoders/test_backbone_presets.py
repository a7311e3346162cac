"""Backbones by name: keras-hub presets, small ones made here and saved to a folder."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import (
    fit_backbone_encoder,
    fit_image_encoder,
    fit_sequence_encoder,
    fit_text_encoder,
    predict,
)
from genokeras.encoders.files import read_samples, write_samples
from genokeras.errors import ParameterError
from genokeras.graph import HyperParameters, feature_mlp
from genokeras.networks import TrainedNetwork, merge_networks, start_weights
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from tests.encoders.planted import bars, opinions

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "was", "awful", "great", "a"]
needs_hub = pytest.mark.skipif(
    importlib.util.find_spec("keras_hub") is None, reason="keras-hub is not installed (genokeras[pretrained])"
)


def text_preset(path):
    from keras_hub import models

    tokenizer = models.BertTokenizer(vocabulary=WORDS, lowercase=True)
    models.BertTextClassifierPreprocessor(tokenizer, sequence_length=16).save_to_preset(str(path))
    sizes = {
        "num_layers": 1,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 8,
        "max_sequence_length": 16,
    }
    models.BertBackbone(vocabulary_size=len(WORDS), **sizes).save_to_preset(str(path))
    return path


def image_preset(path):
    from keras_hub import layers, models

    converter = layers.ResNetImageConverter(image_size=(16, 16), scale=1 / 255)
    models.ResNetImageClassifierPreprocessor(converter).save_to_preset(str(path))
    backbone = models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
    )
    backbone.save_to_preset(str(path))
    return path


def of_texts(path):
    data = load_texts(opinions(9)[0])
    return fit_backbone_encoder(fit_text_encoder(data)[0], text_preset(path), data), data


def of_images(path):
    data = load_images(bars(9)[0])
    return fit_backbone_encoder(fit_image_encoder(data), image_preset(path), data), data


@needs_hub
@pytest.mark.parametrize("make", [of_texts, of_images])
def test_a_preset_makes_features_and_comes_back_from_a_run_folder(make, tmp_path):
    fitted, data = make(tmp_path / "preset")
    encoder, rows = fitted.encoder, fitted.rows
    assert len(np.unique(rows["features"].round(4), axis=0)) > 1
    folder = RunFolder.create(tmp_path / "run", {})
    write_samples(folder, encoder, rows)
    again, _ = read_samples(folder)
    graph = feature_mlp(encoder.input_shape, 2, (4,))
    hyper = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")
    network = TrainedNetwork("a", graph, hyper, start_weights(graph, np.random.default_rng(0)))
    answers = [
        predict(merge_networks(e, Classes(2), [network]), e.reader, e.reader.rows(data))
        for e in (encoder, again)
    ]
    np.testing.assert_allclose(*answers, atol=1e-5)
    assert answers[0].std() > 1e-4


@needs_hub
def test_padding_does_not_change_the_features_of_a_text(tmp_path):
    encoder = of_texts(tmp_path / "preset")[0].encoder
    tokens = encoder.inner.model_inputs(encoder.inner.rows(load_texts(["great film"])))
    padding = tokens["padding_mask"] == 0
    assert 0 < padding.sum() < padding.size
    other = {**tokens, "token_ids": np.where(padding, 7, tokens["token_ids"])}
    answers = [
        encoder.model.predict_on_batch([given[x.name] for x in encoder.model.inputs])
        for given in (tokens, other)
    ]
    np.testing.assert_allclose(*answers, atol=1e-6)


@needs_hub
def test_a_preset_that_is_not_there_is_named():
    data = load_images(bars(9)[0])
    with pytest.raises(ParameterError, match="knows no preset 'no_such_preset'"):
        fit_backbone_encoder(fit_image_encoder(data), "no_such_preset", data)


def test_without_keras_hub_the_way_to_get_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    data = load_images(bars(9)[0])
    with pytest.raises(ParameterError, match=r'pip install "genokeras\[pretrained\]"'):
        fit_backbone_encoder(fit_image_encoder(data), "resnet_18_imagenet", data)


def test_there_are_no_presets_for_sequences():
    data = load_sequences(["ACGT" * 6] * 2)
    with pytest.raises(ParameterError, match="no presets for sequences"):
        fit_backbone_encoder(fit_sequence_encoder(data, False)[0], "bert", data)
