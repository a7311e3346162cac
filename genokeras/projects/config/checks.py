"""What keys say together: defaults that follow from others, and values that contradict each other.

All of it looks at the raw data and skips what has a wrong type, so that contradictions are reported beside
misspelt keys, and not only once those are mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genokeras.projects.config.fields import MODEL_TYPES, canonical, canonical_model
from genokeras.projects.config.problems import ConfigProblem
from genokeras.projects.config.text import KeyPath
from genokeras.support.json_files import plain_json
from genokeras.support.wording import closest, listed

_SPECS = ("param_spec", "hyper_param_spec")
_ENAS_OPERATIONS = 5


def normalised(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with the models' names as we write them and the monitor that goes with the loss."""
    data: dict[str, Any] = plain_json(raw, lambda value: value)
    for spec in _SPECS:
        if isinstance(data.get(spec), Mapping) and isinstance(data[spec].get("args"), Mapping):
            data[spec] = {**data[spec], "args": _with_known_names(data[spec]["args"])}
    if model_type(data) in MODEL_TYPES and not is_enas(data):
        trainer = data.get("trainer", {})
        if isinstance(trainer, Mapping):
            data["trainer"] = _with_monitor(trainer, learns_classes(data) and not transfers(data))
    return data


def model_type(raw: Mapping[str, Any]) -> object:
    """Return the model's type as we write it, whatever its case; None where there is none."""
    return canonical_model(peek(raw, "model", "type"))


def is_enas(raw: Mapping[str, Any]) -> bool:
    """Return whether the keys are those of an enas file, also where its type is misspelt."""
    name = model_type(raw)
    return isinstance(name, str) and closest(name, MODEL_TYPES) == ["enas"]


def learns_classes(raw: Mapping[str, Any]) -> bool:
    """Return whether a classifier is trained: neither a regression nor a VAE that learns without labels."""
    if model_type(raw) == "VAE" and raw.get("transfer") is None:
        return False
    return peek(raw, "trainer", "loss") != "mse"


def transfers(raw: Mapping[str, Any]) -> bool:
    """Return whether a VAE's encoder is put before a classifier or a regression."""
    return model_type(raw) == "VAE" and raw.get("transfer") is not None


def peek(raw: object, *path: str) -> Any:
    """Return the value at a path, or None where there is no such thing."""
    for key in path:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(key)
    return raw


def contradictions(raw: Mapping[str, Any]) -> list[ConfigProblem]:
    """Return what is wrong between the keys of a normalised configuration."""
    checks = [_transfer]
    checks += [_enas] if is_enas(raw) else [_monitor, _optimizer, _parameters]
    # A VAE needs neither labels nor classes: where the type is wrong, nothing is known to be missing.
    if model_type(raw) in MODEL_TYPES:
        checks += [_labels] if is_enas(raw) else [_labels, _classes]
    return [problem for check in checks for problem in check(raw)]


def _with_known_names(args: Mapping[str, Any]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, value in args.items():
        known = str(canonical_model(key))
        renamed[key if known in renamed or (known != key and known in args) else known] = value
    return renamed


def _with_monitor(trainer: Mapping[str, Any], classes: bool) -> dict[str, Any]:
    monitor = trainer.get("monitor", "accuracy" if classes else "loss")
    mode = trainer.get("selected_mode", "min" if monitor == "loss" else "max")
    return {**trainer, "monitor": monitor, "selected_mode": mode}


def _transfer(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    if raw.get("transfer") is not None and model_type(raw) in ("ResNet", "DenseNet", "enas"):
        yield ConfigProblem(
            ("transfer",),
            'only a VAE has an encoder to transfer: expected model.type "VAE" beside it, got '
            f'"{model_type(raw)}".',
        )
    lists = peek(raw, "hyper_param_spec", "args", "VAE")
    if (
        not transfers(raw)
        or peek(raw, "trainer", "hyper_selector") is False
        or not isinstance(lists, Mapping)
    ):
        return
    for name in lists:
        if name in _OF_NETWORKS:
            yield ConfigProblem(
                ("hyper_param_spec", "args", "VAE", name),
                "cannot be searched beside transfer, because the encoder comes as it was trained: leave it out. What can be "
                "searched is optimizer_param.learning_rate.",
            )


def _labels(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    if model_type(raw) == "VAE" and raw.get("transfer") is None:
        return
    for section in ("data_train", "data_evaluate"):
        args = peek(raw, section, "args")
        if isinstance(args, Mapping) and args.get("labels_file") is None:
            yield ConfigProblem((section, "args", "labels_file"), "missing; this key has to be given.")


def _classes(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    path: KeyPath = ("model", "args", "output_classes")
    n, loss = peek(raw, *map(str, path)), peek(raw, "trainer", "loss") or "cross_entropy"
    if model_type(raw) == "VAE" and raw.get("transfer") is None:
        return
    if n is None and isinstance(raw.get("model"), Mapping):
        yield ConfigProblem(
            path,
            'missing; expected the number of classes, or of numbers to predict (with trainer.loss "mse").',
        )
    elif loss == "cross_entropy" and n == 1:
        yield ConfigProblem(
            path,
            'expected 2 or more classes, because trainer.loss is "cross_entropy"; got 1. For regression set '
            'trainer.loss to "mse".',
        )


def _monitor(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    monitor, mode = peek(raw, "trainer", "monitor"), peek(raw, "trainer", "selected_mode")
    if monitor in ("accuracy", "f1_score") and transfers(raw):
        yield ConfigProblem(
            ("trainer", "monitor"),
            f'expected "loss" (with selected_mode "min"), by which what is put behind an encoder is chosen; got "{monitor}".',
        )
    elif monitor in ("accuracy", "f1_score") and not learns_classes(raw):
        what = "a VAE without transfer" if model_type(raw) == "VAE" else 'a regression (trainer.loss "mse")'
        yield ConfigProblem(
            ("trainer", "monitor"),
            f'{what} has no classes, so there is no {monitor} to watch: expected "loss" (with selected_mode "min").',
        )
    elif monitor == "loss" and mode == "max":
        yield ConfigProblem(
            ("trainer", "selected_mode"),
            'expected "min", because trainer.monitor is "loss" and a smaller loss is better; got "max", which '
            "would keep the worst model.",
        )
    elif monitor in ("accuracy", "f1_score") and mode == "min":
        yield ConfigProblem(
            ("trainer", "selected_mode"),
            f'expected "max", because trainer.monitor is "{monitor}" and more of it is better; got "min", which '
            "would keep the worst model.",
        )


def _optimizer(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    if model_type(raw) == "VAE" and canonical(peek(raw, "optimizer", "type"), ("kfac",)) == "kfac":
        yield ConfigProblem(
            ("optimizer", "type"),
            '"kfac" is for ResNet and DenseNet: a VAE takes any of the others, such as "adam".',
        )


def _parameters(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    kind = model_type(raw)
    start, lists = (peek(raw, spec, "args") for spec in _SPECS)
    for spec, args in zip(_SPECS, (start, lists), strict=True):
        others = [name for name in MODEL_TYPES if isinstance(args, Mapping) and name in args]
        if kind in MODEL_TYPES and others and kind not in others:
            yield ConfigProblem(
                (spec, "args"),
                f'expected "{kind}", the project\'s model.type, among the keys; got {listed(map(repr, others))}.',
            )
    if not isinstance(start, Mapping):
        return
    for section in (str(kind), "optimizer_param"):
        given, searched = start.get(section), peek(lists, section)
        if not isinstance(searched, Mapping) or not isinstance(given, Mapping | None):
            continue
        if section == "VAE" and transfers(raw):
            continue
        for name in searched:
            if name in _SEARCHABLE and name not in (given or {}):
                yield ConfigProblem(
                    ("hyper_param_spec", "args", section, name),
                    f"is searched, but has no start value: expected it in param_spec.args.{section} too.",
                )


_OF_NETWORKS = frozenset({"n_latent", "n_blocks", "keep_prob", "output_nonlinear"})
_SEARCHABLE = _OF_NETWORKS | {"learning_rate"}


def _enas(raw: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    n = peek(raw, "model", "args", "output_classes")
    numbers = peek(raw, "trainer", "loss") == "mse"
    if isinstance(raw.get("model"), Mapping) and (n is None or (n == 1 and not numbers)):
        got = "nothing" if n is None else "1"
        wanted = "the number of values to predict" if numbers else "2 or more classes"
        hint = "" if numbers else ' For numbers set trainer.loss to "mse".'
        yield ConfigProblem(
            ("model", "args", "output_classes"), f"expected {wanted} for enas, got {got}.{hint}"
        )
    layers, candidates = (peek(raw, "trainer", key) for key in ("child_num_layers", "top_k_candidates"))
    if not isinstance(layers, int) or not isinstance(candidates, int) or not 1 <= layers <= 50:
        return
    arcs = _ENAS_OPERATIONS**layers * 2 ** (layers * (layers - 1) // 2)
    if candidates > arcs:
        yield ConfigProblem(
            ("trainer", "top_k_candidates"),
            f"expected at most {arcs}, the number of arcs with child_num_layers {layers}; got {candidates}.",
        )
