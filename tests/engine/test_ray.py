"""Actors of a Ray cluster pass the contract, and what a lost machine was at goes on elsewhere; skipped where Ray is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import genokeras as gk
from genokeras import ParameterError
from genokeras.engine import Deadline, Recipe
from genokeras.engine.executors import check_executor
from genokeras.engine.ray_executor import RayExecutor, RaySettings
from genokeras.engine.testing import ExecutorContract
from tests.engine.tables import STEPS, table
from tests.faults.runners import Faulty, faulty_job

# Ray's own warnings, of sockets it leaves open among others.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_missing_ray_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ParameterError, match=r'executor "ray" needs the package ray.*pip install "genokeras\[ray\]"'
    ):
        check_executor("ray", {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_gpu": 0.5}, "unknown executor_args 'num_gpu' for 'ray'.*Did you mean 'num_gpus'"),
        ({"num_gpus": -1}, "executor_args 'num_gpus' must be a number of at least 0, got -1"),
        ({"num_cpus": 0}, "'num_cpus' and 'num_gpus' must not both be 0"),
        ({"address": 1}, "executor_args 'address' must be text such as 'auto', got 1"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        check_executor("ray", arguments)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three machines on this one, of a CPU each."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install genokeras[ray]")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.others = [made.add_node(num_cpus=1) for _ in range(2)]
    made.wait_for_nodes()
    yield made
    made.shutdown()


@pytest.mark.slow
class TestRayExecutor(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _on_a_cluster(self, cluster: Any) -> None:
        type(self).address = cluster.address

    def make_executor(self, recipe: Recipe) -> RayExecutor:
        return RayExecutor(recipe, RaySettings(address=self.address, workers=1))


@pytest.mark.slow
def test_a_search_goes_on_when_a_machine_is_lost(cluster: Any, tmp_path: Any) -> None:
    executor = RayExecutor(Faulty, RaySettings(address=cluster.address))
    assert executor.slots == 3
    for number in range(9):
        executor.submit(faulty_job(number, "wait 1"), Deadline())
    found = executor.collect(60.0)
    cluster.remove_node(cluster.others[0], allow_graceful=False)
    while len(found) < 9:
        found += executor.collect(1.0)
    executor.close()
    assert sorted(outcome.result.id for outcome in found) == list(range(9))
    assert all(outcome.result.status == "ok" for outcome in found)


@pytest.mark.slow
def test_trials_are_those_of_one_process(cluster: Any, tmp_path: Any) -> None:
    def fitted(name: str, **executor: Any) -> Any:
        x, y = table(40, 60)
        return gk.GenomeClassifier(
            tmp_path / name,
            time_limit=None,
            max_trials=20,
            folds=2,
            searcher_args=STEPS,
            random_state=1,
            verbose=0,
            **executor,
        ).fit(x, y)

    one = fitted("local")
    other = fitted("ray", executor="ray", executor_args={"address": cluster.address})
    one, other = (est.leaderboard().sort_values("model_id") for est in (one, other))
    assert list(one["graph"]) == list(other["graph"])
    np.testing.assert_allclose(one["score"], other["score"], atol=1e-4)
