"""Write the bundled leukemia data in the shape of AutoGenome's projects: matrices without header, and label files.

    python examples/autogenome/make_data.py

Golub et al. (1999) learnt from 38 patients and tested on 34 others, who came from other hospitals. The files keep
these apart: the 38 are to train on, the 34 to evaluate and predict.

    data/train_features.txt, test_features.txt    a patient a line, intensities separated by blanks
    data/train_labels.txt, test_labels.txt        0 (lymphoblastic, ALL) or 1 (myeloid, AML), a patient a line
    data/train_samples.txt, test_samples.txt      the patients' numbers in the paper
    data/all_features.txt, all_labels.txt, ...    all 72, with the labels by name: ALL, AML
    data/names.txt                                the probe sets, a column of the matrices each
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
SOURCE = HERE.parent / "data" / "golub_leukemia.tsv.gz"
LAST_TRAINING_PATIENT = 38
CODES = {"ALL": "0", "AML": "1"}


def write_lines(path: Path, values: pd.Series | pd.Index) -> None:
    path.write_text("".join(f"{value}\n" for value in values), encoding="utf-8")


def write_part(folder: Path, part: str, table: pd.DataFrame, labels: pd.Series) -> None:
    table.to_csv(folder / f"{part}_features.txt", sep=" ", header=False, index=False)
    write_lines(folder / f"{part}_labels.txt", labels)
    write_lines(folder / f"{part}_samples.txt", table.index)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "data", help="the folder, made if need be")
    parser.add_argument("--genes", type=int, help="keep this many probe sets, the first; all by default")
    options = parser.parse_args(arguments)

    table = pd.read_csv(SOURCE, sep="\t", index_col="sample").sort_index()
    labels = table.pop("label")
    table = table.iloc[:, : options.genes]
    training = table.index <= LAST_TRAINING_PATIENT

    options.out.mkdir(parents=True, exist_ok=True)
    write_part(options.out, "train", table[training], labels[training].map(CODES))
    write_part(options.out, "test", table[~training], labels[~training].map(CODES))
    write_part(options.out, "all", table, labels)
    write_lines(options.out / "names.txt", table.columns)
    print(
        f"Wrote {training.sum()} patients to train on and {(~training).sum()} to test on, {table.shape[1]} features "
        f"each, into {options.out}"
    )


if __name__ == "__main__":
    main()
