"""Tasks by kind, as run folders keep them; custom ones are made known by `register_task`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from genokeras.errors import ParameterError, RunFolderError
from genokeras.support.checks import check_choice
from genokeras.tasks.classes import Classes
from genokeras.tasks.labels import Labels
from genokeras.tasks.loss import LossTask
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.ordered import Ordered
from genokeras.tasks.survival import Cox, Hazard
from genokeras.tasks.task import Task

_TASKS: dict[str, type[Task]] = {
    kind.kind: kind for kind in (Classes, Ordered, Labels, Numbers, LossTask, Cox, Hazard)
}


def register_task(task: type[Task]) -> type[Task]:
    """Make a custom task known, so that run folders with it can be read; usable as a decorator.

    Raises
    ------
    ParameterError
        If it is no complete task, or its kind is taken.
    """
    check_task(task)
    if _TASKS.get(task.kind, task).__qualname__ != task.__qualname__:
        raise ParameterError(
            f"a task of kind {task.kind!r} is known already: give {task.__name__} another kind."
        )
    _TASKS[task.kind] = task
    return task


def check_task(task: Any) -> type[Task]:
    """The class of a task that is complete.

    Parameters
    ----------
    task : type or Task
        A subclass of `Task`, or an instance of one.

    Raises
    ------
    ParameterError
        If it is no task, or lacks a method or its ``kind``; the message names all that is missing.
    """
    kind = task if inspect.isclass(task) else type(task)
    if not issubclass(kind, Task):
        raise ParameterError(
            f"task must be 'classes', 'numbers' or a subclass of genokeras.tasks.task.Task, got {task!r}."
        )
    missing = sorted(getattr(kind, "__abstractmethods__", ()))
    if not isinstance(getattr(kind, "kind", None), str):
        missing = ["kind (a str)", *missing]
    if missing:
        raise ParameterError(
            f"the task {kind.__name__} lacks {', '.join(missing)}: see genokeras.tasks.task.Task for what each does."
        )
    return kind


def find_task(task: Any) -> type[Task]:
    """The class of a task given by its kind, as a class or as an instance.

    A class is made known as by `register_task`, so that this process can read the runs that it writes.

    Raises
    ------
    ParameterError
        If there is none of that name, it is not complete, or its kind is that of another task.
    """
    if not isinstance(task, str):
        return register_task(check_task(task))
    check_choice(task, "task", _TASKS)
    return _TASKS[task]


def read_task(data: Mapping[str, Any]) -> Task:
    """A task of any kind from what its ``to_dict`` wrote.

    Raises
    ------
    KeyError
        If the data lack an entry.
    RunFolderError
        If no task of that kind is known.
    """
    kind = data["kind"]
    if kind not in _TASKS:
        raise RunFolderError(
            f"the run predicts {kind!r}, a custom task: import the module that defines it, and call "
            "gk.register_task(...) on its class, before the run is loaded."
        )
    return _TASKS[kind].from_dict(data)
