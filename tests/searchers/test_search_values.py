from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.graph import AddBranch, Graph, HyperParameters, linear, mlp
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.searchers.values import unused_hyper_parameters


def grown() -> Proposal:
    morphism = AddBranch(32)
    graph, _ = morphism.apply(linear(2), None, np.random.default_rng(0))
    return Proposal(
        graph, HyperParameters(dropout=0.5), father=0, morphisms=(morphism,), seed=7, origin="random"
    )


def history(*scores: float) -> History:
    trials = []
    for i, score in enumerate(scores):
        proposal = Proposal(linear(2), HyperParameters(weight_decay=0.1 + i))
        failed = not math.isfinite(score)
        trials.append(TrialResult(i, proposal, "failed" if failed else "ok", score))
    return History(tuple(trials))


def relabelled(graph: Graph) -> Graph:
    data = graph.to_dict()
    for layer in data["layers"]:
        layer["id"] += 10
        layer["inputs"] = [i + 10 for i in layer["inputs"]]
    return Graph.from_dict(data)


def test_proposal_survives_json() -> None:
    proposal = grown()
    assert Proposal.from_dict(json.loads(json.dumps(proposal.to_dict(), allow_nan=False))) == proposal


def test_history_with_a_failed_trial_survives_json() -> None:
    before = history(0.4, math.nan).append(TrialResult(2, grown(), "ok", 0.3, 0.05, 40, 1.5, 900))
    assert History.from_dict(json.loads(json.dumps(before.to_dict(), allow_nan=False))) == before


def test_what_trials_share_is_written_once() -> None:
    again = replace(grown(), seed=8)
    before = (
        history(0.4, 0.3).append(TrialResult(2, grown(), "ok", 0.3)).append(TrialResult(3, again, "ok", 0.2))
    )
    content = before.to_dict()
    assert [len(content[name]) for name in ("graphs", "hypers")] == [2, 3]
    found = History.from_dict(json.loads(json.dumps(content)))
    assert found == before
    assert found.get(2).proposal.graph is found.get(3).proposal.graph


def test_a_history_of_format_1_is_read() -> None:
    before = history(0.4, math.nan).append(TrialResult(2, grown(), "ok", 0.3, 0.05, 40, 1.5, 900))
    content = {"format": 1, "trials": [trial.to_dict() for trial in before]}
    assert History.from_dict(json.loads(json.dumps(content, allow_nan=False))) == before


@pytest.mark.parametrize("place", [2, -1, "0", None, True])
def test_a_history_that_lacks_a_graph_is_refused(place: object) -> None:
    content = history(0.4, 0.3).to_dict()
    content["trials"][1]["proposal"]["graph"] = place
    with pytest.raises(ParameterError, match=r"the history has 1 graphs, and a proposal names number"):
        History.from_dict(content)


def test_fingerprint_ignores_ids_seed_and_inheritance() -> None:
    hyper = HyperParameters()
    first = Proposal(mlp(2), hyper, seed=1)
    second = Proposal(relabelled(mlp(2)), hyper, father=3, seed=2, origin="bayesian")
    assert first.fingerprint() == second.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.5},
        {"weight_decay": 0.5},
        {"dropout": 0.5},
        {"activation": "tanh"},
        {"view": "top"},
    ],
)
def test_fingerprint_tells_hyper_parameters_apart(change: dict[str, object]) -> None:
    first, second = HyperParameters(), HyperParameters(**change)  # type: ignore[arg-type]
    assert Proposal(mlp(2), first).fingerprint() != Proposal(mlp(2), second).fingerprint()


def test_a_linear_model_has_no_dropout_or_activation_to_tell_apart() -> None:
    first, second = HyperParameters(), HyperParameters(dropout=0.5, activation="tanh")
    assert unused_hyper_parameters(linear(2)) == ("activation", "dropout")
    assert unused_hyper_parameters(mlp(2)) == ()
    assert Proposal(linear(2), first).fingerprint() == Proposal(linear(2), second).fingerprint()


def test_another_split_is_another_proposal_and_survives_json() -> None:
    first = Proposal(mlp(2), HyperParameters())
    second, third = replace(first, split=1), replace(first, rung=1)
    assert len({p.fingerprint() for p in (first, second, third, replace(third, split=1))}) == 4
    assert Proposal.from_dict(json.loads(json.dumps(second.to_dict()))) == second
    assert "split" not in first.to_dict()


def test_a_gain_survives_json_and_older_records_lack_it() -> None:
    proposal = Proposal(mlp(2), HyperParameters())
    known = TrialResult(1, proposal, "ok", 0.3, gain=0.01)
    assert TrialResult.from_dict(json.loads(json.dumps(known.to_dict()))) == known
    unknown = TrialResult(1, proposal, "ok", 0.3)
    assert "gain" not in unknown.to_dict()
    assert TrialResult.from_dict(unknown.to_dict()) == unknown


def test_morphisms_without_a_father_are_refused() -> None:
    with pytest.raises(ParameterError, match="father=None"):
        Proposal(linear(2), HyperParameters(), morphisms=(AddBranch(16),))


def test_best_is_the_lowest_score_and_the_earlier_of_equals() -> None:
    best = history(0.5, 0.3, math.nan, 0.3).best()
    assert best is not None and best.id == 1


def test_ranked_leaves_failed_trials_out() -> None:
    assert [trial.id for trial in history(0.5, math.inf, 0.3).ranked()] == [2, 0]


def test_nothing_is_best_while_all_failed() -> None:
    assert history(math.nan).best() is None
    assert History().best() is None


def test_appending_leaves_the_history_as_it_was() -> None:
    before = history(0.5)
    after = before.append(TrialResult(1, grown(), "ok", 0.2))
    assert (len(before), len(after)) == (1, 2)
    with pytest.raises(FrozenInstanceError):
        before.trials = ()  # type: ignore[misc]


def test_fingerprints_hold_failed_trials_too() -> None:
    assert len(history(0.5, math.nan).fingerprints()) == 2


def test_lineage_leads_to_the_first_ancestor() -> None:
    child = TrialResult(1, grown(), "ok", 0.2)
    assert [trial.id for trial in history(0.5).append(child).lineage(1)] == [1, 0]


def test_two_trials_of_one_id_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"repeated: \[0\]"):
        History((*history(0.5).trials, *history(0.4).trials))


def test_an_unknown_trial_is_named() -> None:
    with pytest.raises(ParameterError, match=r"no trial 4; the history has \[0\]"):
        history(0.5).get(4)


def test_a_trial_without_a_finite_score_cannot_be_ok() -> None:
    with pytest.raises(ParameterError, match="trial 3 is 'ok' but its score is nan"):
        TrialResult(3, grown(), "ok", math.nan)


def test_an_incomplete_history_says_what_it_lacks() -> None:
    with pytest.raises(ParameterError, match="history is incomplete: it lacks 'format'"):
        History.from_dict({"trials": []})


def test_a_trial_that_lacks_folds_is_not_among_the_finished_ones_and_survives_json() -> None:
    begun = TrialResult(2, replace(grown(), folds=1), "ok", 0.3, folds=(0.3,), missing=2, planned=50)
    before = history(0.4, math.nan).append(begun)
    assert History.from_dict(json.loads(json.dumps(before.to_dict(), allow_nan=False))) == before
    assert [trial.id for trial in before.ok()] == [0]
    assert before.begun() == (begun,)
    assert begun.proposal.fingerprint() == grown().fingerprint()


def test_a_trial_that_was_completed_takes_its_own_place() -> None:
    after = history(0.4, 0.5).updated(
        [TrialResult(0, grown(), "ok", 0.3), TrialResult(7, grown(), "ok", 0.2)]
    )
    assert [(trial.id, trial.score) for trial in after] == [(0, 0.3), (1, 0.5), (7, 0.2)]
