"""Columns that are no genes: left out of a fit, and of everything that is read for its model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from click.testing import CliRunner

from genokeras import GenomeClassifier
from genokeras.cli import main


def test_what_is_dropped_in_fit_stays_out_for_good(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(24, 12)), columns=[f"G{i}" for i in range(12)])
    table.insert(0, "Patient No", range(1, 25))
    y = ["ctl"] * 12 + ["case"] * 12
    table = table.assign(age=range(24, 48), share="12%", state=y)
    table.to_csv(tmp_path / "t.csv", index=False)
    fit = ["fit", tmp_path / "t.csv", "--target", "state", "--out", tmp_path / "run", "--max-trials", 1, "-q"]
    runner = CliRunner()

    refused = runner.invoke(main, [*map(str, fit)])
    assert refused.exit_code == 2 and "percentages" in refused.output and "with --drop." in refused.output
    fitted = runner.invoke(main, [*map(str, fit), "--drop", "age", "--drop", "share"])
    assert fitted.exit_code == 0, fitted.output
    classifier = GenomeClassifier.load(tmp_path / "run")
    assert list(classifier.feature_names_in_) == [f"G{i}" for i in range(12)]
    assert classifier.drop_columns == ("age", "share")
    expected = classifier.predict(table.drop(columns=["share", "age", "state"]))
    np.testing.assert_array_equal(classifier.predict(table.drop(columns="state")), expected)
    assert len(classifier.explain(table.drop(columns="state"), num_samples=2).values) == 2
    answered = runner.invoke(main, ["predict", str(tmp_path / "run"), str(tmp_path / "t.csv")])
    assert answered.output.splitlines()[1] == f"1,{expected[0]}"
