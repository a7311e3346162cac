"""Transfer reads the columns of new data by name, in the order that the encoder was trained on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genokeras as ag
from genokeras.errors import DataError, RunFolderError
from genokeras.projects import ProjectConfig, ProjectData, load_names, read_config
from genokeras.projects.encoder_columns import as_encoder_reads
from genokeras.projects.results import TrainedRecord, finish

GENES = ("TP53", "MYC", "EGFR")
X = np.arange(12, dtype="float32").reshape(4, 3)


def data_of(names: tuple[str, ...], x: np.ndarray = X, *, named: bool = True) -> ProjectData:
    ids = tuple(f"S{i}" for i in range(len(x)))
    return ProjectData(x, None, (), names, ids, source="new.csv", names_given=named)


def encoder_in(folder: Path, names: tuple[str, ...] = GENES, *, named: bool = True) -> Path:
    """The files of a VAE run, as far as columns go."""
    for name in ("best_model.keras", "encoder.keras", "other.keras"):
        (folder / name).write_bytes(b"")
    record = TrainedRecord("VAE", "encoding", {}, (), names, {}, {}, 1.0, names_given=named)
    finish(folder / "best_model.keras", record)
    return folder / "encoder.keras"


def transfer_from(place: Path, **sections: Any) -> ProjectConfig:
    files = {"features_file": "new.csv", "labels_file": "labels.txt"}
    config = read_config(
        {
            "name": "t",
            "model": {"type": "VAE", "args": {"output_classes": 2}},
            "transfer": {"from": str(place)},
            "data_train": {"args": files},
            **sections,
        }
    )
    assert isinstance(config, ProjectConfig)
    return config


def test_columns_in_another_order_come_in_that_of_the_encoder(tmp_path: Path) -> None:
    encoder_in(tmp_path)
    found = as_encoder_reads(transfer_from(tmp_path), data_of(GENES[::-1], X[:, ::-1]))
    assert found.feature_names == GENES and found.names_given
    np.testing.assert_array_equal(found.x, X)


def test_a_gene_that_the_encoder_does_not_read_is_dropped_with_a_note(tmp_path: Path) -> None:
    encoder_in(tmp_path)
    more = np.column_stack([X[:, :1], X[:, :1] * 0, X[:, 1:]])
    found = as_encoder_reads(transfer_from(tmp_path), data_of(("TP53", "KRAS", "MYC", "EGFR"), more))
    np.testing.assert_array_equal(found.x, X)
    assert "KRAS" in found.notes[-1]


def test_a_gene_that_is_missing_is_refused_with_the_name_of_the_encoder(tmp_path: Path) -> None:
    file = encoder_in(tmp_path)
    with pytest.raises(DataError, match=r"1 of the 3 genes .* missing in new\.csv: EGFR\.") as caught:
        as_encoder_reads(transfer_from(tmp_path), data_of(("TP53", "MYC", "KRAS")))
    assert str(file) in str(caught.value)


def test_columns_without_names_are_taken_for_those_of_the_encoder_with_a_note(tmp_path: Path) -> None:
    encoder_in(tmp_path)
    unnamed = data_of(("feature_0", "feature_1", "feature_2"), named=False)
    found = as_encoder_reads(transfer_from(tmp_path), unnamed)
    assert found.feature_names == GENES and found.names_given
    assert "matched by position" in found.notes[-1]


@pytest.mark.parametrize("case", ["no record", "no names in the record", "the record of another file"])
def test_the_order_is_assumed_and_said_where_the_encoder_has_no_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    file = encoder_in(tmp_path, named=case != "no names in the record")
    if case == "no record":
        (tmp_path / "trained.json").unlink()
    if case == "the record of another file":
        file = tmp_path / "other.keras"
    given = data_of(GENES[::-1])
    with caplog.at_level("INFO", "genokeras.projects"):
        assert as_encoder_reads(transfer_from(file), given) is given
    assert [line for line in caplog.messages if "comes without names of features" in line] == [
        f"{file} comes without names of features: the columns of new.csv are taken to be in the order that the encoder "
        "was trained on."
    ]


def test_a_damaged_record_is_refused_and_says_what_it_is_for(tmp_path: Path) -> None:
    encoder_in(tmp_path)
    (tmp_path / "trained.json").write_text('{"format": 1,')
    with pytest.raises(RunFolderError, match=r"damaged.*names of the features.*remove trained\.json"):
        as_encoder_reads(transfer_from(tmp_path), data_of(GENES))


def test_a_copied_encoder_needs_no_more_than_its_record(tmp_path: Path) -> None:
    encoder_in(tmp_path)
    (tmp_path / "best_model.keras").unlink()
    found = as_encoder_reads(transfer_from(tmp_path), data_of(GENES[::-1], X[:, ::-1]))
    np.testing.assert_array_equal(found.x, X)


def test_a_file_of_names_is_read_by_the_columns_of_the_training_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("third\nsecond\nfirst\nspare\n")
    explainer = {"args": {"features_name_file": str(tmp_path / "names.txt")}}
    config = transfer_from(tmp_path, explainer=explainer)
    in_file = data_of((*GENES[::-1], "KRAS"), np.ones((4, 4), "float32"))
    assert load_names(config, data_of(GENES), in_file) == ("first", "second", "third")
    others = dataclasses.replace(in_file, feature_names=("a", "b", "c", "d"))
    with pytest.raises(DataError, match=r"4 names.*3 columns"):
        load_names(config, data_of(GENES), others)


def test_reversed_columns_give_the_same_classifier_that_predicts_by_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((40, 1))
    genes = [f"G{i}" for i in range(12)]
    x = factor * rng.standard_normal((1, 12)) + 0.3 * rng.standard_normal((40, 12)) + 3 * np.arange(12)
    table = pd.DataFrame(x, columns=genes, index=pd.Index([f"S{i}" for i in range(40)], name="id"))
    table.to_csv(tmp_path / "straight.csv")
    table.iloc[:, ::-1].to_csv(tmp_path / "reversed.csv")
    (tmp_path / "labels.txt").write_text("\n".join("ab"[int(z > 0)] for z in factor[:, 0]))
    shared = {
        "trainer": {"hyper_selector": False, "max_steps": 30, "save_dir": str(tmp_path / "runs")},
        "param_spec": {
            "args": {"VAE": {"n_latent": 2, "n_blocks": 1}, "optimizer_param": {"learning_rate": 0.02}}
        },
    }
    files = {"data_dir": str(tmp_path), "features_file": "straight.csv"}
    vae = {"name": "vae", "model": {"type": "VAE"}, "data_train": {"args": files}, **shared}
    ag.auto(vae, verbose=0).train()

    found = {}
    for name in ("straight", "reversed"):
        here = {**files, "features_file": f"{name}.csv", "labels_file": "labels.txt"}
        section = {"data_train": {"args": here}, "data_evaluate": {"args": here}}
        config = transfer_from(tmp_path / "runs" / "models" / "vae", **section, **shared)
        project = ag.projects.Project(config, 0).train()
        assert tuple(project.trained.record.feature_names) == tuple(genes)
        found[name] = project.evaluate()["validation"], project.explain().values.mean(axis=0)
    assert found["straight"][0] == pytest.approx(found["reversed"][0])
    assert found["straight"][0]["accuracy"] > 0.7
    np.testing.assert_allclose(found["straight"][1], found["reversed"][1], atol=1e-5)
