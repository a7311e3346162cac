"""What stands above a drawing: which trial it is, what it scored, where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from genokeras.engine.run import shown_objective
from genokeras.report.sources import chosen_best, ensemble_shares
from genokeras.searchers import History, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.objectives import Objective

_MOST_TRIALS_LISTED = 12


@dataclass(frozen=True)
class Caption:
    """The text above a drawing.

    Attributes
    ----------
    title : str
    lines : tuple of str
    won : bool
        Whether the run chose this network.
    """

    title: str
    lines: tuple[str, ...]
    won: bool = False


def trial_captions(folder: RunFolder, history: History) -> dict[int, tuple[TrialResult, Caption]]:
    """The best trial of every graph that was searched, with its caption.

    Parameters
    ----------
    folder : RunFolder
    history : History

    Returns
    -------
    dict of int to (TrialResult, Caption)
        By trial id, best graph first, failed ones last.
    """
    objective = shown_objective(folder)
    shares = ensemble_shares(folder)
    best = chosen_best(folder, history)
    ranked = sorted(
        [*history.ranked(), *history.begun(), *history.failed()], key=lambda trial: trial is not best
    )
    groups: dict[str, list[TrialResult]] = {}
    for trial in ranked:
        groups.setdefault(trial.proposal.graph.fingerprint(), []).append(trial)
    captions = {}
    for group in groups.values():
        share = sum(shares.get(trial.id, 0.0) for trial in group)
        is_best = best is not None and group[0].id == best.id
        captions[group[0].id] = (group[0], _caption(group, objective, share, is_best, len(history)))
    return captions


def _caption(
    group: list[TrialResult], objective: Objective, share: float, is_best: bool, n_trials: int
) -> Caption:
    trial = group[0]
    title = f"Trial {trial.id}: {trial.proposal.graph.describe()}"
    lines = [_result(trial, objective), _origin(trial), _settings(trial)]
    if is_best:
        lines.insert(0, f"WINNER: the best of {n_trials} trials")
    if share > 0:
        lines.append(f"{share:.0%} of the delivered ensemble")
    others = sorted(other.id for other in group[1:])
    if others:
        listed = ", ".join(map(str, others[:_MOST_TRIALS_LISTED]))
        more = f" and {len(others) - _MOST_TRIALS_LISTED} more" if len(others) > _MOST_TRIALS_LISTED else ""
        lines.append(f"the same network with other settings: trials {listed}{more}")
    return Caption(title, tuple(lines), is_best or share > 0)


def _result(trial: TrialResult, objective: Objective) -> str:
    if trial.status != "ok":
        return f"failed: {(trial.error or 'no reason given').strip().splitlines()[-1]}"
    value = f"{objective.name.replace('_', ' ')} {objective.value_of_loss(trial.score):.3f}"
    error = f" ± {trial.score_se:.3f}" if trial.score_se == trial.score_se else ""
    return f"{value}{error} out of fold, {trial.n_parameters:,} parameters in row space"


def _origin(trial: TrialResult) -> str:
    proposal = trial.proposal
    if proposal.father is None:
        return f"started fresh ({proposal.origin})" if proposal.origin else "started fresh"
    how = ", ".join(morphism.name for morphism in proposal.morphisms) or "other settings"
    return f"grown from trial {proposal.father} by {how}"


def _settings(trial: TrialResult) -> str:
    hyper, views = trial.proposal.hyper, trial.proposal.views
    read = f"view{'s' * (len(views) > 1)} {', '.join(views)}"
    return f"learning rate {hyper.learning_rate:g}, weight decay {hyper.weight_decay:g}, {read}"
