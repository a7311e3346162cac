"""AutoGenome's two demonstration files, their paths adapted and nothing else: four calls, and the files that they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genokeras as ag

pytestmark = pytest.mark.slow

COMMON = """
    "data_train": {"type": "DataLoader", "args": {
        "data_dir": DATA, "features_file": "little_exp.tsv", "labels_file": "little_learning_target.tsv",
        "validation_split": 0.2, "shuffle": true, "delimiter": " "}},
    "data_evaluate": {"type": "DataLoader", "args": {
        "data_dir": DATA, "features_file": "little_exp.tsv", "labels_file": "little_learning_target.tsv", "delimiter": " "}},
    "data_predict": {"type": "DataLoader", "args": {"data_dir": DATA, "features_file": "little_exp.tsv", "delimiter": " "}},
    "input_fn": {"num_threads": 16},
"""
ENAS = (
    """{
    "name": "enas_demo",  // Project name
    "model": {"type": "enas", "args": {"output_classes": 2}},
"""
    + COMMON
    + """
    "trainer": {
        "child_num_layers": 3, "batch_size": 64, "max_number_of_epoches_in_search": 10, "max_number_of_epoches_in_fixed": 50,
        "top_k_candidates": 2, "child_l2_reg": 1e-4, "max_search_channel": 512, "save_dir": SAVE
    },
    "evaluator": {"max_number_of_steps": 10, "batch_size":100},
    "predictor": {"max_number_of_steps": 10, "batch_size":100},
    "explainer": {"args": {"plot_type": "bar", "features_name_file": NAMES, "num_samples": 80, "ranked_outputs": 20}}
}
"""
)
RESNET = (
    """{
    "name": "resnet_demo",  // Project name
    "model": {"type": "ResNet", "args": {"output_classes": 2}},
"""
    + COMMON
    + """
    "trainer": {
        "hyper_selector": true, "batch_size": 64, "save_dir": SAVE, "monitor": "accuracy", "num_gpus": 1, "patience": 30,
        "pre_train_epoch": 10, "max_steps": 64000, "loss": "cross_entropy", "selected_mode": "max"
    },
    "optimizer": {"type": "adam"},
    "evaluator": {"max_number_of_steps": 10, "batch_size":100},
    "predictor": {"log_every_n_steps": 10, "output_every_n_steps": 1, "max_number_of_steps": 100, "batch_size":100},
    "explainer": {"args": {"features_name_file": NAMES, "plot_type": "bar", "num_samples": 80, "ranked_outputs": 20}},
    "param_spec": {"type": "origin_params", "args": {
        "ResNet": {"n_latent": 32, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": "sigmoid"},
        "optimizer_param": {"learning_rate": 0.0001}}},
    "hyper_param_spec": {"type": "hyper_params", "args": {
        "ResNet": {
            "n_latent": [128, 64, 32], "n_blocks": [2, 3], "keep_prob": [0.8, 1.0],
            "output_nonlinear": [null, "relu", "tanh", "sigmoid"]},
        "optimizer_param": {}}}
}
"""
)
EXPLAINED = {
    *("_dot0_feature_importance_summary.pdf", "_dot1_feature_importance_summary.pdf", "_features_orders.csv"),
    *("class_0feature_importance_summary.pdf", "class_1feature_importance_summary.pdf"),
    *("_barTotal_feature_importance_summary.pdf", "_class_0shap_values.csv", "_class_1shap_values.csv"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 samples, 70 and 30; fewer features than the demonstration's 23,361."""
    folder, rng = tmp_path_factory.mktemp("data_test"), np.random.default_rng(0)
    labels = np.repeat([0, 1], [70, 30])[rng.permutation(100)]
    x = rng.lognormal(size=(100, 400))
    x[:, :20] *= np.where(labels == 1, 3.0, 1.0)[:, None]
    np.savetxt(folder / "little_exp.tsv", x, fmt="%.4f")
    np.savetxt(folder / "little_learning_target.tsv", labels, fmt="%d")
    (folder / "names_2.txt").write_text("\n".join(f"gene{i}" for i in range(400)) + "\n")
    return folder


@pytest.mark.parametrize(("name", "text"), [("ResNet", RESNET), ("enas", ENAS)])
def test_a_demonstration_file_runs_as_it_is(
    name: str, text: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places: dict[str, Any] = {
        "DATA": str(data),
        "SAVE": str(tmp_path / "experiments"),
        "NAMES": str(data / "names_2.txt"),
    }
    for word, place in places.items():
        text = text.replace(word, json.dumps(place))
    path = tmp_path / "test.json"
    path.write_text(text, encoding="utf-8")
    automl = ag.auto(str(path))
    automl.train()
    metrics = automl.evaluate()
    predicted = automl.predict()
    automl.explain()
    assert metrics["validation"]["accuracy"] >= 0.7
    assert len(predicted) == 100 and {"predicted_result", "softmax_value"} <= set(predicted)
    written = {file.name for file in automl.trained.folder.outputs.iterdir()}
    assert written >= {*EXPLAINED, f"{name}_confusion_matrix.pdf", f"{name}_predicted_result_data_frame.csv"}
    said = capsys.readouterr().out
    assert (
        f"Ready to search the best {'neural arch' if name == 'enas' else 'hyper parameters'} for {name} model"
        in said
    )
    for line in (
        "In Hyper & Training Search stage",
        "In Evaluation stage",
        "In Prediction stage",
        "Saving checkpoints for",
    ):
        assert line in said
