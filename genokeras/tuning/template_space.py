"""The templates for vectors of features and their hyper-parameters, as a space of KerasTuner's, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import keras_tuner

from genokeras.errors import ParameterError
from genokeras.graph import FATHERS, Graph, HyperParameters, linear, mlp, rfcn_densenet, rfcn_resnet
from genokeras.graph.specs import ACTIVATIONS, Dense
from genokeras.searchers import HyperSpace
from genokeras.support.checks import check_choice, check_number, check_whole

UNITS = (32, 64, 128)
LAYERS = (1, 2)
BLOCKS = (1, 2, 3)
_RFCN: dict[str, Callable[..., Graph]] = {"rfcn_resnet": rfcn_resnet, "rfcn_densenet": rfcn_densenet}
_HYPER = ("learning_rate", "weight_decay", "dropout", "activation", "view")

Values = Mapping[str, Any]


def template_space(fathers: Sequence[str], space: HyperSpace) -> keras_tuner.HyperParameters:
    """Everything that can be chosen of a template; what only some fathers read is conditional on them.

    Parameters
    ----------
    fathers : sequence of str
        Names in `genokeras.graph.FATHERS`.
    space : HyperSpace
    """
    hp = keras_tuner.HyperParameters()
    hp.Choice("father", list(fathers))
    conditional: list[tuple[str, Sequence[Any], Sequence[str]]] = [
        ("layers", LAYERS, ["mlp"]),
        ("blocks", BLOCKS, list(_RFCN)),
        ("units", UNITS, ["mlp", *_RFCN]),
        ("activation", space.activation, ["mlp", *_RFCN]),
        ("dropout", [float(rate) for rate in space.dropout], ["mlp", *_RFCN]),
    ]
    for name, values, readers in conditional:
        present = [father for father in fathers if father in readers]
        if present:
            with hp.conditional_scope("father", present):
                hp.Choice(name, list(values))
    hp.Choice("learning_rate", [float(rate) for rate in space.learning_rate])
    hp.Choice("weight_decay", [float(rate) for rate in space.weight_decay])
    hp.Choice("view", list(space.views))
    return hp


def check_template_space(
    given: keras_tuner.HyperParameters, fathers: Sequence[str], views: Sequence[str]
) -> None:
    """Refuse hyper-parameters that no template reads, and values that it cannot take.

    Parameters
    ----------
    given : keras_tuner.HyperParameters
    fathers, views : sequence of str
        What there is to choose from.

    Raises
    ------
    ParameterError
        With all complaints.
    """
    checks: dict[str, Callable[[Any, str], Any]] = {
        "father": lambda value, name: check_choice(value, name, fathers),
        "layers": check_whole,
        "blocks": check_whole,
        "units": check_whole,
        "activation": lambda value, name: check_choice(value, name, ACTIVATIONS),
        "dropout": lambda value, name: check_number(value, name, least=0, below=1),
        "learning_rate": lambda value, name: check_number(value, name, above=0),
        "weight_decay": lambda value, name: check_number(value, name, least=0),
        "view": lambda value, name: check_choice(value, name, views),
    }
    complaints = []
    for hp in given.space:
        check = checks.get(hp.name)
        try:
            check_choice(hp.name, "the name of a hyper-parameter", checks)
            for value in _extremes(hp):
                assert check is not None
                check(value, hp.name)
        except ParameterError as error:
            complaints.append(str(error))
    if complaints:
        raise ParameterError(f"the oracle's hyperparameters: {' '.join(complaints)}")


def _extremes(hp: Any) -> Iterable[Any]:
    """The values of a list, or the ends of a range."""
    return (hp.min_value, hp.max_value) if hasattr(hp, "min_value") else hp.values


def _allows(hp: Any, value: Any) -> bool:
    if hasattr(hp, "min_value"):
        return bool(hp.min_value <= value <= hp.max_value)
    return value in hp.values


def template_graph(values: Values, n_outputs: int) -> Graph:
    """The template that these values choose."""
    father = values["father"]
    if father == "linear":
        return linear(n_outputs)
    units = int(values["units"])
    if father == "mlp":
        return mlp(n_outputs, (units,) * int(values["layers"]))
    return _RFCN[father](n_outputs, n_latent=units, n_blocks=int(values["blocks"]))


def template_hyper(values: Values) -> HyperParameters:
    """The hyper-parameters among these values; the usual ones where a template reads none."""
    return HyperParameters(**{name: values[name] for name in _HYPER if name in values})


def template_values(graph: Graph, hyper: HyperParameters) -> dict[str, Any] | None:
    """The values that choose this graph and these hyper-parameters; None where the graph is no template."""
    found = _choices(graph)
    return None if found is None else found | {name: getattr(hyper, name) for name in _HYPER}


@lru_cache(256)
def _choices(graph: Graph) -> dict[str, Any] | None:
    return next((v for v in _candidates(graph) if template_graph(v, graph.n_outputs) == graph), None)


def _candidates(graph: Graph) -> Iterator[dict[str, Any]]:
    yield {"father": "linear"}
    dense = [layer.spec.units for layer in graph.layers if isinstance(layer.spec, Dense)]
    if len(dense) > 2:
        # Behind the hidden layers an mlp has two output layers, one of them on the linear path.
        yield {"father": "mlp", "units": dense[0], "layers": len(dense) - 2}
        yield from ({"father": name, "units": dense[0], "blocks": len(dense) - 2} for name in _RFCN)


def active_values(space: keras_tuner.HyperParameters, values: Values) -> dict[str, Any] | None:
    """Those of the values that the space reads in such a trial; None where it does not allow one of them.

    Parameters
    ----------
    space : keras_tuner.HyperParameters
    values : mapping
    """
    active: dict[str, Any] = {}
    trial = keras_tuner.HyperParameters()
    trial.values = active
    for hp in space.space:
        if hp.name in values and trial.is_active(hp):
            if not _allows(hp, values[hp.name]):
                return None
            active[hp.name] = values[hp.name]
    return active


def check_fathers(fathers: Sequence[str]) -> tuple[str, ...]:
    """Names of templates, at least one of them.

    Raises
    ------
    ParameterError
        If there is none, or no template of that name.
    """
    if isinstance(fathers, str) or not fathers:
        raise ParameterError(f"fathers must be a sequence of at least one name, got {fathers!r}.")
    return tuple(check_choice(father, "a father for an oracle", FATHERS) for father in fathers)
