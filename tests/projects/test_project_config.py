"""Configuration files: what is taken, and every error once, with its key and line."""

from __future__ import annotations

import copy
import re
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.errors import ConfigError, GenoKerasError
from genokeras.projects import EnasConfig, ProjectConfig, read_config
from genokeras.projects.config.text import parse_text

RESNET = """{
    "name": "resnet_demo",  // what the folders are called

    "model": {"type": "ResNet", "args": {"output_classes": 2}  // tumour or normal
    },
    "data_train": {
        "type": "DataLoader",
        "args": {
            "data_dir": "/data/demo",  // best given from the root
            "features_file": "values.tsv",
            "labels_file": "labels.tsv",
            "validation_split": 0.2,
            "shuffle": true,
            "delimiter": " "  /* any run
                                 of blanks */
        }
    },
    "data_evaluate": {
        "type": "DataLoader",
        "args": {"data_dir": "/data/demo", "features_file": "values.tsv", "labels_file": "labels.tsv", "delimiter": " "}
    },
    "data_predict": {
        "type": "DataLoader",
        "args": {"data_dir": "/data/demo", "features_file": "values.tsv", "delimiter": " "}
    },
    "input_fn": {"num_threads": 16},
    "trainer": {
        "hyper_selector": true,
        "batch_size": 64,
        "save_dir": "./experiments",
        "monitor": "accuracy",
        "num_gpus": 1,
        "patience": 30,
        "pre_train_epoch": 10,
        "max_steps": 64000,
        "loss": "cross_entropy",
        "selected_mode": "max"
    },
    "optimizer": {"type": "adam"},
    "evaluator": {"max_number_of_steps": 10, "batch_size": 100},
    "predictor": {"log_every_n_steps": 10, "output_every_n_steps": 1, "max_number_of_steps": 100, "batch_size": 100},
    "explainer": {
        "args": {"features_name_file": "/data/demo/names.txt", "plot_type": "bar", "num_samples": 80, "ranked_outputs": 20}
    },
    "param_spec": {  // where the search starts
        "type": "origin_params",
        "args": {
            "ResNet": {"n_latent": 32, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": "sigmoid"},
            "optimizer_param": {"learning_rate": 0.0001}
        }
    },
    "hyper_param_spec": {  // what it tries
        "type": "hyper_params",
        "args": {
            "ResNet": {
                "n_latent": [128, 64, 32],
                "n_blocks": [2, 3],
                "keep_prob": [0.8, 1.0],
                "output_nonlinear": [null, "relu", "tanh", "sigmoid"]
            },
            "optimizer_param": {

            }
        }
}
}
"""

ENAS = """{
    "name": "enas_demo",
    "model": {"type": "enas", "args": {"output_classes": 2}},
    "data_train": {
        "type": "DataLoader",
        "args": {"data_dir": "/data/demo", "features_file": "values.tsv", "labels_file": "labels.tsv", "delimiter": " "}
    },
    "trainer": {
        "child_num_layers": 3,  // behind the first
        "batch_size": 64,
        "max_number_of_epoches_in_search": 10,
        "max_number_of_epoches_in_fixed": 50,
        "top_k_candidates": 2,
        "child_l2_reg": 1e-4,
        "max_search_channel": 512,
        "save_dir": "/experiments/"
    },
    "evaluator": {"max_number_of_steps": 10, "batch_size": 100},
}
"""


def minimal(**sections: Any) -> dict[str, Any]:
    """Return the least a ResNet project needs, with sections replaced or added."""
    files = {"features_file": "x.tsv", "labels_file": "y.tsv"}
    least = {
        "name": "demo",
        "model": {"type": "ResNet", "args": {"output_classes": 2}},
        "data_train": {"args": files},
    }
    return {**copy.deepcopy(least), **sections}


def regression(**trainer: Any) -> dict[str, Any]:
    """Return the least a regression needs."""
    model = {"type": "ResNet", "args": {"output_classes": 1}}
    return minimal(model=model, trainer={"loss": "mse", **trainer})


def project(data: dict[str, Any]) -> ProjectConfig:
    """Return the configuration of a model other than enas."""
    config = read_config(data)
    assert isinstance(config, ProjectConfig)
    return config


def message(source: str | Path | dict[str, Any]) -> str:
    """Return what is said of a bad configuration, on one line."""
    with pytest.raises(ConfigError) as caught:
        read_config(source)
    return re.sub(r"\s+", " ", str(caught.value))


def message_of(text: str, tmp_path: Path) -> str:
    """Return what is said of a bad file."""
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    return message(path)


def changed(*replacements: tuple[str, str], text: str = RESNET) -> str:
    """Return the sample with pieces replaced, each of which must be there."""
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def line_of(piece: str) -> int:
    """Return the line of the sample that holds a piece of text, from 1."""
    return 1 + RESNET[: RESNET.index(piece)].count("\n")


def test_a_commented_resnet_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "resnet.json"
    path.write_text(RESNET, encoding="utf-8")
    config = read_config(path)
    assert config.source == str(path)
    assert (config.name, config.model.type, config.model.args.output_classes) == ("resnet_demo", "ResNet", 2)
    assert config.data_train.args.delimiter == " "
    assert config.start_values == {
        "n_latent": 32,
        "n_blocks": 2,
        "keep_prob": 0.8,
        "output_nonlinear": "sigmoid",
        "learning_rate": 0.0001,
    }


def test_an_enas_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "enas.json"
    path.write_text(ENAS, encoding="utf-8")
    config = read_config(path)
    assert isinstance(config, EnasConfig)
    assert (config.trainer.child_l2_reg, config.trainer.controller) == (1e-4, None)
    assert config.subfolder == "enas"


def test_text_other_than_ascii_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "größe.json"
    text = changed(("// tumour or normal", "// 肿瘤 или норма — Größe"), ('"/data/demo"', '"/données/试验"'))
    path.write_text(text, encoding="utf-8-sig")
    assert read_config(path).data_train.args.data_dir == "/données/试验"


def test_defaults_are_those_of_the_sample() -> None:
    config = project(minimal())
    assert config.trainer == project(minimal(trainer={"patience": 30, "monitor": "accuracy"})).trainer
    assert config.search_space["n_latent"] == (128, 64, 32)
    assert (config.seed, config.input_fn.num_threads, config.predictor.max_number_of_steps) == (0, 16, 100)
    assert (config.optimizer.type, config.explainer.args.plot_type) == ("adam", "bar")
    assert (config.data_evaluate, config.data_train.args.delimiter) == (None, None)


def test_model_types_and_their_sections_match_whatever_the_case() -> None:
    spec = {"args": {"RESNET": {"n_latent": 16}}}
    config = project(minimal(model={"type": "resnet", "args": {"output_classes": 2}}, param_spec=spec))
    assert config.model.type == "ResNet"
    assert config.start_values["n_latent"] == 16


@pytest.mark.parametrize("name", ["Res-VAE", "resvae", "RES_VAE"])
def test_the_auto_encoder_may_be_called_by_the_name_it_has_in_the_paper(name: str) -> None:
    spec = {"args": {name: {"n_latent": 5}}}
    files = {"args": {"features_file": "x.tsv"}}
    config = project({"name": "v", "model": {"type": name}, "data_train": files, "param_spec": spec})
    assert (config.model.type, config.start_values["n_latent"]) == ("VAE", 5)


def test_the_search_keeps_the_order_of_the_file() -> None:
    lists = {
        "optimizer_param": {"learning_rate": [0.1, 0.01]},
        "ResNet": {"n_blocks": [3, 2], "n_latent": [8]},
    }
    config = project(minimal(hyper_param_spec={"args": lists}))
    assert list(config.search_space.items()) == [
        ("learning_rate", (0.1, 0.01)),
        ("n_blocks", (3, 2)),
        ("n_latent", (8,)),
    ]
    assert list(project(config.to_dict()).search_space) == ["learning_rate", "n_blocks", "n_latent"]


@pytest.mark.parametrize("text", [RESNET, ENAS], ids=["resnet", "enas"])
def test_to_dict_gives_data_from_which_the_same_is_read(text: str) -> None:
    data = read_config(parse_text(text, "sample").value).to_dict()
    assert read_config(data).to_dict() == data


def test_to_dict_of_defaults_can_be_read_again() -> None:
    data = read_config(minimal(hyper_param_spec={"args": {"ResNet": {"n_latent": [8]}}})).to_dict()
    assert read_config(data).to_dict() == data


def test_configurations_are_frozen() -> None:
    config = project(minimal())
    with pytest.raises(ValueError, match="frozen"):
        config.trainer.patience = 3


def test_a_dict_may_hold_paths_numpy_numbers_and_other_mappings(tmp_path: Path) -> None:
    files = {"data_dir": tmp_path, "features_file": "x.tsv", "labels_file": "y.tsv"}
    data = minimal(data_train=types.MappingProxyType({"args": files}), trainer={"batch_size": np.int64(8)})
    config = project(data)
    assert (config.trainer.batch_size, config.data_train.args.data_dir) == (8, str(tmp_path))


def test_whole_numbers_may_be_written_with_an_exponent() -> None:
    assert project(minimal(trainer={"max_steps": 6.4e4})).trainer.max_steps == 64000


@pytest.mark.parametrize("selector", [True, False, "bayesian", "hyperband", "grid", "random"])
def test_hyper_selector_is_a_switch_or_an_oracle(selector: bool | str) -> None:
    assert project(minimal(trainer={"hyper_selector": selector})).trainer.hyper_selector == selector


def test_a_regression_is_monitored_by_its_loss() -> None:
    config = project(regression())
    assert (config.trainer.monitor, config.trainer.selected_mode, config.task) == (
        "loss",
        "min",
        "regression",
    )


def test_a_vae_needs_neither_labels_nor_classes() -> None:
    config = project(
        {"name": "v", "model": {"type": "vae"}, "data_train": {"args": {"features_file": "x.tsv"}}}
    )
    assert (config.task, config.trainer.monitor) == ("encoding", "loss")


def test_a_vae_with_transfer_is_a_classifier() -> None:
    config = project(
        minimal(model={"type": "VAE", "args": {"output_classes": 2}}, transfer={"from": "runs/1"})
    )
    assert config.transfer is not None
    assert (config.transfer.source, config.transfer.trainable, config.task) == (
        "runs/1",
        False,
        "classification",
    )
    assert config.to_dict()["transfer"] == {"from": "runs/1", "trainable": False}


def test_a_vae_with_transfer_needs_labels_and_classes() -> None:
    said = message(
        {
            "name": "v",
            "model": {"type": "VAE"},
            "data_train": {"args": {"features_file": "x"}},
            "transfer": {"from": "r"},
        }
    )
    assert "model.args.output_classes: missing" in said
    assert "data_train.args.labels_file: missing" in said


def test_relative_paths_are_found_here_or_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    (there / "c.json").write_text(RESNET, encoding="utf-8")
    (there / "x.tsv").touch()
    monkeypatch.chdir(here)
    config = read_config(Path("../there/c.json"))
    assert config.find(".", "x.tsv") == there.parent / "here" / "../there/x.tsv"
    (here / "x.tsv").touch()
    assert config.find(".", "x.tsv") == Path("x.tsv")
    assert config.find("none.tsv") == Path("none.tsv")
    assert config.find("/data", "x.tsv") == Path("/data/x.tsv")


def test_the_line_of_a_key_is_right_for_nested_and_repeated_names() -> None:
    text = parse_text(RESNET, "sample")
    rows = RESNET.splitlines()
    named = {path: line for path, line in text.lines.items() if path and isinstance(path[-1], str)}
    assert all(f'"{path[-1]}"' in rows[line - 1] for path, line in named.items())
    assert len({line for path, line in named.items() if path[-1] == "args"}) == 7
    assert (
        rows[text.lines[("hyper_param_spec", "args", "ResNet", "keep_prob", 1)] - 1]
        .strip()
        .startswith('"keep_prob"')
    )


def test_a_key_in_a_comment_or_a_value_is_no_key() -> None:
    text = parse_text('{"a": "\\"b\\": 1", // "c": 2\n /* "d": 3,\n */ e: [1,\n{f: 2},],}', "sample")
    assert text.value == {"a": '"b": 1', "e": [1, {"f": 2}]}
    assert dict(text.lines) == {(): 1, ("a",): 1, ("e",): 3, ("e", 0): 3, ("e", 1): 4, ("e", 1, "f"): 4}


def test_all_problems_come_in_one_error_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = changed(
        ('"patience"', '"patiense"'), ('"n_blocks": [2, 3]', '"n_blocks": [2, 0]'), ('"adam"', '"adm"')
    )
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "bad.json: 3 problems"
    assert (
        lines[1] == f"  line {line_of('patience')}, trainer.patiense: unknown key. Did you mean 'patience'?"
    )
    assert lines[2].startswith(f'  line {line_of("adam")}, optimizer.type: expected "adam", "sgd"')
    place = f"line {line_of('[2, 3]')}, hyper_param_spec.args.ResNet.n_blocks[1]"
    assert lines[-1] == f"  {place}: expected a number above 0, got 0."
    assert max(map(len, lines)) <= 110
    assert isinstance(caught.value, GenoKerasError)


def test_contradictions_are_reported_beside_misspelt_keys() -> None:
    said = message(minimal(trainer={"loss": "mse", "monitor": "accuracy", "patiense": 3}))
    assert "2 problems" in said
    assert "trainer.patiense" in said
    assert "trainer.monitor: a regression" in said


def test_an_error_in_a_dict_has_no_line() -> None:
    assert message(minimal(seeed=3)) == "configuration, seeed: unknown key. Did you mean 'seed'?"


def test_a_missing_key_is_placed_in_the_line_of_its_section(tmp_path: Path) -> None:
    line = line_of('"data_dir"') - 1  # where the "args" of data_train begin
    said = message_of(changed(('"features_file": "values.tsv",\n', "\n")), tmp_path)
    assert said == f"bad.json, line {line}, data_train.args.features_file: missing; this key has to be given."


def test_a_section_in_another_case_has_its_line_too(tmp_path: Path) -> None:
    line = line_of('"ResNet": {"n_latent": 32')
    said = message_of(changed(('"ResNet": {"n_latent": 32', '"resnet": {"n_latent": -1')), tmp_path)
    assert (
        said == f"bad.json, line {line}, param_spec.args.ResNet.n_latent: expected a number above 0, got -1."
    )


def test_a_key_in_the_wrong_section_is_told_where_it_belongs() -> None:
    assert (
        message(minimal(patience=3)) == "configuration, patience: unknown key here; it belongs into trainer."
    )


def test_a_key_of_another_kind_of_project_is_told_so() -> None:
    said = message(minimal(trainer={"child_num_layers": 3}))
    assert (
        said
        == "configuration, trainer.child_num_layers: unknown key; trainer.child_num_layers is for enas projects."
    )


def test_a_key_like_no_other_is_answered_by_those_there_are() -> None:
    assert (
        message(minimal(optimizer={"zzz": 1})) == "configuration, optimizer.zzz: unknown key; known are type."
    )


def test_a_repeated_key_names_both_lines(tmp_path: Path) -> None:
    line = line_of('"patience"')
    said = message_of(changed(('"patience": 30,', '"patience": 30,\n"patience": 40,')), tmp_path)
    assert (
        said
        == f"bad.json, line {line + 1}, trainer.patience: occurs twice in one object, first in line {line}: keep one."
    )


def test_keys_below_a_repeated_key_are_not_repeated_themselves(tmp_path: Path) -> None:
    line = line_of('"optimizer"')
    said = message_of(
        changed(
            ('"optimizer": {"type": "adam"},', '"optimizer": {"type": "adam"}, "optimizer": {"type": "sgd"},')
        ),
        tmp_path,
    )
    assert (
        said
        == f"bad.json, line {line}, optimizer: occurs twice in one object, first in line {line}: keep one."
    )


@pytest.mark.parametrize("name", ["VEA", "vaee", 3])
def test_a_wrong_model_type_is_the_only_problem_where_the_type_decides_on_the_others(name: object) -> None:
    files = {"args": {"features_file": "x.tsv"}}
    data = {"name": "v", "model": {"type": name}, "data_train": files, "data_evaluate": files}
    said = message({**data, "trainer": {"selected_mode": "min"}})
    assert said.startswith('configuration, model.type: expected "ResNet", "DenseNet", "VAE" or "enas", got ')
    assert said.endswith(f"got \"{name}\". Did you mean 'VAE'?" if name != 3 else "got 3.")


def test_what_is_wrong_for_every_model_is_said_beside_a_wrong_type() -> None:
    said = message(minimal(model={"type": "RseNet"}, trainer={"monitor": "loss", "selected_mode": "max"}))
    assert "2 problems" in said
    assert 'trainer.selected_mode: expected "min"' in said


def test_a_list_of_wrong_values_is_not_called_empty() -> None:
    said = message(minimal(hyper_param_spec={"args": {"ResNet": {"keep_prob": [0, 2]}}}))
    assert "2 problems" in said
    assert "keep_prob[0]: expected a number above 0, got 0." in said
    assert "keep_prob[1]: expected a number of 1 or less, got 2." in said


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"trainer": {"batch_size": "64"}}, 'trainer.batch_size: expected a whole number, got "64". Leave the quotes out.'),
        ({"trainer": {"batch_size": True}}, "trainer.batch_size: expected a whole number, got true."),
        ({"trainer": {"batch_size": 6.5}}, "trainer.batch_size: expected a whole number, got 6.5."),
        ({"trainer": {"num_gpus": -1}}, "trainer.num_gpus: expected a number of 0 or more, got -1."),
        ({"trainer": {"num_gpus": 2}}, "because a project trains on one device; got 2."),
        ({"trainer": {"save_dir": 3}}, "trainer.save_dir: expected text in quotes, got 3."),
        ({"trainer": {"save_dir": ""}}, 'trainer.save_dir: expected some text, got "".'),
        ({"trainer": [1]}, "trainer: expected an object, { ... }, got [1]."),
        ({"trainer": {"loss": "msa"}}, 'expected "cross_entropy" or "mse", got "msa". Did you mean \'mse\'?'),
        ({"trainer": {"hyper_selector": "bayes"}}, "got 'bayes'. Did you mean 'bayesian'?"),
        ({"trainer": {"hyper_selector": "yes"}}, "expected true, false or one of 'bayesian', 'hyperband'"),
        ({"seed": -1}, "seed: expected a number of 0 or more, got -1."),
        ({"name": "a/b"}, "name: expected a name that can be a folder's"),
        ({"transfer": {"from": "r", "trainable": 1}, "model": {"type": "VAE", "args": {"output_classes": 2}}}, "expected true or false, got 1."),
        ({"param_spec": {"args": {"ResNet": {"keep_prob": 0}}}}, "keep_prob: expected a number above 0, got 0."),
        ({"param_spec": {"args": {"ResNet": {"keep_prob": 1.1}}}}, "keep_prob: expected a number of 1 or less, got 1.1."),
        ({"param_spec": {"args": {"ResNet": {"output_nonlinear": "Tanhh"}}}}, "Did you mean 'tanh'?"),
        ({"param_spec": {"args": {"optimizer_param": {"learning_rate": float("inf")}}}}, "learning_rate: expected a finite number"),
        ({"hyper_param_spec": {"args": {"ResNet": {"n_latent": 32}}}}, "n_latent: expected a list, [ ... ], got 32."),
        ({"hyper_param_spec": {"args": {"ResNet": {"n_latent": []}}}}, "expected a list with at least one value, got []."),
        ({"hyper_param_spec": {"args": {"ResNet": {"n_latent": [[]]}}}}, "n_latent[0]: expected a whole number, got []."),
        ({"hyper_param_spec": {"args": {"ResNet": {"n_latent": [8, 8]}}}}, "expected every value to occur once."),
        ({"explainer": {"args": {"plot_type": "pie"}}}, 'plot_type: expected "bar", "dot", "violin" or "layered_violin"'),
        ({"model": {"type": "RseNet", "args": {"output_classes": 2}}}, 'got "RseNet". Did you mean \'ResNet\'?'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_answered_by_what_was_expected(sections: dict[str, Any], expected: str) -> None:
    assert expected in message(minimal(**sections))


@pytest.mark.parametrize(("split", "expected"), [(0, "above 0"), (1, "below 1"), (1.5, "below 1")])
def test_the_validation_split_is_a_share(split: float, expected: str) -> None:
    files = {"features_file": "x", "labels_file": "y", "validation_split": split}
    assert expected in message(minimal(data_train={"args": files}))


def test_a_delimiter_is_one_character() -> None:
    files = {"features_file": "x", "labels_file": "y", "delimiter": ", "}
    assert "data_train.args.delimiter: expected one character" in message(minimal(data_train={"args": files}))


def test_data_to_predict_have_no_labels() -> None:
    said = message(minimal(data_predict={"args": {"features_file": "x", "labels_file": "y"}}))
    assert said.startswith(
        "configuration, data_predict.args.labels_file: unknown key here; it belongs into data_train.args"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (minimal(model={"type": "ResNet", "args": {"output_classes": 1}}), 'For regression set trainer.loss to "mse".'),
        (minimal(model={"type": "ResNet"}), "model.args.output_classes: missing; expected the number of classes"),
        (minimal(trainer={"monitor": "loss", "selected_mode": "max"}), "a smaller loss is better"),
        (minimal(trainer={"monitor": "f1_score", "selected_mode": "min"}), "more of it is better"),
        (regression(monitor="accuracy"), "has no classes, so there is no accuracy to watch"),
        (minimal(transfer={"from": "runs/1"}), "transfer: only a VAE has an encoder to transfer"),
        (minimal(param_spec={"args": {"DenseNet": {}}}), "param_spec.args: expected \"ResNet\", the project's model.type"),
        (minimal(data_evaluate={"args": {"features_file": "x"}}), "data_evaluate.args.labels_file: missing"),
    ],
)  # fmt: skip
def test_contradictions_say_why(data: dict[str, Any], expected: str) -> None:
    assert expected in message(data)


def test_a_searched_parameter_needs_a_start_value() -> None:
    spec = {
        "param_spec": {"args": {"ResNet": {"n_latent": 8}}},
        "hyper_param_spec": {"args": {"ResNet": {"n_blocks": [2]}}},
    }
    assert "hyper_param_spec.args.ResNet.n_blocks: is searched, but has no start value" in message(
        minimal(**spec)
    )


def test_an_unknown_parameter_to_search_is_answered_by_the_one_meant() -> None:
    said = message(minimal(hyper_param_spec={"args": {"ResNet": {"n_block": [2]}}}))
    assert (
        said == "configuration, hyper_param_spec.args.ResNet.n_block: unknown key. Did you mean 'n_blocks'?"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"top_k_candidates": 2', '"top_k_candidates": 1', "top_k_candidates: expected a number of 2 or more, got 1."),
        ('"top_k_candidates": 2', '"top_k_candidates": 1001', "expected at most 1000, the number of arcs"),
        ('"child_num_layers": 3', '"child_num_layers": 0', "child_num_layers: expected a number above 0, got 0."),
        ('"max_search_channel": 512', '"max_search_channel": 4', "max_search_channel: expected a number of 5 or more"),
        ("1e-4", "-1", "child_l2_reg: expected a number of 0 or more, got -1."),
        ('"output_classes": 2', '"output_classes": 1', "expected 2 or more classes for enas, got 1. For numbers set trainer.loss"),
        ('"type": "enas"', '"type": "enaz"', 'got "enaz". Did you mean \'enas\'?'),
    ],
)  # fmt: skip
def test_wrong_values_of_an_enas_file_get_one_error_each(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    said = message_of(changed((old, new), text=ENAS), tmp_path)
    assert expected in said
    assert "problems" not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1\n "b": 2}', "line 2, column 2: expected ',' or '}' for the '{' of line 1 after the value of 'a', got '\"b\": 2}'."),
        ('{"a": {"b" 1}}', "line 1, column 12: expected ':' after the key 'b', got '1}}'."),
        ('{"a": tru}', "line 1, column 7: expected a value for 'a': a number, true, false, null"),
        ('{"a": ,}', "line 1, column 7: expected a value for 'a', got ',}'."),
        ('{"a": [1, 2}', "line 1, column 12: expected ',' or ']' after the value of 'a[1]', got '}'."),
        ('{"a": "x\n"}', 'line 1, column 7: expected the value to end with " in the same line'),
        ('{"a": 1', "line 1, column 8: expected ',' or '}' after the value of 'a', got the end of the file."),
        ('{"a": 1} x', "line 1, column 10: expected the end of the file after the last '}', got 'x'."),
        ("{1: 2}", "line 1, column 2: expected a key in quotes, or the '}' of the '{' in line 1, got '1: 2}'."),
        ("", "line 1, column 1: expected '{' at the start, got the end of the file."),
        ("[1]", "line 1, column 1: expected '{' at the start, got '[1]'."),
        ("{ /* x", "line 1, column 3: expected the comment that '/*' begins to end with '*/'"),
        ('{"a":' * 60, "expected at most 50 levels of brackets"),
    ],
)  # fmt: skip
def test_a_syntax_error_says_where_and_what_was_expected(text: str, expected: str, tmp_path: Path) -> None:
    said = message_of(text, tmp_path)
    assert said.startswith("bad.json, line ")
    assert expected in said


def test_a_missing_file_is_answered_by_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "resnet_test.json").touch()
    assert "does not exist: expected a project's JSON file. Did you mean 'resnet_test.json'?" in message(
        tmp_path / "resnet_tst.json"
    )


def test_a_file_in_another_encoding_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes('{"name": "Größe"}'.encode("latin-1"))
    assert "latin.json is not text in UTF-8 (byte 12)" in message(tmp_path / "latin.json")


def test_json_as_text_is_no_path() -> None:
    assert (
        message('{"name": "demo"}')
        == "expected the path of a project's JSON file, or a dict; got JSON as text."
    )


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    assert "cannot be read" in message(tmp_path)
