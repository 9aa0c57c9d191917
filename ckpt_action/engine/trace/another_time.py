"""Python code that reads the clock where the model is called: a date becomes a constant.

A method that takes the time to tell how long something took is fine. So what gives seconds is told
another time, which shows in the graph where it matters; what gives a date is named.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.engine.user_code import modules_of
from ckpt_action.errors import ExitCode, Problem, Where, warning

_DATES = re.compile(r"\b(today|now|utcnow|localtime|gmtime|strftime|ctime|asctime)\(")
_SECONDS = re.compile(r"\btime(_ns)?\(")
_AHEAD = 34_585_920
"""Seconds: another minute, hour, weekday, month and year."""
_AUTOGRAPH = f"tensorflow{os.sep}python{os.sep}autograph{os.sep}"
_CONVERTED = "__autograph_generated_file"


@contextmanager
def another_time(sources: Sequence[Path]) -> Iterator[list[Where]]:
    """Inside, seconds are told to the user's code as of another time, and the places where it
    reads a date are put into the list. Nothing where its text speaks of neither."""
    texts = {str(file): file.read_text("utf-8", "replace") for file in sources}
    dated = {file: text for file, text in texts.items() if _DATES.search(text)}
    told = _told_seconds(sources) if any(map(_SECONDS.search, texts.values())) else []
    places: list[Where] = []
    original = sys.getprofile()
    for namespace, name, _, other in told:
        namespace[name] = other
    if dated:
        sys.setprofile(_listener(dated, places))
    try:
        yield places
    finally:
        if dated:
            sys.setprofile(original)
        for namespace, name, function, _ in told:
            namespace[name] = function


def in_words(places: Sequence[Where]) -> str:
    if not places:
        return ""
    return (
        f"the code reads the date when it is called ({Path(places[0].file).name}:{places[0].line})"
    )


def reads_date(places: Sequence[Where]) -> Problem:
    return warning(
        ExitCode.REBUILD,
        "the code reads the date when the model is called: the artifact keeps that of its export.",
        where=places[0],
        hint="Take the date as an input. If nothing is computed with it, take it out of the "
        "method, or declare `verify.golden`.",
        details=tuple(map(str, places)),
    )


def _told_seconds(sources: Sequence[Path]) -> list[tuple[dict[str, Any], str, Any, Any]]:
    """(namespace, name, what is there, what takes its place) wherever the code finds the two."""
    told = {one: _ahead(one, unit) for one, unit in ((time.time, 1), (time.time_ns, 10**9))}
    return [
        (vars(module), name, value, told[value])
        for module in (time, *modules_of(sources).values())
        for name, value in list(vars(module).items())
        if isinstance(value, types.BuiltinFunctionType) and value in told
    ]


def _ahead(original: Callable[[], Any], unit: int) -> Any:
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def told() -> Any:
        return original() + _AHEAD * unit

    return told


def _listener(texts: Mapping[str, str], places: list[Where]) -> Callable[..., None]:
    def hear(frame: types.FrameType, event: str, called: Any) -> None:
        place = _place(frame, called, texts) if event == "c_call" and _gives_date(called) else None
        if place is not None and place not in places:
            places.append(place)

    return hear


def _gives_date(called: Any) -> bool:
    name = getattr(called, "__name__", "")
    if not _DATES.fullmatch(f"{name}("):
        return False
    owner = getattr(called, "__self__", None)
    return owner is time or (isinstance(owner, type) and issubclass(owner, dt.date))


def _place(frame: types.FrameType, called: Any, texts: Mapping[str, str]) -> Where | None:
    """Where the user's code calls it itself; what AutoGraph made of that code has other lines."""
    caller: types.FrameType | None = frame
    while caller is not None and _AUTOGRAPH in caller.f_code.co_filename:
        caller = caller.f_back
    if caller is None:
        return None
    file = str(Path(caller.f_code.co_filename).resolve())
    if file in texts:
        return Where(file=file, line=caller.f_lineno)
    if _CONVERTED not in file:
        return None
    wanted = f"{called.__name__}("
    file, text = next((one for one in texts.items() if wanted in one[1]), ("", ""))
    return Where(file=file, line=text[: text.find(wanted)].count("\n") + 1) if file else None
