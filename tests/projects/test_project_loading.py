"""A project's files: what is detected, and every error once."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from genokeras.errors import DataError, DataFileError
from genokeras.projects import (
    EnasConfig,
    ProjectConfig,
    ProjectData,
    evaluates_training_file,
    load_evaluation,
    load_names,
    load_prediction,
    load_training,
    read_config,
    split_rows,
)

Config = ProjectConfig | EnasConfig
Project = Callable[..., Config]

MATRIX = "0.5\t2\t3\n1.5\t1\t4\n2.5\t8\t1\n3.5\t0\t9\n"
NUMBERS = [[0.5, 2, 3], [1.5, 1, 4], [2.5, 8, 1], [3.5, 0, 9]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a function that writes features and labels, and returns the configuration that names them."""

    def write(
        features: str = MATRIX, labels: str = "0\n1\n0\n1\n", name: str = "x.tsv", **sections: Any
    ) -> Config:
        if not (tmp_path / name).exists():
            (tmp_path / name).write_text(features, encoding="utf-8")
        (tmp_path / "y.txt").write_text(labels, encoding="utf-8")
        delimiter = {"delimiter": sections.pop("delimiter")} if "delimiter" in sections else {}
        files = {"data_dir": str(tmp_path), "features_file": name, **delimiter}
        labelled = {**files, "labels_file": "y.txt"}
        classes = sections.pop("output_classes", 2)
        return read_config(
            {
                "name": "demo",
                "model": {"type": "ResNet", "args": {"output_classes": classes}},
                "data_train": {"args": labelled},
                "data_evaluate": {"args": labelled},
                "data_predict": {"args": files},
                **sections,
            }
        )

    return write


def train(config: Config) -> ProjectData:
    """Return the training data, checked to be what every test expects of them."""
    data = load_training(config)
    assert data.x.dtype == np.float32
    assert (len(data.feature_names), len(data.sample_ids)) == (data.n_features, data.n_samples)
    return data


def test_a_matrix_without_header_is_read_as_it_is(project: Project) -> None:
    data = train(project())
    assert data.x.tolist() == NUMBERS
    assert data.y is not None
    assert (data.y.dtype, data.y.tolist(), data.classes) == (np.int64, [0, 1, 0, 1], ("0", "1"))
    assert (data.notes, data.source, data.names_given, data.ids_given) == ((), "x.tsv", False, False)


def test_a_first_line_of_whole_numbers_is_data(project: Project) -> None:
    data = train(project("4\t7\n1\t2\n3\t5\n6\t9\n"))
    assert data.x.tolist() == [[4, 7], [1, 2], [3, 5], [6, 9]]


@pytest.mark.parametrize(
    ("name", "delimiter", "between"),
    [
        ("x.tsv", " ", " "),
        ("x.txt", " ", "   "),
        ("x.data", "|", "|"),
        ("x.csv", None, ","),
        ("x.txt", None, "\t"),
    ],
)
def test_the_delimiter_is_free(project: Project, name: str, delimiter: str | None, between: str) -> None:
    text = MATRIX.replace("\t", between)
    assert train(project(text, name=name, delimiter=delimiter)).x.tolist() == NUMBERS


def test_blanks_around_a_line_do_no_harm(project: Project) -> None:
    assert train(project(" 1  2 \n 3  4 \n 5  6 \n 7  8 \n", delimiter=" ")).x.tolist()[1] == [3, 4]


def test_gzip_is_read(project: Project, tmp_path: Path) -> None:
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(MATRIX.encode()))
    assert train(project(name="x.tsv.gz")).x.tolist() == NUMBERS


def test_npy_is_read(project: Project, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array(NUMBERS))
    assert train(project(name="x.npy")).x.tolist() == NUMBERS


def test_parquet_brings_its_names(project: Project, tmp_path: Path) -> None:
    pd.DataFrame(NUMBERS, columns=["a", "b", "c"]).to_parquet(tmp_path / "x.parquet")
    data = train(project(name="x.parquet"))
    assert (data.x.tolist(), data.feature_names, data.names_given) == (NUMBERS, ("a", "b", "c"), True)


def test_h5ad_brings_its_names_and_ids(project: Project, tmp_path: Path) -> None:
    obs = pd.DataFrame(index=["s1", "s2", "s3", "s4"])
    anndata.AnnData(np.array(NUMBERS, np.float32), obs, pd.DataFrame(index=["a", "b", "c"])).write_h5ad(
        tmp_path / "x.h5ad"
    )
    data = train(project(name="x.h5ad"))
    assert (data.x.tolist(), data.feature_names, data.sample_ids[0]) == (NUMBERS, ("a", "b", "c"), "s1")


def test_a_header_is_detected_and_said(project: Project) -> None:
    data = train(project("a\tb\tc\n" + MATRIX))
    assert (data.x.tolist(), data.feature_names) == (NUMBERS, ("a", "b", "c"))
    assert data.notes == ("The first line was read as a header: its fields are the features' names.",)


def test_a_header_that_counts_the_columns_is_detected(project: Project) -> None:
    data = train(project("0\t1\t2\t3\t4\n" + "3\t3\t3\t2\t1\n" * 4))
    assert data.feature_names == ("0", "1", "2", "3", "4")


def test_sample_ids_are_detected_and_said(project: Project) -> None:
    rows = "".join(f"s{i}\t{row}\n" for i, row in enumerate(MATRIX.splitlines()))
    data = train(project(rows))
    assert (data.x.tolist(), data.sample_ids) == (NUMBERS, ("s0", "s1", "s2", "s3"))
    assert data.notes == ("The first column holds the sample ids.",)


@pytest.mark.parametrize("corner", ["\t", "", "id\t"])
def test_a_header_over_sample_ids_may_name_them_or_not(project: Project, corner: str) -> None:
    rows = "".join(f"00{i}\t{row}\n" for i, row in enumerate(MATRIX.splitlines()))
    data = train(project(f"{corner}a\tb\tc\n{rows}"))
    assert (data.x.tolist(), data.feature_names) == (NUMBERS, ("a", "b", "c"))
    assert data.sample_ids == ("000", "001", "002", "003")


def test_a_running_number_is_taken_for_sample_ids(project: Project) -> None:
    data = train(project("".join(f"{i}\t{i * 0.5}\n" for i in range(1, 7)), "0\n1\n" * 3))
    assert (data.n_features, data.sample_ids[:2]) == (1, ("1", "2"))
    assert data.notes == ("The first column counts the rows and gives the sample ids.",)


def test_a_delimiter_at_the_end_of_every_line_makes_no_feature(project: Project) -> None:
    data = train(project(MATRIX.replace("\n", "\t\n")))
    assert data.x.tolist() == NUMBERS
    assert "empty last column" in data.notes[0]


def test_a_long_line_split_at_the_wrong_delimiter_is_told_the_right_one(project: Project) -> None:
    text = (" ".join(["0.123456"] * 20_000) + "\n") * 4
    with pytest.raises(DataFileError, match='"delimiter": " " would give 20000 columns'):
        train(project(text, delimiter="\t"))


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        (MATRIX.replace("\t", ","), DataFileError, 'x.tsv comes out as one column with "delimiter": "\\t"; "delimiter": "," would give 3 columns.'),
        (MATRIX.replace("8", "NA"), DataError, "x.tsv: 1 value is empty or not a number (NaN): row 3, column 2. Fill them"),
        ("a\tb\tc\n" + MATRIX.replace("8", ""), DataError, "row 3, column 2 ('b')"),
        (MATRIX.replace("2.5\t8\t1", "2.5\t8"), DataError, "1 value is empty or not a number (NaN): row 3, column 3"),
        (MATRIX.replace("8", "8\t8"), DataFileError, "the lines do not have the same number of fields"),
        (MATRIX.replace("8", "1e39"), DataError, "1 value is infinite or too large: row 3, column 2"),
        (MATRIX.replace("8", "high"), DataError, "found text in 1 cell: row 3, column 2: 'high'. Is the delimiter right?"),
        (MATRIX.replace("2.5", "2,5"), DataError, "found text in 1 cell: row 3, column 1: '2,5'. These look like decimal commas"),
        ("a\tb\tc\n", DataFileError, "x.tsv holds a header line and no samples"),
        ("a\tb\ta\n" + MATRIX, DataError, "1 gene name occurs more than once: a."),
        ("a\tb\tc\td\te\n" + MATRIX, DataFileError, "the header names 5 columns, the lines below it hold 3"),
        ("", DataFileError, "is empty (0 bytes)"),
        ("\n\n", DataFileError, "x.tsv is empty: expected a line of numbers per sample."),
    ],
)  # fmt: skip
def test_features_that_cannot_be_used_get_one_clear_error(
    project: Project, text: str, error: type[DataError], expected: str
) -> None:
    with pytest.raises(error) as caught:
        train(project(text))
    assert expected in str(caught.value)


def test_missing_values_are_counted(project: Project) -> None:
    with pytest.raises(DataError, match="6 values are empty.*row 2, column 1; and 2 more"):
        train(project("NA\tNA\tNA\nNA\tNA\tNA\n" + MATRIX, "0\n1\n" * 3))


def test_npy_must_hold_numbers_in_two_dimensions(project: Project, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(3))
    with pytest.raises(
        DataFileError, match=r"expected numbers of shape \(n_samples, n_features\), got int64"
    ):
        train(project(name="x.npy"))


def test_a_missing_file_names_its_key_and_the_file_meant(project: Project, tmp_path: Path) -> None:
    config = project()
    (tmp_path / "x.tsv").rename(tmp_path / "xx.tsv")
    with pytest.raises(
        DataFileError, match=r"data_train.args.features_file: .*x.tsv does not exist. Did you mean 'xx.tsv'"
    ):
        train(config)


def test_a_missing_labels_file_is_told_before_the_features_are_read(project: Project, tmp_path: Path) -> None:
    config = project("no numbers at all")
    (tmp_path / "y.txt").unlink()
    with pytest.raises(DataFileError, match="data_train.args.labels_file: "):
        train(config)


def test_a_missing_relative_path_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    text = '{name: "d", model: {type: "vae"}, data_train: {args: {features_file: "x.tsv"}}}'
    (tmp_path / "c.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match=f"Looked for {tmp_path}/here/x.tsv and {tmp_path}/x.tsv."):
        load_training(read_config(tmp_path / "c.json"))


def test_names_are_numbered_in_sorted_order(project: Project) -> None:
    data = train(project(labels='tumour\nhealthy\n"tumour"\nbreast cancer\n', output_classes=3))
    assert data.y is not None
    assert (data.classes, data.y.tolist()) == (("breast cancer", "healthy", "tumour"), [2, 1, 2, 0])


def test_whole_numbers_with_a_point_are_whole_numbers(project: Project) -> None:
    assert train(project(labels="1.0\n0.0\n1.0\n0.0\n")).classes == ("0", "1")


def test_classes_of_two_digits_keep_their_number(project: Project) -> None:
    rows = "".join(f"0.5\t{i}.5\t1\n" for i in range(12))
    data = train(project(rows, "".join(f"{i}\n" for i in range(12)), output_classes=12))
    assert data.y is not None
    assert data.y.tolist() == list(range(12))


def test_a_header_above_the_labels_is_detected_and_said(project: Project) -> None:
    assert train(project(labels="label\n0\n1\n0\n1\n")).notes == (
        "The first line of y.txt, 'label', was read as a header.",
    )


def test_labels_behind_sample_ids_are_joined_by_them(project: Project) -> None:
    rows = "".join(f"s{i}\t{row}\n" for i, row in enumerate(MATRIX.splitlines()))
    data = train(project(rows, "id\tlabel\ns3\tb\ns2\ta\ns1\tb\ns0\ta\n"))
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("0\n1\n0\n", "y.txt holds 3 labels, x.tsv 4 rows: expected one label for every row."),
        ("0\n1\n0\n1\n1\n", "y.txt holds 5 labels, x.tsv 4 rows"),
        ("0\n\n0\n1\n", "y.txt: 1 label is missing, in row 2. Give these rows a label"),
        ("0\nNA\n0\n1\n", "y.txt: 1 label is missing, in row 2."),
        ("1\n2\n1\n2\n", "labels that are numbers have to be 0 and 1 (model.args.output_classes is 2), got 1, 2. Number them from 0"),
        ("0\n1\n2\n1\n", "y.txt holds 3 classes, model.args.output_classes is 2: expected as many. Found '0' (1), '1' (2), '2' (1)."),
        ("a\na\na\na\n", "y.txt holds 1 class, model.args.output_classes is 2"),
        ("0.5\n1\n0.2\n3\n", "4 distinct numbers with fractions in 4 rows: expected classes. For regression set"),
        ("a,0\nb,1\nc,0\nd,1\n", "y.txt holds 2 columns: expected one, the labels, one a line."),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_used_get_one_clear_error(project: Project, labels: str, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        train(project(labels=labels))
    assert expected in str(caught.value)


CLINICAL = "age,patient,er_status,dose\n50,s4,neg,1\n40,s1,pos,2\n60,s9,pos,3\n41,s2,neg,4\n42,s3,pos,5\n"
WITH_IDS = "".join(f"s{i}\t{line}\n" for i, line in enumerate(MATRIX.splitlines(), start=1))


def labelled_by(config: Config, labels_file: str) -> Config:
    given = config.to_dict()
    given["data_train"]["args"]["labels_file"] = labels_file
    return read_config(given)


def test_a_column_of_a_table_is_read_as_estimators_read_it(project: Project) -> None:
    config = project(WITH_IDS, CLINICAL)
    with pytest.raises(DataError, match=r"holds 4 columns: .* name the column: 'y\.txt:dose'"):
        load_training(config)
    data = train(labelled_by(config, "y.txt:er_status"))
    assert data.y is not None and (data.y.tolist(), data.classes) == ([1, 0, 1, 0], ("neg", "pos"))
    assert any("y.txt names 1 further sample" in note for note in data.notes)
    with pytest.raises(DataError, match="er_state.*Did you mean 'er_status'"):
        load_training(labelled_by(config, "y.txt:er_state"))


def test_a_column_of_numbers_is_predicted(project: Project) -> None:
    config = project(WITH_IDS, CLINICAL, output_classes=1, trainer={"loss": "mse"})
    data = train(labelled_by(config, "y.txt:dose"))
    assert data.y is not None and data.y.tolist() == [[2], [4], [5], [1]]
    with pytest.raises(DataError, match="needs finite numbers"):
        load_training(labelled_by(config, "y.txt:er_status"))


def test_an_empty_labels_file_is_told_so(project: Project) -> None:
    with pytest.raises(DataFileError, match="y.txt is empty"):
        train(project(labels="\n"))


@pytest.mark.parametrize(
    "header", ["Patient No\tG0\tG1\n", "sample id\tG0\tG1\n", "Unnamed: 0\tG0\tG1\n", ""]
)
def test_numbered_samples_in_any_order_are_joined_by_their_numbers(project: Project, header: str) -> None:
    order = [7, 3, 11, 1, 9, 5, 12, 2, 10, 4, 8, 6]
    rows = "".join(f"{i}\t{i / 7:.3f}\t{-i / 3:.3f}\n" for i in order)
    labels = "".join(f"{i}\t{i % 2}\n" for i in sorted(order))
    data = train(project(header + rows, labels))
    assert data.sample_ids == tuple(map(str, order)) and data.n_features == 2
    assert data.y is not None and data.y.tolist() == [i % 2 for i in order]


def test_labels_of_a_part_of_the_samples_name_the_others(project: Project) -> None:
    rows = "sample\tG0\tG1\n" + "".join(f"P{i}\t{i / 7:.3f}\t{-i / 3:.3f}\n" for i in range(6))
    with pytest.raises(DataError, match="y.txt has no label for 2 of 6 samples: P4, P5. Expected a line for"):
        load_training(project(rows, "".join(f"P{i}\t{i % 2}\n" for i in range(4))))


def test_a_sample_labelled_twice_is_named(project: Project) -> None:
    rows = "".join(f"s{i}\t{row}\n" for i, row in enumerate(MATRIX.splitlines()))
    with pytest.raises(DataError, match="y.txt labels 1 sample more than once: s1"):
        train(project(rows, "s0\ta\ns1\tb\ns1\ta\ns2\tb\ns3\tb\n"))


def test_numbers_to_predict_are_floats(project: Project) -> None:
    data = train(project(labels="1\n2\n3.5\n-4\n", output_classes=1, trainer={"loss": "mse"}))
    assert data.y is not None
    assert (data.y.dtype, data.y.tolist(), data.classes) == (np.float32, [[1], [2], [3.5], [-4]], ())


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ("1\t10\n2\t20\n3.5\t35\n-4\t-40\n", ("value_0", "value_1")),
        ("age,dose\n1,10\n2,20\n3.5,35\n-4,-40\n", ("age", "dose")),
        ("id;age;dose\ns3;-4;-40\ns0;1;10\ns2;3.5;35\ns1;2;20\ns9;7;70\n", ("age", "dose")),
    ],
    ids=["bare", "header", "joined by id"],
)
def test_several_numbers_to_predict_stand_in_columns(
    project: Project, labels: str, names: tuple[str, ...]
) -> None:
    matrix = MATRIX
    if labels.startswith("id"):
        matrix = "".join(f"s{i}\t{row}\n" for i, row in enumerate(MATRIX.splitlines()))
    data = train(project(matrix, labels, trainer={"loss": "mse"}))
    assert data.y is not None
    assert (data.y.dtype, data.y.tolist()) == (np.float32, [[1, 10], [2, 20], [3.5, 35], [-4, -40]])
    assert (data.targets, data.classes) == (names, ())


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (
            "1\n2\n3\n4\n",
            "y.txt holds 1 column of numbers, model.args.output_classes is 2: expected one column",
        ),
        ("1\t2\n1\t2\n1\t2\n", "y.txt holds 3 rows, x.tsv 4: expected one for every sample"),
        ("1\t2\n1\tinf\n1\t2\n1\t2\n", "y.txt: row 2, column 2 is missing or infinite"),
        ("1\t2\n1\ta\n1\t2\n1\t2\n", "y.txt: expected numbers, found text in 1 cell: row 2, column 2: 'a'"),
    ],
)
def test_several_numbers_are_checked(project: Project, labels: str, expected: str) -> None:
    with pytest.raises(DataError) as error:
        train(project(labels=labels, trainer={"loss": "mse"}))
    assert expected in str(error.value)


PAIR = [[1, 10], [2, 20], [3.5, 35], [-4, -40]]


@pytest.mark.parametrize(
    ("header", "trained", "swapped"),
    [
        ("age,dose\n", ("age", "dose"), False),
        ("age,dose\n", ("dose", "age"), True),
        ("", ("dose", "age"), False),
        ("age,dose\n", ("value_0", "value_1"), False),
    ],
    ids=["as in training", "other order", "no header", "none in training"],
)
def test_numbers_to_evaluate_stand_in_the_order_of_training(
    project: Project, header: str, trained: tuple[str, ...], swapped: bool
) -> None:
    lines = "".join(f"{age},{dose}\n" for age, dose in PAIR)
    data = load_evaluation(project(labels=header + lines, trainer={"loss": "mse"}), targets=trained)
    assert data.y is not None
    assert data.y.tolist() == [pair[::-1] if swapped else pair for pair in PAIR]
    assert data.targets == trained
    assert any("brought into the order of training: dose, age" in note for note in data.notes) == swapped


@pytest.mark.parametrize(
    ("columns", "missing"), [("height,dose", "Missing is 'age'"), ("age,age", "Missing is 'dose'")]
)
def test_numbers_to_evaluate_by_other_names_are_refused(project: Project, columns: str, missing: str) -> None:
    lines = "".join(f"{age},{dose}\n" for age, dose in PAIR)
    config = project(labels=f"{columns}\n{lines}", trainer={"loss": "mse"})
    shown = columns.replace(",", ", ")
    message = (
        f"y.txt has the columns {shown}, and the model was fitted to age, dose: which is which. {missing}"
    )
    with pytest.raises(DataError, match=message):
        load_evaluation(config, targets=("age", "dose"))


def test_names_are_no_numbers_to_predict(project: Project) -> None:
    config = project(labels="1\na\n3\ninf\n", output_classes=1, trainer={"loss": "mse"})
    with pytest.raises(DataError, match="found 2 other labels: row 2: 'a', row 4: 'inf'. For classes set"):
        train(config)


def test_a_vae_leaves_labels_alone(project: Project) -> None:
    data = train(project(labels="1.5\n", model={"type": "VAE"}))
    assert (data.y, data.classes) == (None, ())


@pytest.mark.parametrize(
    ("labels", "codes", "classes"),
    [
        ("b\na\nb\nc\n", [1, 0, 1, 2], ("a", "b", "c")),
        ("10\n9\n9.0\n10\n", [1, 0, 0, 1], ("9", "10")),
        ("S3\tlow\nS2\thigh\nS1\tlow\nS0\thigh\n", [0, 1, 0, 1], ("high", "low")),
    ],
)
def test_a_vae_evaluates_with_any_labels_as_classes(
    project: Project, labels: str, codes: list[int], classes: tuple[str, ...]
) -> None:
    rows = [f"S{i}\t{line}" for i, line in enumerate(MATRIX.splitlines())]
    data = load_evaluation(project("\n".join(rows) + "\n", labels, model={"type": "VAE"}))
    assert data.y is not None
    assert (data.y.tolist(), data.classes) == (codes, classes)


def test_a_vae_refuses_labels_of_other_samples(project: Project) -> None:
    with pytest.raises(
        DataError, match=r"y\.txt holds 3 labels, x\.tsv 4 rows: expected one label for every row"
    ):
        load_evaluation(project(labels="a\nb\na\n", model={"type": "VAE"}))


def test_evaluation_labels_are_encoded_by_the_training_classes(project: Project) -> None:
    data = load_evaluation(project(labels="b\nb\nb\nb\n"), ("a", "b"))
    assert data.y is not None
    assert (data.y.tolist(), data.classes) == ([1, 1, 1, 1], ("a", "b"))


def test_evaluation_labels_unknown_to_training_are_an_error(project: Project) -> None:
    with pytest.raises(DataError, match="labels that the training data do not: 'c'. Known are 'a', 'b'"):
        load_evaluation(project(labels="a\nb\nb\nc\n"), ("a", "b"))


def test_features_to_predict_are_brought_into_the_order_of_training(project: Project) -> None:
    data = load_prediction(project("a\tb\tc\n" + MATRIX), ("c", "a"))
    assert data.x.tolist() == [[3, 0.5], [4, 1.5], [1, 2.5], [9, 3.5]]
    assert data.y is None


def test_another_number_of_features_than_in_training_is_an_error(project: Project) -> None:
    with pytest.raises(
        DataError, match="X has 3 features, but GenoKeras is expecting 4 features as input, as in training"
    ):
        load_prediction(project(), tuple(f"feature_{i}" for i in range(4)))


def test_sections_left_out_are_asked_for(project: Project) -> None:
    config = project(data_evaluate=None, data_predict=None)
    with pytest.raises(DataError, match="has no data_evaluate"):
        load_evaluation(config)
    with pytest.raises(DataError, match="has no data_predict"):
        load_prediction(config)


def test_evaluation_on_the_training_file_is_noticed(project: Project, tmp_path: Path) -> None:
    other = {"args": {"data_dir": str(tmp_path), "features_file": "other.tsv", "labels_file": "y.txt"}}
    assert evaluates_training_file(project())
    assert not evaluates_training_file(project(data_evaluate=other))


@pytest.mark.parametrize("text", ["A\nB\nA\n", "gene\nA\nB\nA\n"])
def test_names_to_explain_by_come_from_their_file(project: Project, tmp_path: Path, text: str) -> None:
    (tmp_path / "names.txt").write_text(text, encoding="utf-8")
    config = project(explainer={"args": {"features_name_file": str(tmp_path / "names.txt")}})
    assert load_names(config, train(config)) == ("A", "B", "A")


def test_names_to_explain_by_are_else_those_of_the_header(project: Project) -> None:
    config = project("a\tb\tc\n" + MATRIX)
    assert load_names(config, train(config)) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\nB\n", "names.txt holds 2 names, x.tsv 3 columns: expected one name for every column"),
        ("A\n\nC\n", "names.txt: 1 name is empty, in line 2."),
    ],
)
def test_names_that_do_not_fit_are_an_error(
    project: Project, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "names.txt").write_text(text, encoding="utf-8")
    config = project(explainer={"args": {"features_name_file": str(tmp_path / "names.txt")}})
    with pytest.raises(DataError, match=expected):
        load_names(config, train(config))


def test_a_split_keeps_the_proportions_of_the_classes() -> None:
    y = np.repeat([0, 1], [70, 30])
    training, validation = split_rows(y, 0.2, shuffle=True, seed=3)
    assert np.bincount(y[validation]).tolist() == [14, 6]
    assert sorted([*training, *validation]) == list(range(100))


def test_every_class_of_two_rows_is_on_both_sides_of_a_split() -> None:
    y = np.array([0] * 50 + [1] * 2 + [2] * 2 + [3])
    training, validation = split_rows(y, 0.05, shuffle=True, seed=0)
    assert set(y[training]) == {0, 1, 2, 3}
    assert set(y[validation]) == {0, 1, 2}


def test_a_large_share_leaves_a_row_of_every_class_to_train_on() -> None:
    y = np.array([0, 0, 0, 1, 1])
    assert set(y[split_rows(y, 0.95, shuffle=True, seed=0)[0]]) == {0, 1}


def test_a_split_follows_its_seed() -> None:
    y = np.arange(40) % 2
    splits = [split_rows(y, 0.25, shuffle=True, seed=seed)[1].tolist() for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_without_shuffling_the_last_rows_are_held_out() -> None:
    assert split_rows(None, 0.3, shuffle=False, seed=0, n_samples=10)[1].tolist() == [7, 8, 9]
    assert split_rows(np.array([0, 1, 0, 1, 0, 1]), 0.34, shuffle=False, seed=0)[1].tolist() == [4, 5]


def test_numbers_to_predict_are_split_whatever_they_are() -> None:
    training, validation = split_rows(np.linspace(0, 1, 10), 0.2, shuffle=True, seed=0)
    assert (len(training), len(validation)) == (8, 2)


@pytest.mark.parametrize(("y", "expected"), [([0], "at least 2 rows"), ([0, 1, 2], "no class has 2 rows")])
def test_too_few_rows_to_split_are_an_error(y: list[int], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        split_rows(np.array(y), 0.5, shuffle=True, seed=0)
