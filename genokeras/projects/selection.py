"""Which parameters a project trains with: its start values, the HyperSelector, or an oracle of KerasTuner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genokeras.projects import announce
from genokeras.projects.candidates import FIRST_RATE, LAST_RATE, Candidates
from genokeras.projects.config import ProjectConfig
from genokeras.projects.vae import (
    DescentSettings,
    TransferData,
    VaeData,
    VaeSettings,
    transfer_candidate,
    transfer_range_test,
    vae_candidate,
    vae_range_test,
)
from genokeras.tuning import Attempt, HyperSelector, OracleSearch, Proposed

RATE = "learning_rate"
# Trials of an oracle for each parameter that is searched.
_TRIALS_EACH = 4

Evaluate = Callable[[Sequence[Mapping[str, Any]], int], list[Attempt]]


def select(
    config: ProjectConfig,
    evaluate: Evaluate,
    state: Mapping[str, Any] | None,
    keep: Callable[[Mapping[str, Any]], None],
) -> dict[str, Any]:
    """Choose the parameters.

    Parameters
    ----------
    config : ProjectConfig
    evaluate : callable
        ``(candidates, epochs) -> list of Attempt``.
    state : mapping, optional
        Of a selection that was interrupted: what it settled is not tried again.
    keep : callable
        Takes the state whenever a parameter is settled; from an oracle, once it has chosen.

    Returns
    -------
    dict
        A value for every parameter, the learning rate among them.
    """
    selector = config.trainer.hyper_selector
    start, lists = dict(config.start_values), dict(config.search_space)
    if selector is False or not lists:
        return start
    if selector is True:
        known = _already_tried(start, lists, state)
        once = _evaluated_once(evaluate, config.trainer.pre_train_epoch, known, rate_counts=RATE in lists)
        return (
            HyperSelector(start, lists, once, log=announce.say, state=state, on_settled=keep, rate_name=RATE)
            .run()
            .values
        )
    if state is None:
        state = {"chosen": _by_oracle(config, selector, start, lists, evaluate)}
        keep(state)
    return dict(state["chosen"])


def select_rate(
    config: ProjectConfig,
    data: TransferData,
    state: Mapping[str, Any] | None,
    keep: Callable[[Mapping[str, Any]], None],
) -> float:
    """Choose the learning rate beside ``transfer``: of the rates listed, or else by a range test, unless the selector is off.

    `state` and `keep` are those of `select`.
    """

    def evaluate(wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        rates = [float(values[RATE]) for values in wanted]
        return [
            Attempt(-transfer_candidate(data, transfer_settings(config, rate), epochs), learning_rate=rate)
            for rate in rates
        ]

    if config.search_space or not config.searched:
        return float(select(config, evaluate, state, keep)[RATE])
    if state is None:
        announce.range_test(FIRST_RATE, LAST_RATE)
        test = transfer_range_test(data, transfer_settings(config, config.start_values[RATE]))
        state = {"chosen": {RATE: test.suggestion}}
        keep(state)
    return float(state["chosen"][RATE])


def _already_tried(
    start: Mapping[str, Any], lists: Mapping[str, Sequence[Any]], state: Mapping[str, Any] | None
) -> list[tuple[dict[str, Any], Attempt]]:
    """What an interrupted selector had scored, with the values it was scored at."""
    values, known = dict(start), []
    for entry in (state or {"settled": []})["settled"]:
        name = entry["parameter"]
        for value, found in zip(lists[name], entry["candidates"], strict=True):
            if found["score"] is not None:
                attempt = Attempt(found["score"], found["learning_rate"], seconds=found["seconds"])
                known.append(({**values, name: value}, attempt))
        values[name] = lists[name][entry["index"]]
    return known


def _evaluated_once(
    evaluate: Evaluate, epochs: int, known: list[tuple[dict[str, Any], Attempt]], *, rate_counts: bool
) -> Callable[[list[dict[str, Any]]], list[Attempt]]:
    """Try nothing twice: the value that was kept of one parameter comes up again among the values of the next."""

    def key(values: Mapping[str, Any]) -> str:
        # A rate that range tests choose is nothing that candidates differ in.
        return repr(sorted((name, v) for name, v in values.items() if rate_counts or name != RATE))

    remembered = {key(values): attempt for values, attempt in known}

    def once(wanted: list[dict[str, Any]]) -> list[Attempt]:
        new = [values for values in wanted if key(values) not in remembered]
        if new:
            tried = evaluate(new, epochs)
            remembered.update({key(values): found for values, found in zip(new, tried, strict=True)})
        return [remembered[key(values)] for values in wanted]

    return once


def network_evaluation(config: ProjectConfig, candidates: Candidates) -> Evaluate:
    """How networks that learn labels are tried."""
    searched = RATE in config.search_space

    def evaluate(wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        if not searched:
            announce.range_test(FIRST_RATE, LAST_RATE)
        return candidates.tried(wanted, epochs, searched)

    return evaluate


def vae_evaluation(config: ProjectConfig, data: VaeData) -> Evaluate:
    """How auto-encoders are tried."""

    searched = RATE in config.search_space

    def evaluate(wanted: Sequence[Mapping[str, Any]], epochs: int) -> list[Attempt]:
        return [tried(vae_settings(config, values), epochs) for values in wanted]

    def tried(settings: VaeSettings, epochs: int) -> Attempt:
        if not searched:
            announce.range_test(FIRST_RATE, LAST_RATE)
            settings = replace(settings, learning_rate=vae_range_test(data, settings).suggestion)
        return Attempt(-vae_candidate(data, settings, epochs), learning_rate=settings.learning_rate)

    return evaluate


def vae_settings(config: ProjectConfig, values: Mapping[str, Any]) -> VaeSettings:
    """Settings of an auto-encoder from a project's parameters."""
    trainer = config.trainer
    return VaeSettings(
        learning_rate=values[RATE],
        batch_size=trainer.batch_size,
        patience=trainer.patience,
        max_epochs=trainer.max_steps,
        max_steps=trainer.max_steps,
        optimizer=config.optimizer.type,
        seed=config.seed,
        latent=values["n_latent"],
        blocks=values["n_blocks"],
        keep_prob=values["keep_prob"],
        output_nonlinear=values["output_nonlinear"],
    )


def transfer_settings(config: ProjectConfig, rate: float) -> DescentSettings:
    """Settings of what is put behind an encoder."""
    trainer = config.trainer
    return DescentSettings(
        learning_rate=rate,
        batch_size=trainer.batch_size,
        patience=trainer.patience,
        max_epochs=trainer.max_steps,
        max_steps=trainer.max_steps,
        optimizer=config.optimizer.type,
        seed=config.seed,
    )


def _by_oracle(
    config: ProjectConfig,
    oracle: str,
    start: dict[str, Any],
    lists: Mapping[str, Sequence[Any]],
    evaluate: Evaluate,
) -> dict[str, Any]:
    epochs = config.trainer.pre_train_epoch
    search = OracleSearch(
        lists,
        oracle,
        max_trials=None if oracle == "grid" else _TRIALS_EACH * len(lists),
        seed=config.seed,
        start=start,
        max_epochs=epochs,
    )

    def tried(proposed: Proposed) -> Attempt:
        return evaluate([proposed.values], proposed.epochs or epochs)[0]

    proposed, winner = search.run(tried, log=announce.say)
    rate = winner.learning_rate if winner.learning_rate is not None else proposed.values[RATE]
    return {**proposed.values, RATE: rate}
