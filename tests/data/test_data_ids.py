"""What is a gene and what is not: ids, numbers of samples, clinical data, columns that describe genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from genokeras.data import Dataset, load_dataset
from genokeras.errors import DataError, ParameterError

N = 40
rng = np.random.default_rng(5)
GENES = pd.DataFrame(rng.normal(6, 1, (N, 30)), columns=[f"GEN{i}" for i in range(30)])
COUNTS = GENES.mul(100).round().astype(int)
NUMBERS = list(range(1, N + 1))
SHUFFLED = rng.permutation(NUMBERS).tolist()
HOSPITAL = rng.choice(10**6, N, replace=False).tolist()


def read(
    position: int = 0, table: pd.DataFrame = GENES, transposed: bool = False, **columns: object
) -> Dataset:
    table = table.copy()
    for name, values in columns.items():
        table.insert(position, name.replace("_", " ").strip(), values)
    return load_dataset(table, transposed=transposed)


@pytest.mark.parametrize(
    "name", ["Patient No", "subject", "SampleID", "case number", "Hospital Nr.", "donor-id"]
)
@pytest.mark.parametrize("values", [NUMBERS, SHUFFLED, HOSPITAL])
@pytest.mark.parametrize("table", [GENES, COUNTS])
def test_numbers_under_the_name_of_an_id_are_ids(name: str, values: list[int], table: pd.DataFrame) -> None:
    data = read(table=table, **{name: values})
    assert data.sample_ids == tuple(map(str, values))
    assert data.feature_names == tuple(GENES)
    assert data.notes == (f"The sample ids were taken from the column {name!r}.",)


@pytest.mark.parametrize("values", [NUMBERS, SHUFFLED])
def test_a_first_column_that_counts_the_samples_holds_ids_whatever_its_name(values: list[int]) -> None:
    assert read(Fall=values).sample_ids == tuple(map(str, values))


def test_further_columns_that_number_samples_are_left_out_and_said() -> None:
    ids = pd.Index([f"s{i}" for i in range(N)], name="id")
    for table in (GENES.set_axis(ids), GENES.set_axis(ids).reset_index()):
        data = read(3, table, **{"patient no": HOSPITAL})
        assert data.n_features == 30 and data.sample_ids[0] == "s0"
        assert "Left out, because it numbers the samples: 'patient no'." in data.notes


@pytest.mark.parametrize("name", ["TP53", "EGFR", "GEN99", "g7"])
def test_a_gene_that_counts_the_samples_stays_with_a_warning(name: str) -> None:
    data = read(**{name: SHUFFLED})
    assert data.feature_names == (name, *GENES)
    assert data.notes == (
        f"1 column of 31 may be no gene: {name!r} (numbers the samples). It was taken as such; leave out what is none with "
        "drop_columns= (--drop).",
    )


def test_ranks_are_genes() -> None:
    ranks = GENES.rank().astype(int)
    assert load_dataset(ranks).feature_names == tuple(GENES) and load_dataset(ranks).notes == ()
    assert load_dataset(ranks.rename(columns={"GEN0": "geneA"})).feature_names[0] == "geneA"


def test_a_column_of_an_array_that_counts_the_samples_is_said() -> None:
    x = np.column_stack([GENES.to_numpy(), NUMBERS])
    assert "'feature_30' (numbers the samples)" in load_dataset(x).notes[0]
    assert load_dataset(GENES.to_numpy()).notes == ()


def test_a_gene_called_like_an_id_is_no_id() -> None:
    for name in ("IDS", "Ids", "NONO", "Cell"):
        assert read(**{name: GENES["GEN3"] + 1}).feature_names == (name, *GENES)


def test_few_columns_of_another_kind_are_said() -> None:
    data = read(age=rng.integers(20, 80, N), stage=rng.integers(1, 5, N), os_months=rng.gamma(2, 9, N))
    (note,) = data.notes
    assert (
        "3 columns of 33 may be no gene: 'os months' (its name), 'stage' (whole" in note
        and "'age' (whole" in note
    )
    assert "3 columns" in read(table=COUNTS, age=NUMBERS[::-1], sex=[0, 1] * 20, status=[1, 0] * 20).notes[0]
    mixed = GENES.copy()
    mixed.iloc[:, :20] = mixed.iloc[:, :20].round()
    assert load_dataset(mixed).notes == ()


def test_columns_are_dropped_by_name() -> None:
    table = GENES.assign(age=NUMBERS, price=["1,200.5"] * N, sex="f")
    data = load_dataset(table, drop_columns=["age", "price", "sex"])
    assert data.feature_names == tuple(GENES) and data.notes == ()
    assert load_dataset(GENES.assign(age=NUMBERS), drop_columns="age").n_features == 30
    assert load_dataset(data, drop_columns="GEN4").n_features == 29
    flipped = load_dataset(GENES.T.assign(odd=1.5), transposed=True, drop_columns=["odd", "GEN4"])
    assert (flipped.n_samples, flipped.n_features) == (N, 29)


def test_a_column_to_drop_that_is_not_there_raises_unless_it_may_be_missing() -> None:
    with pytest.raises(DataError, match=r"no column 'GEN55' to leave out\. Did you mean 'GEN5'"):
        load_dataset(GENES, drop_columns=["GEN55"])
    assert load_dataset(GENES, drop_columns=["GEN55"], drop_unknown=True).n_features == 30
    with pytest.raises(ParameterError, match="must be names of columns"):
        load_dataset(GENES, drop_columns=[3])
    with pytest.raises(DataError, match="no genes left"):
        load_dataset(load_dataset(GENES), drop_columns=list(GENES))


@pytest.mark.parametrize("written", ["1,234.5", "1.234,5", "12%", "3,5", "12,000"])
def test_numbers_written_in_another_way_are_not_taken_for_text(written: str) -> None:
    table = GENES.assign(odd=[written] * N)
    with pytest.raises(DataError, match=r"column 'odd'.*These look like .*write .*drop_columns="):
        load_dataset(table)
    assert load_dataset(table, drop_columns="odd").n_features == 30


FLIPPED = GENES.T.set_axis([f"s{i}" for i in range(N)], axis=1)
FLIPPED_COUNTS = COUNTS.T.set_axis([f"s{i}" for i in range(N)], axis=1)


@pytest.mark.parametrize(
    "columns",
    [
        {"Chr": "I", "Start": range(30), "End": range(5, 35), "Strand": "+", "Length": [900] * 30},
        {"Entrez_Gene_Id": [*range(200, 229), None]},
        {"gene_length": range(30), "GC content": np.linspace(0, 1, 30)},
        {"start": range(30), "end": range(30)},
    ],
)
def test_columns_that_describe_genes_are_no_samples(columns: dict[str, object]) -> None:
    for table in (FLIPPED, FLIPPED_COUNTS):
        table = table.copy()
        for name, values in columns.items():
            table.insert(0, name, values)
        table.insert(0, "Hugo_Symbol", list(GENES))
        data = load_dataset(table, transposed=True)
        assert data.sample_ids == tuple(FLIPPED) and data.feature_names == tuple(GENES)
        assert any(
            "because they describe genes" in note and next(iter(columns)) in note for note in data.notes
        )


def test_a_sample_with_the_name_of_a_place_stays() -> None:
    data = load_dataset(FLIPPED_COUNTS.assign(start=[3, 4] * 15), transposed=True)
    assert data.n_samples == N + 1 and data.notes == ()


def test_a_sample_with_another_number_for_every_gene_is_said() -> None:
    data = load_dataset(FLIPPED.assign(x=range(30)), transposed=True)
    assert "'x' holds another whole number for every gene, as ids do" in data.notes[0]


@pytest.mark.parametrize("name", ["ENTREZID", "gene id", "Probe", "Unnamed: 0", "x"])
def test_a_first_column_of_gene_numbers_holds_their_names(name: str) -> None:
    table = FLIPPED.reset_index(drop=True)
    table.insert(0, name, range(5001, 5031))
    data = load_dataset(table, transposed=True)
    assert data.feature_names[:2] == ("5001", "5002") and data.n_samples == N
