"""The family tree of a search: which network grew from which, as values; pictures of it are made elsewhere.

A search trains a network with a dozen settings at once, so a node of the tree is such a pack of trials: those of one
network that came from one father in one way. That keeps hundreds of trials to some tens of nodes. Where even those are
too many, the least interesting ones of a father are drawn as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from genokeras.engine.run import shown_objective
from genokeras.graph import is_linear
from genokeras.metric_names import metric_name
from genokeras.report.sources import chosen_best, ensemble_shares, finished_history, run_folder
from genokeras.searchers import History, Proposal, TrialResult
from genokeras.tasks.objectives import Objective

MOST_NODES = 60
_RATES = ("learning_rate", "weight_decay", "dropout")
# Even in lightness and alike for all kinds of colour vision: Nunez, Anderton and Renslow (2018), PLoS ONE 13: e0199239.
_MAP = "cividis"
_FAILED = "#cbd5e1"
_WORST_QUANTILE = 0.9


@dataclass(frozen=True)
class TreeNode:
    """Trials of one network that grew from one father in one way.

    Attributes
    ----------
    number : int
    father : int or None
        Number of the node it grew from.
    label : str
        How: ``"deepen, add_skip"``, ``"other rates"``, or ``"started fresh"``.
    network : str
    trials : tuple of TrialResult
        By id.
    networks : int
        How many nodes it stands for; above 1 it is a summary of what is left out.
    """

    number: int
    father: int | None
    label: str
    network: str
    trials: tuple[TrialResult, ...]
    networks: int = 1

    @property
    def best(self) -> TrialResult | None:
        """The trial with the lowest loss; None where all failed."""
        ok = [trial for trial in self.trials if trial.status == "ok"]
        return min(ok, key=lambda trial: (trial.score, trial.id), default=None)


@dataclass(frozen=True)
class SearchTree:
    """All that a search tried.

    Attributes
    ----------
    nodes : tuple of TreeNode
        Fathers before children.
    objective : Objective
    winner : int
        Id of the single best trial.
    baseline : int or None
        Id of the best linear trial.
    shares : dict of int to float
        Weights in the delivered ensemble, by trial id.
    """

    nodes: tuple[TreeNode, ...]
    objective: Objective
    winner: int
    baseline: int | None
    shares: Mapping[int, float]

    @cached_property
    def trials(self) -> tuple[TrialResult, ...]:
        return tuple(trial for node in self.nodes for trial in node.trials)

    @cached_property
    def children(self) -> dict[int | None, list[TreeNode]]:
        """Nodes by the number of their father; roots by None."""
        found: dict[int | None, list[TreeNode]] = {}
        for node in self.nodes:
            found.setdefault(node.father, []).append(node)
        return found

    @cached_property
    def winners_line(self) -> frozenset[int]:
        """Numbers of the nodes from the winner's up to its root."""
        return self._line_of(self.winner)

    @cached_property
    def members_lines(self) -> frozenset[int]:
        """Numbers of the nodes from those of the largest members of the ensemble up to their roots."""
        largest = largest_members(self.shares)
        return frozenset(number for trial in largest for number in self._line_of(trial))

    def _line_of(self, trial: int) -> frozenset[int]:
        by_number = {node.number: node for node in self.nodes}
        found = set()
        number = next((node.number for node in self.nodes if trial in {t.id for t in node.trials}), None)
        while number is not None:
            found.add(number)
            number = by_number[number].father
        return frozenset(found)

    def depth_first(self) -> list[tuple[TreeNode, int]]:
        """Every node, each followed by its children, and how deep it is."""
        found, waiting = [], [(node, 0) for node in reversed(self.children.get(None, []))]
        while waiting:
            node, depth = waiting.pop()
            found.append((node, depth))
            waiting += [(child, depth + 1) for child in reversed(self.children.get(node.number, []))]
        return found

    def value(self, trial: TrialResult) -> str:
        """The objective's value of a trial, as text."""
        return f"{self.objective.value_of_loss(trial.score):.3f}" if trial.status == "ok" else "failed"

    @cached_property
    def loss_range(self) -> tuple[float, float]:
        """Losses of the two ends of the colours: few trials are very bad, and they would take all the range."""
        losses = [trial.score for trial in self.trials if trial.status == "ok"]
        return min(losses), float(np.quantile(losses, _WORST_QUANTILE))

    def colour(self, trial: TrialResult) -> str:
        """Dark where good, light where bad, grey where failed."""
        return self.colour_of_loss(trial.score) if trial.status == "ok" else _FAILED

    def colour_of_loss(self, loss: float) -> str:
        best, worst = self.loss_range
        share = (loss - best) / (worst - best) if worst > best else 0.0
        return to_hex(colormaps[_MAP](float(np.clip(share, 0.0, 1.0))))

    def legend(self, steps: int = 5) -> list[tuple[str, str]]:
        """Colours and the values they stand for, best first."""
        best, worst = self.loss_range
        losses = np.linspace(best, worst, steps if worst > best else 1)
        words = [f"{self.objective.value_of_loss(float(loss)):.3f}" for loss in losses]
        if len(words) > 1:
            words[-1] += " or worse"
        return [(self.colour_of_loss(float(loss)), word) for loss, word in zip(losses, words, strict=True)]

    def summary(self) -> str:
        """The tree in words."""
        n, best = len(self.trials), next(trial for trial in self.trials if trial.id == self.winner)
        networks = len({trial.proposal.graph.fingerprint() for trial in self.trials})
        words = (
            f"{n} trial{'s' * (n != 1)} of {networks} network{'s' * (networks != 1)}. Winner: trial {best.id}, "
            f"{best.proposal.graph.describe()}, {metric_name(self.objective.name)} {self.value(best)} out of fold"
        )
        finished = [trial for trial in self.trials if trial.status == "ok"]
        lowest = min(finished, key=lambda trial: (trial.score, trial.id))
        if lowest.score < best.score:
            words += f" (best score: trial {lowest.id}, {self.value(lowest)})"
        if self.baseline is None:
            return f"{words}; no linear network was tried."
        if self.baseline == self.winner:
            return f"{words}; it is the linear baseline itself."
        linear = next(trial for trial in self.trials if trial.id == self.baseline)
        return f"{words}; linear baseline: trial {linear.id}, {self.value(linear)}."


def search_tree(run: Any, most: int = MOST_NODES) -> SearchTree:
    """The family tree of a run.

    Parameters
    ----------
    run : path-like or fitted estimator
    most : int
        Nodes at most, those apart that stand for what is left out.

    Raises
    ------
    RunFolderError
        If it is no run, or none of its trials finished.
    """
    folder = run_folder(run)
    history = finished_history(run)
    ranked, shares = history.ranked(), ensemble_shares(folder)
    winner = (chosen_best(folder, history) or ranked[0]).id
    baseline = next((trial.id for trial in ranked if is_linear(trial.proposal.graph)), None)
    nodes = _packs(history)
    kept = _most_telling(nodes, {winner, baseline, *largest_members(shares)}, most)
    return SearchTree(
        tuple(_summarised(nodes, kept)),
        shown_objective(folder),
        winner,
        baseline,
        shares,
    )


def largest_members(shares: Mapping[int, float], most: int = 3) -> list[int]:
    """Trials with the largest weights in the ensemble, largest first."""
    return sorted(shares, key=lambda trial: (-shares[trial], trial))[:most]


# ---- nodes


def _packs(history: History) -> list[TreeNode]:
    by_id = {trial.id: trial for trial in history}
    nodes: list[TreeNode] = []
    trials: list[list[TrialResult]] = []
    number_of: dict[tuple[int | None, str], int] = {}
    node_of_trial: dict[int, int] = {}
    for trial in history:
        proposal = trial.proposal
        father = node_of_trial.get(proposal.father) if proposal.father is not None else None
        label = _label(proposal, by_id[proposal.father].proposal if father is not None else None)  # type: ignore[index]
        if father is not None and not proposal.morphisms and nodes[father].label.startswith("other"):
            father = nodes[father].father  # other rates of other rates are siblings, not grandchildren
        key = (father, proposal.graph.fingerprint())
        number = number_of.setdefault(key, len(nodes))
        if number == len(nodes):
            nodes.append(TreeNode(number, father, label, proposal.graph.describe(), ()))
            trials.append([])
        trials[number].append(trial)
        node_of_trial[trial.id] = number
    return [replace(node, trials=tuple(own)) for node, own in zip(nodes, trials, strict=True)]


def _label(proposal: Proposal, father: Proposal | None) -> str:
    if father is None:
        return "started fresh"
    if proposal.morphisms:
        return ", ".join(morphism.name for morphism in proposal.morphisms)
    own, his = proposal.hyper.to_dict(), father.hyper.to_dict()
    different = [name for name in own if own[name] != his[name]]
    words = ["rates"] if any(name in _RATES for name in different) or not different else []
    return "other " + ", ".join([*words, *(name for name in different if name not in _RATES)])


# ---- when there are too many


def _most_telling(nodes: Sequence[TreeNode], marked: set[int | None], most: int) -> set[int]:
    """Numbers of the nodes to draw: the marked trials' and the best, each with all its fathers."""

    def urgency(node: TreeNode) -> tuple[bool, float, int]:
        best = node.best
        is_marked = any(trial.id in marked for trial in node.trials)
        return not is_marked, best.score if best is not None else np.inf, node.number

    kept: set[int] = set()
    for node in sorted(nodes, key=urgency):
        line = {node.number}
        father = node.father
        while father is not None:
            line.add(father)
            father = nodes[father].father
        if len(kept | line) <= most or any(trial.id in marked for trial in node.trials):
            kept |= line
    return kept


def _summarised(nodes: Sequence[TreeNode], kept: set[int]) -> list[TreeNode]:
    """The nodes that are kept, and one behind them for all that is left out below each."""
    shown = [node for node in nodes if node.number in kept]
    left_out: dict[int | None, list[TreeNode]] = {}
    for node in nodes:
        if node.number not in kept:
            father = node.father
            while father is not None and father not in kept:
                father = nodes[father].father
            left_out.setdefault(father, []).append(node)
    for number, (father, group) in enumerate(left_out.items(), start=len(nodes)):
        trials = tuple(trial for node in group for trial in node.trials)
        if len(group) == 1 and group[0].father == father:
            shown.append(group[0])
            continue
        shown.append(TreeNode(number, father, "left out", f"{len(group)} more networks", trials, len(group)))
    return shown
