"""Numbers predicted: which rows are read and held out, how the peer is tuned, what the tables say."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.quality.regression import PEER, estimator_tool, evaluate_set, peer_tool
from benchmarks.quality.regression_peers import FAMILIES, Family, grid, tune
from benchmarks.quality.regression_sets import (
    RegressionSet,
    find_regression_sets,
    folds_of,
    measures,
    read_regression_set,
)
from benchmarks.quality.regression_table import averages, by_family, by_tool, show

SMALL = {
    name: Family(FAMILIES[name].predict, settings)
    for name, settings in {
        "ridge": grid(alpha=[0.01, 0.1]),
        "elastic net": grid(ratio=[0.5], l1=[0.3, 0.1, 0.03]),
        "pls": grid(components=[1, 99]),
        "svr": grid(gamma=[0, 0.3], C=[1.0], epsilon=[0.1]),
        "forest": grid(columns=[99], leaf=[1], trees=[5]),
    }.items()
}


def planted(n: int = 60, p: int = 80, seed: int = 0) -> RegressionSet:
    """Numbers that follow from one strong direction of wide rows, in groups of two."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n)
    x = np.outer(factor, rng.normal(size=p)) + rng.normal(size=(n, p))
    return RegressionSet("planted", x.astype("float32"), 50 + 10 * factor, np.arange(n) // 2)


def write_several_targets(folder: Path) -> None:
    targets = np.array([[1, 2], [3, np.nan], [5, 6], [7, 8]], dtype="float32")
    np.savez(
        folder / "regression_mice.npz",
        X=np.arange(12).reshape(4, 3),
        Y=targets,
        target_names=np.array(["Obesity.BMI", "Obesity.BodyLength"]),
        cage=np.array(["1A", "1A", "2B", "2B"]),
    )


class Ridge:
    """What the benchmark expects of a regressor of GenoKeras, in ridge regression."""

    def __init__(self, path: str, time_limit: float, random_state: int, verbose: int) -> None:
        self.time_limit, self.model = time_limit, make_pipeline(StandardScaler(), RidgeCV([10.0, 100.0]))

    def fit(self, x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> Self:
        self.model.fit(x, y)
        self.n_trials_, self.estimate_ = 2, {"metric": "r2", "value": 0.9, "linear_baseline": 0.8}
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict(x))


def line(name: str, tool: str, fold: int, predicted: list[float], **more: Any) -> dict[str, Any]:
    truth = [0.0, 1.0] if fold == 0 else [10.0, 11.0]
    found = measures(np.array(truth), np.array(predicted))
    key = {"set": name, "tool": tool, "fold": fold, "seconds": None if tool == PEER else 60.0}
    return key | found | {"fit_seconds": 1.0, "estimate": 0.9, "truth": truth, "predicted": predicted} | more


def peer_line(name: str, fold: int, predicted: list[float], chosen: str = "pls") -> dict[str, Any]:
    other = [value + 0.5 for value in predicted]
    families = {
        "ridge": {"inner_r2": 0.5, "settings": {}, "predicted": other},
        "pls": {"inner_r2": 0.6, "settings": {}, "predicted": predicted},
    }
    return line(name, PEER, fold, predicted, chosen=chosen, families=families)


def test_each_target_of_a_file_is_a_set_and_its_missing_rows_are_left_out(tmp_path: Path) -> None:
    write_several_targets(tmp_path)
    names = find_regression_sets(tmp_path, ["regression_mice"])
    assert names == ["regression_mice:Obesity.BMI", "regression_mice:Obesity.BodyLength"]
    data = read_regression_set(tmp_path, names[1])
    assert data.y.tolist() == [2, 6, 8] and data.groups is not None
    assert data.groups.tolist() == ["1A", "2B", "2B"] and data.x[:, 0].tolist() == [0, 6, 9]


def test_a_set_or_target_that_is_absent_ends_the_program_with_a_hint(tmp_path: Path) -> None:
    write_several_targets(tmp_path)
    with pytest.raises(SystemExit, match="no set 'regression_mouse'.*Did you mean 'regression_mice'"):
        find_regression_sets(tmp_path, ["regression_mouse"])
    with pytest.raises(SystemExit, match="no target 'Obesity.BMJ'.*Did you mean 'Obesity.BMI'"):
        read_regression_set(tmp_path, "regression_mice:Obesity.BMJ")


def test_equal_rows_are_a_group(tmp_path: Path) -> None:
    x = np.array([[1, 2], [3, 4], [1, 2]])
    np.savez(tmp_path / "regression_yeast_tf.npz", X=x, Y=x[:, :1], target_names=np.array(["alpha0"]))
    groups = read_regression_set(tmp_path, "regression_yeast_tf:alpha0").groups
    assert groups is not None and groups[0] == groups[2] != groups[1]


def test_outer_folds_hold_each_row_once_and_split_no_group() -> None:
    data = planted()
    tests = [test for _, test in folds_of(data)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(60))
    for train, test in folds_of(data):
        assert data.groups is not None and not set(data.groups[train]) & set(data.groups[test])


def test_measures_are_those_of_a_count_by_hand() -> None:
    found = measures(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    assert found == pytest.approx(
        {"r2": 0.75, "rmse": (2 / 3) ** 0.5, "mae": 2 / 3, "pearson": 1, "spearman": 1}
    )
    assert measures(np.array([0.0, 2.0]), np.ones(2))["pearson"] == 0


def test_every_family_finds_a_planted_direction_in_the_units_of_the_target() -> None:
    data = planted()
    train, test = next(folds_of(data))
    for name, found in tune(data, train, test, SMALL).items():
        assert measures(data.y[test], found.predicted)["r2"] > (0.4 if name == "forest" else 0.9), name
        assert found.inner_r2 > 0.4, name


def test_targets_of_the_test_rows_are_not_looked_at() -> None:
    data = planted()
    train, test = next(folds_of(data))
    y = data.y.copy()
    y[test] = 0
    other = tune(dataclasses.replace(data, y=y), train, test, SMALL)
    for name, found in tune(data, train, test, SMALL).items():
        np.testing.assert_allclose(found.predicted, other[name].predicted, rtol=1e-9)


@pytest.mark.parametrize("columns", [20, 80])
def test_row_space_gives_the_predictions_of_all_columns(columns: int) -> None:
    data = planted(p=columns)
    train, test = next(folds_of(data))
    alpha = 0.1
    family = {"ridge": Family(FAMILIES["ridge"].predict, grid(alpha=[alpha]))}
    model = make_pipeline(StandardScaler(), RidgeCV([alpha * columns])).fit(data.x[train], data.y[train])
    found = tune(data, train, test, family)["ridge"].predicted
    np.testing.assert_allclose(found, model.predict(data.x[test]), rtol=1e-4)


def test_raw_intensities_are_offered_behind_a_logarithm() -> None:
    data = planted()
    train, test = next(folds_of(data))
    ridge = {"ridge": SMALL["ridge"]}
    raw = dataclasses.replace(data, x=np.exp(2 * data.x))
    assert tune(raw, train, test, ridge)["ridge"].settings["log"]
    assert not tune(data, train, test, ridge)["ridge"].settings["log"]


def test_the_peer_is_the_family_that_was_best_inside() -> None:
    data = planted()
    train, test = next(folds_of(data))
    answer = peer_tool(SMALL)(data, train, test, None)
    inner = {name: found["inner_r2"] for name, found in answer.facts["families"].items()}
    assert answer.facts["chosen"] == max(inner, key=inner.__getitem__)
    assert answer.estimate == pytest.approx(max(inner.values()), abs=1e-4)


def test_each_tool_has_a_line_a_fold_and_is_not_run_again(tmp_path: Path) -> None:
    tools = {"genokeras": estimator_tool(Ridge), PEER: peer_tool({"pls": SMALL["pls"]})}
    results = tmp_path / "lines.jsonl"
    lines = list(evaluate_set(planted(), tools, 5.0, 2, results))
    assert [(each["fold"], each["tool"], each["seconds"]) for each in lines] == [
        (0, "genokeras", 5.0),
        (0, PEER, None),
        (1, "genokeras", 5.0),
        (1, PEER, None),
    ]
    assert lines == [json.loads(each) for each in results.read_text().splitlines()]
    assert (lines[0]["estimate"], lines[0]["linear_baseline"], lines[0]["trials"]) == (0.9, 0.8, 2)
    assert list(evaluate_set(planted(), tools, 5.0, 2, results)) == []
    # Another limit concerns only the tool that has one.
    assert [each["tool"] for each in evaluate_set(planted(), tools, 6.0, 2, results)] == ["genokeras"] * 2


def test_r2_is_pooled_over_folds_and_stands_beside_its_mean() -> None:
    name = "riboflavin_regression"
    lines = [peer_line(name, 0, [0.5, 0.5]), peer_line(name, 1, [10.5, 10.5])]
    row = by_tool(lines).loc[(name, PEER)]
    # Within each fold nothing is explained; between the folds' means nearly all is.
    assert row["r2, mean of folds"] == pytest.approx(0)
    assert row["r2"] == pytest.approx(1 - 1 / 101)
    assert row["estimate - r2"] == pytest.approx(0.9 - row["r2"])


def test_tools_are_compared_on_folds_that_all_have_and_averaged_over_reported_sets() -> None:
    lines = [
        peer_line("riboflavin_regression", 0, [0.5, 0.5]),
        peer_line("riboflavin_regression", 1, [10.5, 10.5]),
        line("riboflavin_regression", "genokeras", 0, [0.0, 1.0]),
        peer_line("regression_mice:a", 0, [0.5, 0.5]),
    ]
    text = show(lines)
    assert "genokeras 60 s, reported sets (1): R2 above the peer's by +1.000 on average" in text
    assert "own estimate minus R2 -0.100 on average, 0.100 in absolute value" in text
    assert "sets to choose on" not in text and "regression_mice:a" in text
    assert averages(by_tool(lines[:2])) == []


def test_families_have_their_own_scores_and_the_best_in_hindsight_is_named() -> None:
    name = "riboflavin_regression"
    lines = [peer_line(name, 0, [0.5, 0.5], chosen="ridge"), peer_line(name, 1, [10.5, 10.5])]
    table = by_family(lines).set_index("family")
    assert table["chosen on"].tolist() == ["1 of 2 folds", "1 of 2 folds"]
    assert table.loc["pls", "r2"] > table.loc["ridge", "r2"]
    assert f"{name}: pls {table.loc['pls', 'r2']:.3f}; against it peer +0.000" in show(lines)


def test_without_results_the_table_says_so() -> None:
    assert show([]) == "There are no results yet."
