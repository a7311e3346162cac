"""Every reason why a preset cannot be loaded is said in words."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from genokeras.errors import DataFileError, ParameterError
from genokeras.pretrained import ObjectDetector, SentimentAnalysis
from genokeras.pretrained.presets import _from_preset

NOWHERE = "http://127.0.0.1:9"  # nothing listens on the port to discard


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leads all calls to a closed door on this machine; gives back Kaggle's cache folder."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(cache))
    return cache


def test_without_keras_hub_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ParameterError, match=r'pip install "genokeras\[pretrained\]"'):
        ObjectDetector().load("dfine_nano_coco")


def test_a_preset_that_cannot_be_downloaded_leaves_nothing_behind(hub: Any, no_network: Path) -> None:
    with pytest.raises(
        DataFileError, match=r"'bert_tiny_en_uncased_sst2' cannot be downloaded: .*save_to_preset"
    ):
        SentimentAnalysis().load("bert_tiny_en_uncased_sst2")
    assert list(no_network.iterdir()) == []


def test_hugging_face_out_of_reach_is_told_at_once(
    hub: Any, no_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pytest.importorskip("huggingface_hub")
    client.close_session()  # the next one asks for the proxy again
    monkeypatch.setattr(client.constants, "HF_HUB_CACHE", str(no_network))
    with pytest.raises(
        DataFileError, match="'hf://somebody/something' cannot be downloaded: .*does not answer"
    ):
        SentimentAnalysis().load("hf://somebody/something")
    client.close_session()


def test_a_misspelt_name_is_answered_with_the_nearest(hub: Any) -> None:
    with pytest.raises(ParameterError, match="Did you mean 'bert_tiny_en_uncased_sst2'"):
        SentimentAnalysis().load("bert_tiny_en_sst2")


def test_a_known_name_of_another_kind_is_refused_before_any_download(hub: Any) -> None:
    with pytest.raises(
        ParameterError, match="'bert_base_en' is not an object detector. Those are: .*dfine_nano_coco"
    ):
        ObjectDetector().load("bert_base_en")


def test_a_text_model_is_no_object_detector(two_classes: Path) -> None:
    with pytest.raises(
        ParameterError, match="not an object detector: its BertBackbone is for .*TextClassifier"
    ):
        ObjectDetector().load(two_classes)


def test_an_object_detector_reads_no_texts(detector_preset: Path) -> None:
    with pytest.raises(
        ParameterError, match="not a text classifier: its RetinaNetBackbone is for ObjectDetector"
    ):
        SentimentAnalysis().load(detector_preset)


@pytest.mark.parametrize("missing", ["task.json", "task.weights.h5"])
def test_a_backbone_without_trained_classes_is_refused(
    two_classes: Path, tmp_path: Path, missing: str
) -> None:
    shutil.copytree(two_classes, tmp_path / "preset")
    (tmp_path / "preset" / missing).unlink()
    with pytest.raises(ParameterError, match="a backbone without trained classes"):
        SentimentAnalysis().load(tmp_path / "preset")


def test_a_backbone_from_afar_is_refused_too(hub: Any, two_classes: Path, tmp_path: Path) -> None:
    shutil.copytree(two_classes, tmp_path / "preset")
    (tmp_path / "preset" / "task.json").unlink()
    with pytest.raises(ParameterError, match="a backbone without trained classes"):
        _from_preset(hub, "TextClassifier", str(tmp_path / "preset"))


def test_weights_cut_short_are_told(two_classes: Path, tmp_path: Path) -> None:
    shutil.copytree(two_classes, tmp_path / "preset")
    weights = tmp_path / "preset" / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataFileError, match="cannot be read as a text classifier"):
        SentimentAnalysis().load(tmp_path / "preset")


def test_a_damaged_configuration_is_told(two_classes: Path, tmp_path: Path) -> None:
    shutil.copytree(two_classes, tmp_path / "preset")
    (tmp_path / "preset" / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataFileError, match="config.json': it is damaged"):
        SentimentAnalysis().load(tmp_path / "preset")


def test_a_preset_without_preprocessing_is_refused(two_classes: Path, tmp_path: Path) -> None:
    shutil.copytree(two_classes, tmp_path / "preset")
    task = json.loads((tmp_path / "preset" / "task.json").read_text(encoding="utf-8"))
    task["config"]["preprocessor"] = None
    (tmp_path / "preset" / "task.json").write_text(json.dumps(task), encoding="utf-8")
    with pytest.raises(ParameterError, match="holds no preprocessing"):
        SentimentAnalysis().load(tmp_path / "preset")


def test_a_folder_that_is_no_preset_is_told_by_what_it_holds(hub: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    with pytest.raises(DataFileError, match="no config.json. It holds notes.txt"):
        ObjectDetector().load(tmp_path)


@pytest.mark.parametrize("name", ["./nowhere", Path("nowhere")])
def test_a_folder_that_is_not_there_is_told(hub: Any, name: str | Path) -> None:
    with pytest.raises(DataFileError, match="there is no folder .*nowhere"):
        ObjectDetector().load(name)


@pytest.mark.parametrize("name", ["", None, 3])
def test_what_is_no_name_is_refused(hub: Any, name: Any) -> None:
    with pytest.raises(ParameterError, match="preset must be a name"):
        ObjectDetector().load(name)
