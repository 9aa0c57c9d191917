"""Variables whose random initial values are not drawn, because the checkpoint replaces them.

While the entry point runs, a variable that a random initialiser of Keras fills gets zeros that take
no memory (see `lazy_hooks`). Nobody can see them: before anything reads such a variable eagerly it
gets its initial value, by the same initialiser, whose result does not depend on when it is called.
Afterwards the operating system tells whether any of the memory was read all the same, and the
memory's owner whether anything but a variable still has it; then the job fails.

Only what is certain is put off: exact classes of Keras with a seed of their own, called by the
variable itself. An initialiser that the user's code calls, wraps or derives from runs as ever, and
so does `tf.Variable(tf.random.normal(…))`. Once a model has to be run to be built, every variable
gets its initial value first.
"""

from __future__ import annotations

import functools
import gc
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ckpt_action.engine.keras_versions import loaded_keras
from ckpt_action.engine.rebuild.zero_pages import ZeroPages
from ckpt_action.errors import ExitCode, fail

SMALLEST = 1 << 16
"""Bytes; smaller variables are filled at once."""

_RANDOM = (
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
)  # fmt: skip


@dataclass(kw_only=True)
class Late:
    """An initialiser that hands out untouched zeros once, while its variable is being made."""

    initializer: Any
    put_off: tuple[ZeroPages, Callable[[], Any]] | None = None
    """What it handed out, and the call that gives the initial value."""
    open: bool = True

    def __call__(self, shape: Any, dtype: Any = None, **options: Any) -> Any:
        value = functools.partial(self.initializer, shape, dtype, **options)
        if not self.open or self.put_off or options or not _is_large(shape, dtype):
            return value()
        pages = ZeroPages(tuple(shape), tf.as_dtype(dtype))
        self.put_off = pages, value
        return pages.tensor()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A variable that waits for its initial value."""

    variable: Any
    pages: ZeroPages
    value: Callable[[], Any]


class LazyVariables:
    """The variables of one model that have no initial value yet."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.hindrance = ""
        """Why nothing can be put off here, whatever the model; empty where it can."""
        self.put_off = False
        """Whether any initial value ever was."""
        self._waiting: dict[int, Waiting] = {}
        self._taken: list[str] = []
        self._functions = 0

    def late(self, initializer: Any) -> Late | None:
        """A stand-in for `initializer`; None where it has to be called now."""
        if self._functions or tf.distribute.has_strategy() or not _is_timeless(initializer):
            return None
        return Late(initializer=initializer)

    def add(self, variable: Any, late: Late) -> None:
        """`variable` was made with `late`."""
        late.open = False
        if late.put_off is None:
            return
        self.put_off = True
        pages, value = late.put_off
        self._waiting[id(variable)] = Waiting(variable=variable, pages=pages, value=value)

    def fill(self, variable: Any) -> None:
        """`variable` is about to be read, or written to."""
        if id(variable) in self._waiting and tf.executing_eagerly():
            self._fill([self._waiting.pop(id(variable))])

    def fill_all(self) -> None:
        """Give every variable its initial value now."""
        waiting, self._waiting = self._waiting, {}
        self._fill(waiting.values())

    def fill_kept(self) -> None:
        """Give their initial values to those that nothing was assigned to.

        To be called after the checkpoint was restored. Raises CkptActionError (REBUILD) where
        something beside the variables has the zeros.
        """
        waiting, self._waiting = list(self._waiting.values()), {}
        _assign(waiting)
        if any(one.pages.lent() for one in waiting):
            gc.collect()
        self._taken += [one.variable.name for one in waiting if one.pages.lent()]
        self._refuse()

    def check(self) -> None:
        """Raise CkptActionError (REBUILD) where the model's code has read zeros."""
        self._note_taken(self._waiting.values())
        self._refuse()

    @contextmanager
    def function_called(self) -> Iterator[None]:
        """A compiled function reads its variables by itself, those that it makes too."""
        if tf.executing_eagerly():
            self.fill_all()
        self._functions += 1
        try:
            yield
        finally:
            self._functions -= 1

    def _fill(self, waiting: Iterable[Waiting]) -> None:
        self._note_taken(waiting)
        _assign(waiting)

    def _note_taken(self, waiting: Iterable[Waiting]) -> None:
        self._taken += [one.variable.name for one in waiting if one.pages.touched()]

    def _refuse(self) -> None:
        if self._taken:
            raise fail(
                ExitCode.REBUILD,
                f"the code that makes the model took the initial values of {len(self._taken)} "
                f"variables before they were drawn ({', '.join(self._taken[:3])}).",
                hint="Set `lazy-init = false` for this model.",
                details=self._taken,
            )


def _assign(waiting: Iterable[Waiting]) -> None:
    for one in waiting:
        if one.pages.holds(one.variable):
            one.variable.assign(one.value())


def _is_timeless(initializer: Any) -> bool:
    """Whether calling it later gives the same value and changes nothing that others see."""
    for generation in (3, 2):
        keras = loaded_keras(generation)
        kinds = {getattr(keras.initializers, name, None) for name in _RANDOM} if keras else set()
        if type(initializer) not in kinds:
            continue
        if generation == 3:
            return isinstance(initializer.seed, int)  # else a generator with a state
        generator: Any = getattr(initializer, "_random_generator", None)
        if getattr(generator, "_rng_type", None) != "stateless":
            return False
        generator._maybe_init()  # noqa: SLF001  draws the seed, as the first call would
        return True
    return False


def _is_large(shape: Any, dtype: Any) -> bool:
    if not tf.executing_eagerly() or dtype is None:
        return False
    kind = tf.as_dtype(dtype)
    return bool(kind.is_floating) and math.prod(shape) * kind.size >= SMALLEST
