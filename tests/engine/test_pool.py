"""Worker processes: they pass the contract, die and are replaced, and are told what they may use."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

from genokeras import ParameterError
from genokeras.engine import Deadline, PoolExecutor, PoolSettings, Recipe
from genokeras.engine.executors import check_executor
from genokeras.engine.shipping import Shipping, unpacked
from genokeras.engine.testing import ExecutorContract, linear_job


class TestPoolExecutor(ExecutorContract):
    def make_executor(self, recipe: Recipe) -> PoolExecutor:
        return PoolExecutor(recipe, PoolSettings(workers=1, threads=1))

    @pytest.mark.slow
    def test_what_a_killed_worker_was_at_is_trained_by_another_one(self) -> None:
        executor = self.executor
        assert isinstance(executor, PoolExecutor)
        for number in range(3):
            executor.submit(linear_job(number, 0.1), Deadline())
        before = executor.processes
        os.kill(before[0], signal.SIGKILL)
        outcomes = []
        while len(outcomes) < 3:
            outcomes += executor.collect(timeout=1.0)
        assert sorted(outcome.result.id for outcome in outcomes) == [0, 1, 2]
        assert all(outcome.result.status == "ok" for outcome in outcomes)
        assert len(executor.processes) == 1 and before[0] not in executor.processes


def test_large_arrays_are_written_once_and_mapped(tmp_path):
    large, small = np.arange(100_000.0).reshape(100, -1), np.arange(3)
    shipping = Shipping(tmp_path)
    first, second = shipping.packed({"x": large, "y": small}), shipping.packed([large])
    assert len(first) < 2000 and len(list(tmp_path.iterdir())) == 1
    found, again = unpacked(first), unpacked(second)
    np.testing.assert_array_equal(found["x"], large)
    np.testing.assert_array_equal(again[0], large)
    assert isinstance(found["x"], np.memmap) and not found["x"].flags.writeable
    np.testing.assert_array_equal(found["y"], small)


@pytest.mark.parametrize(
    ("executor", "arguments", "message"),
    [
        ("poll", {}, "executor must be one of 'local', 'pool'.*got 'poll'.*Did you mean 'pool'"),
        ("pool", {"worker": 2}, "unknown executor_args 'worker' for 'pool'.*Did you mean 'workers'"),
        ("pool", {"workers": 0}, "executor_args 'workers' must be a whole number of at least 1, got 0"),
        ("pool", {"memory": -1}, r"executor_args 'memory' \(GiB\) must be a number above 0, got -1"),
        ("pool", {"ahead": -1}, "executor_args 'ahead' must be a whole number of at least 0, got -1"),
        ("local", {"workers": 2}, "unknown executor_args 'workers' for 'local'"),
        (dict, {}, "executor must be one of .* or a subclass of genokeras.Executor, got <class 'dict'>"),
    ],
)
def test_executors_and_arguments_that_there_are_not_are_named(executor, arguments, message):
    with pytest.raises(ParameterError, match=message):
        check_executor(executor, arguments)


def test_threads_share_the_cores():
    cores = PoolSettings().workers
    assert PoolSettings().threads == 1
    assert PoolSettings(workers=1).threads == cores
    assert PoolSettings(threads=10 * cores).workers == 1


def test_what_cannot_be_sent_to_workers_is_said():
    lock = threading.Lock()

    def recipe():
        return lock

    with pytest.raises(
        ParameterError, match="cannot be sent to worker processes .*lock.*take executor='local'"
    ):
        PoolExecutor(recipe, PoolSettings(workers=1, threads=1))
