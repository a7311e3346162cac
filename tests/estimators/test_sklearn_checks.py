"""All checks of scikit-learn for its estimators; those that may fail stand here, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import genokeras as gk
from genokeras.errors import CellTypeError, DataError

SHORT = {"trainer_args": {"max_iter_num": 5}}
ESTIMATORS = [
    kind(time_limit=None, max_trials=1, searcher_args=SHORT, random_state=0, verbose=0)
    for kind in (gk.GenomeClassifier, gk.GenomeRegressor)
]
_FOLDS = "networks are scored out of fold: a sample of weight 2 lies in one fold, and two equal ones may lie in two"
_ROUNDING = "answers are float32, and a product of matrices rounds a row otherwise in another place (6e-8 of 1e-9 allowed)"
MAY_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": _FOLDS,
    "check_sample_weight_equivalence_on_sparse_data": _FOLDS,
    "check_methods_sample_order_invariance": _ROUNDING,
    "check_methods_subset_invariance": _ROUNDING,
}
# Those that fit nothing, and those that found something once; all others run with the slow tests.
SHORT_SUITE = {
    "check_all_zero_sample_weights_error",
    "check_classifiers_one_label",
    "check_classifiers_regression_target",
    "check_complex_data",
    "check_decision_proba_consistency",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_sparse_tag",
    "check_estimator_tags_renamed",
    "check_estimators_empty_data_messages",
    "check_estimators_fit_returns_self",
    "check_estimators_partial_fit_n_features",
    "check_estimators_unfitted",
    "check_fit1d",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_n_features_in_after_fitting",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_requires_y_none",
    "check_sample_weights_list",
    "check_set_params",
    "check_supervised_y_2d",
    "check_supervised_y_no_nan",
    "check_valid_tag_types",
}


def with_marks() -> Iterator[Any]:
    """Every check, most of them as slow ones."""
    mark = parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: MAY_FAIL)
    for case in mark.args[1]:
        values, marks = getattr(case, "values", case), getattr(case, "marks", ())
        name = values[1].func.__name__
        slow = () if name in SHORT_SUITE else (pytest.mark.slow,)
        yield pytest.param(*values, marks=[*marks, *slow], id=f"{type(values[0]).__name__}-{name}")


@pytest.mark.parametrize(("estimator", "check"), list(with_marks()))
def test_scikit_learn_finds_nothing_wrong(estimator: Any, check: Any) -> None:
    check(estimator)


def test_few_checks_may_fail_and_each_says_why() -> None:
    assert len(MAY_FAIL) < 12 and all(len(reason) > 40 for reason in MAY_FAIL.values())


def test_tables_may_be_sparse_and_have_gaps_where_these_are_filled() -> None:
    tags = get_tags(gk.GenomeClassifier(time_limit=None, max_trials=1))
    assert (tags.input_tags.two_d_array, tags.input_tags.sparse, tags.input_tags.string) == (
        True,
        True,
        False,
    )
    assert not tags.input_tags.allow_nan and not tags.non_deterministic
    assert get_tags(gk.GenomeRegressor(missing="median")).input_tags.allow_nan
    assert get_tags(gk.GenomeRegressor(time_limit=60)).non_deterministic


@pytest.mark.parametrize(
    ("estimator", "one_d", "two_d", "three_d", "string"),
    [
        (gk.SequenceClassifier(), True, False, True, True),
        (gk.ImageRegressor(), False, False, True, False),
        (gk.TextClassifier(), True, False, False, True),
    ],
)
def test_other_samples_are_no_tables(
    estimator: Any, one_d: bool, two_d: bool, three_d: bool, string: bool
) -> None:
    tags = get_tags(estimator).input_tags
    found = (tags.one_d_array, tags.two_d_array, tags.three_d_array, tags.string)
    assert found == (one_d, two_d, three_d, string) and not tags.sparse


def test_targets_are_told_as_they_are() -> None:
    classes, numbers = get_tags(gk.GenomeClassifier()), get_tags(gk.GenomeRegressor())
    assert classes.estimator_type == "classifier" and classes.classifier_tags.multi_label
    assert numbers.estimator_type == "regressor" and numbers.target_tags.multi_output
    weighted = get_tags(gk.GenomeClassifier(class_weight="balanced"))
    assert not weighted.classifier_tags.multi_label
    survival = get_tags(gk.GenomeSurvival())
    assert survival.estimator_type is None and survival.target_tags.required


def test_a_cell_that_is_neither_number_nor_text_is_named() -> None:
    table = pd.DataFrame({"TP53": [1.0, 2.0], "MYC": [{"a": 1}, 2.0]}, index=["S1", "S2"])
    with pytest.raises(
        CellTypeError, match="string or a number, and column 'MYC', sample 'S1', holds a dict"
    ) as error:
        gk.load_dataset(table)
    assert isinstance(error.value, DataError | TypeError)
