"""Controllers choose which arcs are scored next; by name.

A controller proposes arcs and then receives their rewards; a reward is higher for a better arc. Its state is plain
arrays, for an npz file.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np

from genokeras.enas.policy import ArcPolicy
from genokeras.errors import ParameterError
from genokeras.graph.arcs import Arc, ArcSpace
from genokeras.support.checks import check_choice, check_number, check_whole
from genokeras.support.json_files import parse_json

State = dict[str, np.ndarray]


class Controller(ABC):
    """Proposes arcs of a space.

    Parameters
    ----------
    space : ArcSpace
    rng : numpy.random.Generator
        The only source of chance.
    """

    name: ClassVar[str]

    def __init__(self, space: ArcSpace, rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng

    @abstractmethod
    def ask(self, n: int) -> list[Arc]:
        """``n`` arcs to score, some perhaps scored before; fewer only where there are no more, none at the end."""

    def tell(self, arcs: Sequence[Arc], rewards: np.ndarray) -> None:
        """What the arcs of the last :meth:`ask` were worth, ``(n,)``."""
        return None

    def state(self) -> State:
        """Everything that :meth:`restore` needs to go on as though nothing had been."""
        return {"rng": np.array(json.dumps(self.rng.bit_generator.state)), **self._own_state()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state of a controller of the same kind and arguments."""
        self.rng.bit_generator.state = parse_json(str(state["rng"]))
        self._restore_own(state)

    def _own_state(self) -> State:
        return {}

    def _restore_own(self, state: Mapping[str, np.ndarray]) -> None:
        return None


@final
class Enumerate(Controller):
    """Every arc of the space once, in order."""

    name = "enumerate"

    def __init__(self, space: ArcSpace, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._done = 0
        self._left = space.all_arcs()

    def ask(self, n: int) -> list[Arc]:
        arcs = list(itertools.islice(self._left, n))
        self._done += len(arcs)
        return arcs

    def _own_state(self) -> State:
        return {"done": np.array(self._done)}

    def _restore_own(self, state: Mapping[str, np.ndarray]) -> None:
        self._done = int(state["done"])
        self._left = itertools.islice(self.space.all_arcs(), self._done, None)


@final
class RandomArcs(Controller):
    """Arcs drawn uniformly."""

    name = "random"

    def ask(self, n: int) -> list[Arc]:
        return [self.space.random(self.rng) for _ in range(n)]


@final
class Evolution(Controller):
    """Regularised evolution (Real et al. 2019, arXiv:1802.01548, algorithm 1): the oldest dies, not the worst.

    Parameters
    ----------
    population : int
        Arcs alive; the same number is drawn at random first.
    sample : int
        Arcs that compete, at each birth, to be the parent.
    """

    name = "evolution"

    def __init__(
        self, space: ArcSpace, rng: np.random.Generator, *, population: int = 50, sample: int = 15
    ) -> None:
        super().__init__(space, rng)
        check_whole(population, "population")
        check_whole(sample, "sample", 1, population)
        self.population = population
        self.sample = sample
        self._alive: list[tuple[Arc, float]] = []

    def ask(self, n: int) -> list[Arc]:
        return [self._child() for _ in range(n)]

    def _child(self) -> Arc:
        if len(self._alive) < self.population:
            return self.space.random(self.rng)
        drawn = self.rng.choice(len(self._alive), size=self.sample, replace=False)
        parent = max((self._alive[i] for i in drawn), key=lambda pair: pair[1])[0]
        return self.space.mutate(parent, self.rng)

    def tell(self, arcs: Sequence[Arc], rewards: np.ndarray) -> None:
        self._alive += zip(arcs, map(float, rewards), strict=True)
        self._alive = self._alive[-self.population :]

    def _own_state(self) -> State:
        tokens = [arc.tokens for arc, _ in self._alive]
        return {
            "alive": np.array(tokens, dtype=int).reshape(len(tokens), len(self.space.choices)),
            "rewards": np.array([reward for _, reward in self._alive], dtype="float64"),
        }

    def _restore_own(self, state: Mapping[str, np.ndarray]) -> None:
        arcs = map(Arc.from_tokens, state["alive"])
        self._alive = list(zip(arcs, state["rewards"].tolist(), strict=True))


@final
class Reinforce(Controller):
    """The LSTM policy of ENAS, trained by REINFORCE (Williams 1992; Pham et al. 2018, section 2.2).

    The gradient of the expected reward is estimated by ``(reward - baseline) d log p``, the baseline being a moving average
    of the rewards, and an entropy bonus keeps the policy from settling early. Rewards of arcs differ little, on a scale
    that depends on the data: they are divided by a moving standard deviation, so that the entropy's weight means the same
    everywhere. Steps are Adam's.

    Parameters
    ----------
    hidden : int
        Units of the LSTM.
    learning_rate : float
    entropy_weight : float
    temperature, tanh_constant : float
        Logits are ``tanh_constant tanh(logit / temperature)``.
    baseline_decay : float
        How much of the moving averages stays from one batch of rewards to the next.
    """

    name = "reinforce"

    def __init__(
        self,
        space: ArcSpace,
        rng: np.random.Generator,
        *,
        hidden: int = 32,
        learning_rate: float = 0.01,
        entropy_weight: float = 0.02,
        temperature: float = 1.0,
        tanh_constant: float = 2.5,
        baseline_decay: float = 0.9,
    ) -> None:
        super().__init__(space, rng)
        check_whole(hidden, "hidden")
        check_number(learning_rate, "learning_rate", above=0)
        check_number(temperature, "temperature", above=0)
        check_number(tanh_constant, "tanh_constant", above=0)
        check_number(entropy_weight, "entropy_weight", least=0)
        check_number(baseline_decay, "baseline_decay", least=0, below=1)
        self.learning_rate = learning_rate
        self.entropy_weight = entropy_weight
        self.baseline_decay = baseline_decay
        self.policy = ArcPolicy(space.n_layers, hidden, temperature, tanh_constant, rng)
        zeros = {name: np.zeros_like(array) for name, array in self.policy.parameters.items()}
        self._means, self._squares = zeros, {name: array.copy() for name, array in zeros.items()}
        self._moving = np.zeros(3)

    @property
    def baseline(self) -> float:
        """Moving average of the rewards."""
        return float(self._moving[1])

    def ask(self, n: int) -> list[Arc]:
        return self.policy.draw(n, self.rng).arcs()

    def tell(self, arcs: Sequence[Arc], rewards: np.ndarray) -> None:
        given = np.asarray(rewards, dtype="float64")
        updates, mean, variance = self._moving
        keep = self.baseline_decay if updates else 0.0
        baseline = mean if updates else given.mean()
        spread = keep * variance + (1 - keep) * np.mean((given - baseline) ** 2)
        advantage = (given - baseline) / np.sqrt(spread + 1e-12)
        self._moving = np.array([updates + 1, keep * mean + (1 - keep) * given.mean(), spread])
        rollout = self.policy.retrace(arcs)
        self._climb(
            self.policy.gradients(rollout, advantage / len(arcs), self.entropy_weight / len(arcs)),
            int(updates) + 1,
        )

    def _climb(self, gradients: Mapping[str, np.ndarray], at: int) -> None:
        """One step of Adam (Kingma & Ba 2015, algorithm 1), upwards."""
        for name, gradient in gradients.items():
            self._means[name] = 0.9 * self._means[name] + 0.1 * gradient
            self._squares[name] = 0.999 * self._squares[name] + 0.001 * gradient**2
            size = self.learning_rate * np.sqrt(1 - 0.999**at) / (1 - 0.9**at)
            self.policy.parameters[name] += size * self._means[name] / (np.sqrt(self._squares[name]) + 1e-8)

    def _own_state(self) -> State:
        kinds = {"policy": self.policy.parameters, "mean": self._means, "square": self._squares}
        arrays = {f"{kind}.{name}": array for kind, named in kinds.items() for name, array in named.items()}
        return {"moving": self._moving, **{key: array.copy() for key, array in arrays.items()}}

    def _restore_own(self, state: Mapping[str, np.ndarray]) -> None:
        self._moving = np.array(state["moving"])
        kinds = {"policy": self.policy.parameters, "mean": self._means, "square": self._squares}
        for kind, named in kinds.items():
            for name in named:
                named[name] = np.array(state[f"{kind}.{name}"])


CONTROLLERS: dict[str, type[Controller]] = {
    kind.name: kind for kind in (Reinforce, RandomArcs, Evolution, Enumerate)
}


def get_controller(name: str, space: ArcSpace, rng: np.random.Generator, **arguments: Any) -> Controller:
    """The controller of this name.

    Parameters
    ----------
    name : {"reinforce", "random", "evolution", "enumerate"}
    space : ArcSpace
    rng : numpy.random.Generator
    **arguments
        Of the controller, such as ``entropy_weight``.

    Raises
    ------
    ParameterError
        If there is no such controller, or it has no such argument.
    """
    check_choice(name, "controller", CONTROLLERS)
    try:
        return CONTROLLERS[name](space, rng, **arguments)
    except TypeError as error:
        raise ParameterError(f"controller {name!r} cannot be made from {arguments}: {error}.") from error
