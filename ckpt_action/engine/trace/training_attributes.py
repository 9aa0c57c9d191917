"""Attributes by which a model is still told that it is being trained, as `self.is_training = True`.

No call is told otherwise, so each is set to what it is at inference and the model is traced again:
where that is another graph, the attribute decides.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ckpt_action.engine.objects import Held
from ckpt_action.engine.rebuild.build import state_kept
from ckpt_action.engine.records import Rebuilt, TracedModel
from ckpt_action.engine.switches import says_training
from ckpt_action.engine.trace.concrete import concrete_function
from ckpt_action.engine.trace.only_keras import FRAMEWORKS
from ckpt_action.engine.trace.retrace import difference
from ckpt_action.errors import CkptActionError, ExitCode, Problem, Severity, raise_errors
from ckpt_action.plan import Job

_NAMES = frozenset(
    {"training", "is_training", "train", "is_train", "train_mode", "training_mode", "in_training"}
)
_OTHER_TEXTS = ("predict", "inference", "infer", "eval", "test")


@dataclass(frozen=True, kw_only=True)
class _Switch:
    place: str
    holder: Any
    name: str
    others: tuple[Any, ...]
    """Values that it may have at inference."""

    def put(self, value: Any) -> None:
        self.holder[self.name] = value


def left_in_training(rebuilt: Rebuilt, model: TracedModel, job: Job) -> tuple[Problem, ...]:
    """Warnings where a golden file will tell; raises CkptActionError (SIGNATURE) otherwise."""
    switches = [] if rebuilt.family == "graph" else list(_switches(rebuilt.held))
    names = {switch.name for switch in switches}
    if not switches or not (_decide(rebuilt, model, switches) or _are_read_once(rebuilt, names)):
        return ()
    golden = job.model.verify.golden is not None
    places = tuple(f"{s.place} = {s.holder[s.name]!r}" for s in switches)
    problem = Problem(
        code=ExitCode.SIGNATURE,
        severity=Severity.WARNING if golden else Severity.ERROR,
        message=f"The model computes something else when it is being trained, and is told so by "
        f"{', '.join(places[:3])}{' and others' if places[3:] else ''}.",
        hint="Set it to what it is at inference where the entry point makes the model"
        + ("." if golden else "; a golden file would settle it."),
        details=places,
    )
    raise_errors([problem])
    return (problem,)


def _switches(held: Held) -> Iterator[_Switch]:
    for path, item in held:
        for prefix, holder in _holders(path, item):
            yield from _switches_in(prefix, holder)


def _holders(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    """What an object of the user's has for attributes, and configurations among these."""
    theirs = isinstance(item, enum.Enum) or type(item).__module__.split(".")[0] in FRAMEWORKS
    found = None if theirs else getattr(item, "__dict__", None)
    if isinstance(found, dict):
        yield path, found
        for name, value in found.items():
            if isinstance(value, MutableMapping) and not name.startswith("_"):
                yield f"{path}/{name}", value


def _switches_in(prefix: str, holder: Any) -> Iterator[_Switch]:
    for name, value in list(holder.items()):
        others: tuple[Any, ...] = ()
        if value is True and isinstance(name, str) and name.lstrip("_") in _NAMES:
            others = (False,)
        elif isinstance(value, enum.Enum) and says_training(value):
            others = tuple(one for one in type(value) if one is not value)
        elif isinstance(value, str) and says_training(value):
            others = _OTHER_TEXTS
        if others:
            place = f"{prefix}/{name}".lstrip("/")
            yield _Switch(place=place, holder=holder, name=name, others=others)


def _decide(rebuilt: Rebuilt, model: TracedModel, switches: list[_Switch]) -> bool:
    for number in range(max(len(switch.others) for switch in switches)):
        with state_kept(rebuilt.model), _set(switches, number):
            for one in model.signatures:
                try:
                    again = concrete_function(rebuilt, one.declared)
                except CkptActionError:  # it decides whether the code runs
                    return True
                if difference(one.function, again) is not None:
                    return True
    return False


@contextmanager
def _set(switches: list[_Switch], number: int) -> Iterator[None]:
    before = [switch.holder[switch.name] for switch in switches]
    for switch in switches:
        switch.put(switch.others[min(number, len(switch.others) - 1)])
    try:
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.put(value)


def _are_read_once(rebuilt: Rebuilt, names: set[str]) -> bool:
    """By a `tf.function` of the user's, which keeps the graph that it was first traced to; what
    trains is left out."""
    for item in [item for _, item in rebuilt.held]:
        kinds = (vars(kind) for kind in type(item).__mro__)
        own: list[Mapping[str, Any]] = [*kinds, getattr(item, "__dict__", None) or {}]
        for name, member in [pair for one in own for pair in dict(one).items()]:
            function = getattr(member, "python_function", None)
            code = getattr(function, "__code__", None)
            if code is not None and names.intersection(code.co_names) and "train" not in str(name):
                return True
    return False
