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

from ckpt_action.engine.kerases import loaded_keras


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
    """Variables that are made again; the n-th of one name and shape stands for the n-th then."""

    def __init__(self, earlier: Iterable[tuple[_Key, _Reference]]) -> None:
        self._earlier: dict[_Key, deque[_Reference]] = {}
        for key, reference in earlier:
            self._earlier.setdefault(key, deque()).append(reference)
        self._counterparts: dict[int, tuple[_Reference, _Reference]] = {}

    def begin(self, variable: Any) -> None:
        """`variable` was made, and nobody has seen it yet."""
        waiting = self._earlier.get(_key(variable))
        if not waiting:
            return
        reference = waiting.popleft()
        earlier = reference()
        if earlier is not None:  # else it served for a while only
            variable.assign(earlier.read_value())  # shares the memory
            self._counterparts[id(variable)] = weakref.ref(variable), reference

    def mistaken(self, variable: Any, earlier: Any) -> bool:
        """Whether `variable` began with the value of another one than `earlier`."""
        own, counterpart = self._counterparts.get(id(variable), (lambda: None, lambda: None))
        return own() is variable and counterpart() is not earlier


_Reference = Callable[[], Any]
_Key = tuple[str, Any, Any]


def _key(variable: Any) -> _Key:
    return str(variable.name), tuple(variable.shape), variable.dtype


@contextmanager
def _after_creation(see: Callable[[Any], None]) -> Iterator[None]:
    """Call `see` with every variable that is made eagerly inside.

    Creator scopes belong to the default graph. Keras 2 begins a new one where code clears the
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
        keras = loaded_keras(2)
        if keras is not None:
            original = keras.backend.clear_session

            @functools.wraps(original)
            def clear_session() -> None:
                original()
                enter()

            keras.backend.clear_session = clear_session
            stack.callback(setattr, keras.backend, "clear_session", original)
        yield
