"""The order in which code makes variables: where it makes them again, they can begin with other
values, the restored ones."""

from __future__ import annotations

import functools
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf


class Creations:
    """Every variable that code made eagerly, in order; none is kept alive."""

    def __init__(self) -> None:
        self._made: list[tuple[_Key, _Reference]] = []

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Remember what is made inside."""
        with _after_creation(lambda v: self._made.append((_key(v), weakref.ref(v)))):
            yield

    def forget(self) -> None:
        """What was made so far was in vain."""
        self._made.clear()

    @contextmanager
    def repeated(self) -> Iterator[Repetition]:
        """What is made inside gets, as soon as it exists, the present value of its counterpart."""
        repetition = Repetition(self._made)
        with _after_creation(repetition.begin):
            yield repetition


class Repetition:
    """Variables that are made again; the n-th of one name and shape stands for the n-th then.

    Names count what the process made before, and code may draw them. Where one is new, the first
    of the shape that is left is taken: a guess, and `counterpart` tells how it went.
    """

    def __init__(self, earlier: Iterable[tuple[_Key, _Reference]]) -> None:
        self._earlier: dict[_Key, deque[_Reference]] = {}
        for key, reference in earlier:
            self._earlier.setdefault(key, deque()).append(reference)
        self._counterparts: dict[int, tuple[_Reference, _Reference]] = {}

    def begin(self, variable: Any) -> None:
        """`variable` was made, and nobody has seen it yet."""
        waiting = self._earlier.get(_key(variable)) or self._of_another_name(variable)
        if not waiting:
            return
        reference = waiting.popleft()
        earlier = reference()
        if earlier is not None:  # else it served for a while only
            variable.assign(earlier.read_value())  # shares the memory
            self._counterparts[id(variable)] = weakref.ref(variable), reference

    def _of_another_name(self, variable: Any) -> deque[_Reference] | None:
        kind = _key(variable)[1:]
        alike = (waiting for key, waiting in self._earlier.items() if key[1:] == kind)
        return next((w for w in alike if w and w[0]() is not None), None)

    def counterpart(self, variable: Any) -> Any | None:
        """The one whose value `variable` began with; None where it began with its initial value."""
        own, earlier = self._counterparts.get(id(variable), (lambda: None, lambda: None))
        return earlier() if own() is variable else None


_Reference = Callable[[], Any]
_Key = tuple[str, Any, Any]


def _key(variable: Any) -> _Key:
    return str(variable.name), tuple(variable.shape), variable.dtype


@contextmanager
def _after_creation(see: Callable[[Any], None]) -> Iterator[None]:
    """Call `see` with every variable that is made eagerly inside.

    Creator scopes belong to the default graph. Keras begins a new one where code clears the
    session, and the scope is entered there again.
    """

    def create(next_creator: Any, **options: Any) -> Any:
        variable = next_creator(**options)
        if tf.executing_eagerly():
            see(variable)
        return variable

    with ExitStack() as stack:

        def enter() -> None:
            stack.enter_context(tf.variable_creator_scope(create))

        enter()
        for module in (tf.compat.v1, tf.compat.v2.compat.v1):  # what Keras 3, and Keras 2, calls
            stack.enter_context(_followed_by(module, "reset_default_graph", enter))
        yield


@contextmanager
def _followed_by(module: Any, name: str, then: Callable[[], None]) -> Iterator[None]:
    original = getattr(module, name)

    @functools.wraps(original)
    def both() -> None:
        original()
        then()

    setattr(module, name, both)
    try:
        yield
    finally:
        setattr(module, name, original)
