"""Lists of genes from elsewhere beside a run's own, the leukemia paper's among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from genokeras import GenomeClassifier
from genokeras.data import Dataset, load_dataset
from genokeras.errors import DataError
from genokeras.explain import Additivity, Explanation, class_changes
from genokeras.report import write_report
from genokeras.report.genes import shared_with_test
from genokeras.report.known_genes import (
    KnownGenes,
    overlap_with,
    read_known_genes,
    shared_with_known,
)

DATA = Path(__file__).parents[2] / "examples" / "data"
GOLUB = DATA / "golub_1999_genes.txt"


@pytest.fixture(scope="module")
def leukemia() -> Dataset:
    return load_dataset(DATA / "golub_leukemia.tsv.gz", "label")


def explained(p: int = 40, top: int = 5) -> Explanation:
    """The first genes matter, in their order."""
    sizes = np.maximum(top - np.arange(p), 0).astype("float32")
    values = np.tile(sizes[None, :, None], (3, 1, 2))
    return Explanation(
        values=values,
        base_values=np.zeros((3, 2)),
        data=np.zeros((3, p), dtype="float32"),
        feature_names=tuple(f"g{i}" for i in range(p)),
        output_names=("well", "ill"),
        sample_ids=("a", "b", "c"),
        outputs=np.zeros((3, 2)),
        additivity=Additivity(0.0, 0.0, 1.0),
        method="linear",
        output="log_odds",
    )


def test_a_file_has_a_title_and_one_gene_a_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# Smith et al. 2001\n# more\n\nTP53  # a note\nBRCA1\nTP53\n")
    assert read_known_genes(path) == KnownGenes("Smith et al. 2001", ("TP53", "BRCA1"))


def test_a_file_without_a_title_goes_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "markers.txt"
    path.write_text("TP53\n")
    assert read_known_genes(path).title == "markers"


def test_what_chance_would_share_is_hypergeometric() -> None:
    found = overlap_with(explained(), read_known_genes(["g4", "g1", "g30", "elsewhere"]), "ill", top=5)
    assert (found.top, found.known, found.shared) == (5, 3, ("g1", "g4"))
    assert found.expected == pytest.approx(3 * 5 / 40)
    assert found.p_value == pytest.approx(1.0 - hypergeom.cdf(1, 40, 3, 5))


def test_the_overlap_is_told_in_words() -> None:
    words = shared_with_known(explained(), KnownGenes("a paper", ("g0", "g30", "elsewhere")), "ill")
    assert words.startswith("1 of its top 20 genes are also among the 2 of a paper")
    assert ": g0. 1 gene of that list are not in the data." in words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["rs1"], "none of the 1 known gene"),
        ([], "at least one gene"),
        ("nowhere.txt", "cannot read known_genes"),
    ],
)
def test_lists_that_are_no_use_are_refused(given: list[str] | str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        overlap_with(explained(), read_known_genes(given), "ill")


def test_the_papers_genes_are_those_of_the_papers_statistic(leukemia: Dataset) -> None:
    genes = read_known_genes(GOLUB).genes
    first = np.array([int(number) <= 38 for number in leukemia.sample_ids])
    x, y = np.asarray(leukemia.x, dtype="float64")[first], np.asarray(leukemia.y)[first]
    all_, aml = x[y == "ALL"], x[y == "AML"]
    assert (len(all_), len(aml)) == (27, 11)
    ratio = (all_.mean(axis=0) - aml.mean(axis=0)) / (all_.std(axis=0, ddof=1) + aml.std(axis=0, ddof=1))
    rank = {
        name: place for place, name in enumerate(np.asarray(leukemia.feature_names)[np.argsort(-ratio)], 1)
    }
    assert len(genes) == 50
    assert all(rank[gene] <= 41 for gene in genes[:25])
    assert all(len(rank) + 1 - rank[gene] <= 41 for gene in genes[25:])


def test_the_leukemia_run_finds_genes_of_the_paper(leukemia: Dataset, tmp_path: Path) -> None:
    clf = GenomeClassifier(
        tmp_path / "run", time_limit=None, max_trials=6, folds=3, random_state=0, verbose=0
    )
    found = clf.fit(leukemia).explain(leukemia)
    assert len(overlap_with(found, read_known_genes(GOLUB), "AML").shared) >= 10
    changes = class_changes(np.asarray(leukemia.x), np.asarray(leukemia.y), found.output_names)
    assert int(shared_with_test(found, changes, "AML").split()[0]) >= 10
    page = write_report(clf, tmp_path / "r.html", explanation=found, known_genes=GOLUB).read_text(
        encoding="utf-8"
    )
    assert "among the 50 of a t-test" in page and "among the 50 of Golub et al. 1999, figure 3B" in page
