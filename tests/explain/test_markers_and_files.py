"""Tables, files and drawings of an explanation."""

from __future__ import annotations

import csv
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from genokeras.errors import DataError, ParameterError, RunFolderError
from genokeras.explain import (
    Explanation,
    class_changes,
    marker_table,
    nogueira_index,
    plot_output,
    write_autogenome_files,
    write_marker_tables,
)
from genokeras.explain.statistics import copies
from tests.explain.functions import made_explanation


def test_equal_lists_are_fully_stable_and_random_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    equal = np.tile(np.arange(200) < 20, (6, 1))
    random = np.stack([rng.permutation(200) < 20 for _ in range(200)])
    assert nogueira_index(equal) == 1.0
    assert abs(nogueira_index(random)) < 0.02


def test_the_index_of_two_lists_is_the_one_computed_by_hand() -> None:
    lists = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], dtype=bool)
    # s^2 = 2 * (0, 1/4, 1/4, 0), mean 1/4; k / p = 1/2, so that the index is 1 - (1/4) / (1/4).
    assert nogueira_index(lists) == pytest.approx(0.0)


def test_fold_changes_and_q_values_point_at_the_gene_that_differs() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(6.0, 1.0, (40, 30))
    y = np.repeat([0, 1], 20)
    x[y == 1, 4] += 3.0
    x[:, 7] = 5.0
    changes = class_changes(x, y, [0, 1])
    assert changes.effect[4, 1] == pytest.approx(3.0, abs=0.8)
    assert changes.q_value[4, 1] < 1e-4
    assert changes.q_value[7, 1] == 1.0
    assert np.allclose(changes.effect[:, 0], -changes.effect[:, 1])


def test_intensities_are_compared_as_ratios() -> None:
    x = np.exp(np.random.default_rng(0).normal(6.0, 0.1, (20, 5)))
    y = np.repeat(["a", "b"], 10)
    x[10:, 0] *= 4.0
    assert class_changes(x, y, ["a", "b"]).effect[0, 1] == pytest.approx(2.0, abs=0.3)


def test_a_class_of_one_sample_has_no_t_test() -> None:
    with pytest.raises(DataError, match="needs two samples of a class"):
        class_changes(np.ones((3, 2)), ["a", "b", "b"], ["a", "b"])


def test_copies_are_grouped() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 5))
    x[:, 3] = -2.0 * x[:, 1] + 0.01 * rng.normal(size=50)
    assert copies(x).tolist() == [0, 1, 0, 1, 0]


def test_a_marker_table_is_sorted_by_mean_size(explained: Explanation) -> None:
    table = marker_table(explained)["high"]
    assert table["mean_abs"].is_monotonic_decreasing
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, 6]


def test_marker_tables_are_written_as_one_csv(explained: Explanation, tmp_path: Path) -> None:
    path = write_marker_tables(marker_table(explained), tmp_path / "new" / "markers.csv")
    assert pd.read_csv(path)["class"].value_counts().to_dict() == {"low": 6, "mid": 6, "high": 6}


def test_an_unknown_class_is_refused_with_a_hint(explained: Explanation) -> None:
    with pytest.raises(ParameterError, match="Did you mean 'high'"):
        explained["hgih"]


def test_parts_are_explanations_too(explained: Explanation) -> None:
    part = explained["mid"][:3, [0, 5]]
    assert part.shape == (3, 2, 1)
    assert part.feature_names == ("A", "A")
    assert np.array_equal(part.values[:, :, 0], explained.values[:3][:, [0, 5], 1])


def test_shap_reads_an_explanation(explained: Explanation) -> None:
    theirs = explained.to_shap()
    assert theirs.shape == explained.shape
    assert np.array_equal(theirs[:, :, 1].values, explained["mid"].values[:, :, 0])


def test_importances_go_into_an_anndata(explained: Explanation) -> None:
    part = explained[:, :5]
    adata = anndata.AnnData(np.zeros((2, 6), dtype="float32"))
    adata.var_names = ["other", *part.feature_names]
    part.to_anndata(adata)
    written = adata.varm["explanation_mean_abs"]
    assert np.isnan(written.loc["other"]).all()
    assert np.allclose(written.loc["B"], part.mean_abs[1])
    assert adata.uns["explanation"]["method"] == "expected_gradients"


def test_an_anndata_of_other_genes_is_refused(explained: Explanation) -> None:
    adata = anndata.AnnData(np.zeros((2, 2), dtype="float32"))
    with pytest.raises(DataError, match="not in adata.var_names"):
        explained.to_anndata(adata)


@pytest.fixture(scope="module")
def written(explained: Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the files of all three classes, drawn as bars."""
    folder = tmp_path_factory.mktemp("written") / "out"
    write_autogenome_files(explained, folder, ranked_outputs=4)
    return folder


def names_for(n_classes: int) -> set[str]:
    names = {"_barTotal_feature_importance_summary.pdf", "_features_orders.csv"}
    for number in range(n_classes):
        names |= {
            f"_dot{number}_feature_importance_summary.pdf",
            f"class_{number}feature_importance_summary.pdf",
            f"_class_{number}shap_values.csv",
        }
    return names


def test_autogenome_files_have_their_names(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == names_for(3)


@pytest.mark.parametrize("plot_type", ["dot", "violin", "layered_violin"])
def test_autogenome_files_have_their_names_for_every_drawing(
    explained: Explanation, tmp_path: Path, plot_type: str
) -> None:
    write_autogenome_files(explained["mid"], tmp_path / "out", plot_type, ranked_outputs=4)
    assert {path.name for path in (tmp_path / "out").iterdir()} == names_for(1)


def test_values_are_written_sample_by_sample(explained: Explanation, written: Path) -> None:
    with (written / "_class_2shap_values.csv").open(encoding="utf-8") as stream:
        head, *body = csv.reader(stream)
    assert head == ["sample", *explained.feature_names]
    assert np.allclose(np.array([row[1:] for row in body], dtype=float), explained.values[:, :, 2], rtol=1e-4)


def test_orders_name_the_most_important_gene_first(explained: Explanation, written: Path) -> None:
    orders = pd.read_csv(written / "_features_orders.csv")
    assert orders["class_0 (low)"][0] == explained.feature_names[explained.order("low")[0]]
    assert orders["all_classes"][0] == explained.feature_names[explained.order()[0]]


def test_one_sample_can_be_drawn(explained: Explanation, tmp_path: Path) -> None:
    for plot_type in ("dot", "violin", "layered_violin"):
        plot_output(explained[:1], "mid", plot_type).savefig(tmp_path / "one.pdf")


def test_names_from_any_script_are_drawn_without_a_warning(explained: Explanation, tmp_path: Path) -> None:
    values = np.ones((2, 3, 1), dtype="float32")
    part = Explanation(
        values,
        np.zeros((2, 1)),
        values[:, :, 0],
        ("$\\frac{1$", "アクチン", "a\nb" * 40),
        ("$ $",),
        ("s", "t"),
        np.zeros((2, 1)),
        explained.additivity,
        "linear",
        "log_odds",
    )
    write_autogenome_files(part, tmp_path)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"plot_type": "dots"}, "Did you mean 'dot'"), ({"ranked_outputs": 0}, "ranked_outputs")],
)
def test_unknown_options_are_refused(
    explained: Explanation, tmp_path: Path, option: dict[str, object], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        write_autogenome_files(explained, tmp_path, **option)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(explained: Explanation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        write_autogenome_files(explained, tmp_path / "file" / "out")


def test_files_of_numbers_speak_of_targets(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 3, 2))
    made = made_explanation(values, output="number", output_names=("age", "weight"))
    written = write_autogenome_files(made, tmp_path)
    assert all(path.exists() for path in written) and len(written) == 2 * 3 + 2
    orders = pd.read_csv(tmp_path / "_features_orders.csv")
    assert list(orders.columns) == ["rank", "all_targets", "target_0 (age)", "target_1 (weight)"]
    assert orders["rank"].tolist() == [1, 2, 3]
    for column, order in (("all_targets", made.order()), ("target_1 (weight)", made.order("weight"))):
        assert orders[column].tolist() == [f"g{i}" for i in order]
    table = pd.read_csv(tmp_path / "_class_1shap_values.csv", index_col="sample")
    assert table.index.tolist() == ["s0", "s1", "s2", "s3"]
    np.testing.assert_allclose(table, values[:, :, 1], rtol=1e-5)


def test_a_table_of_targets_is_written_with_its_columns(tmp_path: Path) -> None:
    made = made_explanation(np.ones((4, 3, 1)), output="number", output_names=("age",))
    head = write_marker_tables(marker_table(made), tmp_path / "m.csv").read_text().splitlines()[0]
    assert head == "target,rank,gene,mean_abs,mean_value,direction,group,group_size"
