"""What the steps of a restore hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ckpt_action.checkpoint.records import ObjectGraph, Role

if TYPE_CHECKING:
    import tensorflow as tf

    from ckpt_action.engine.arrays import Array
    from ckpt_action.engine.objects import Held
    from ckpt_action.engine.restore.model.live import Edges


@dataclass(frozen=True, kw_only=True)
class LiveVariable:
    """One variable of the rebuilt model, before it is restored."""

    path: str
    variable: tf.Variable
    """The raw resource variable."""
    trainable: bool
    place: str
    """Where it hangs in the model's objects: `blocks/0/dense/_kernel`."""
    attributes: str
    """The same for a person, as the code names it; the path where no code makes the model."""
    names: tuple[str, ...]
    """Names that a name-based checkpoint may know it by, without `:0`."""
    state: bool = False
    """True for what no checkpoint holds: random seeds, states of stateful layers."""

    @property
    def dtype(self) -> str:
        return str(self.variable.dtype.name)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable.shape.as_list())


@dataclass(frozen=True, kw_only=True)
class LiveModel:
    """The rebuilt model as its objects and its variables."""

    root: Any
    held: Held
    """All that it holds; see `Rebuilt`."""
    variables: tuple[LiveVariable, ...]
    edges: Edges

    def own(self) -> tuple[LiveVariable, ...]:
        """The variables that the checkpoint has to fill."""
        return tuple(v for v in self.variables if not v.state)


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value that the checkpoint holds."""

    key: str
    dtype: str
    shape: tuple[int, ...]
    full_name: str = ""
    """The variable's name when it was saved; empty where the file does not keep it."""
    path: str = ""
    """As a person reads it, from the saved object: `model/layer_with_weights-0/kernel`."""
    relayout: Callable[[Array], Array] | None = None
    """What makes the variable's value of the file's, where the layouts differ; `shape` is then that
    of the variable."""


class Source(Protocol):
    """The values of one checkpoint."""

    @property
    def values(self) -> Mapping[str, Value]:
        """Every stored value by key."""

    @property
    def graph(self) -> ObjectGraph | None:
        """How the values hang together; None where the file knows only names or an order."""

    @property
    def optimizers(self) -> frozenset[int]:
        """Nodes of the graph that are optimizers, those that wrap others included."""

    @property
    def set_aside(self) -> Mapping[Role, int]:
        """Stored values that are not among `values`, because their place says what they are."""

    def read(self, key: str) -> Array:
        """The array of `key` in TensorFlow's dtype; strings as objects of bytes."""

    def load(self, keys: Sequence[str]) -> Iterator[tuple[tf.Tensor | Array, Array]]:
        """For each key the value, checked against the file's checksum where it has one, to be
        assigned, and the file's bytes as an array, to compare with."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One checkpoint value that one variable may take, and how it was found."""

    variable: LiveVariable
    value: Value
    ordered: bool
    """Found by the order of layers or variables alone, never by a name."""
    counted: bool = False
    """Of the variables of its layer, found by the order in which the user's code made them."""
    holders: frozenset[int] = frozenset()
    """Identities of the objects in the model that hold the variable where the value was found."""


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """Values that only an optimizer holds, and that may be those of another network."""

    optimizer: str
    """Dotted path from the saved object."""
    values: tuple[Value, ...]
    owners: tuple[str, ...]
    """Other parts of the checkpoint that may own them."""
    names: tuple[str, str] | None
    """A recorded name, and the path of the model's variable that cannot be called so."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One way of laying the model over the checkpoint, complete or not."""

    route: str = ""
    root: str = ""
    """Dotted path from the saved object; empty: the saved object itself."""
    bound: tuple[Candidate, ...] = ()
    """Each variable with exactly one value of equal shape and fitting dtype."""
    unfit: tuple[Candidate, ...] = ()
    """One candidate, but of another shape or dtype."""
    ambiguous: tuple[tuple[LiveVariable, tuple[Value, ...]], ...] = ()
    """Variables with several candidates, or candidates that others claim too."""
    tied: tuple[tuple[LiveVariable, tuple[Value, ...]], ...] = ()
    """Bound ones that several objects of the model share, with the value of each."""
    contradicted: tuple[Candidate, ...] = ()
    """Bound by order, while the recorded names ask for another order."""
    missing: tuple[LiveVariable, ...] = ()
    unused: tuple[Value, ...] = ()
    missing_allowed: tuple[LiveVariable, ...] = ()
    unused_allowed: tuple[Value, ...] = ()
    ignored: Mapping[Role, int] = field(default_factory=dict)
    likely_metrics: tuple[str, ...] = ()
    """Where values were ignored for being those of a metric, which only their names say."""
    never_saved: tuple[LiveVariable, ...] = ()
    """Missing ones below a list, tuple or dict that the writing Keras 3 did not look into."""
    disputed: tuple[Disputed, ...] = ()
    """What optimizers hold, and no variable may take; among `unused`."""
    tables: tuple[tuple[Any, Mapping[str, Value]], ...] = ()
    """Lookup tables of the model with the values of their keys and contents."""
    alike_tables: tuple[tuple[tuple[Any, Mapping[str, Value]], ...], ...] = ()
    """Those of `tables` that could be exchanged with each other but for the order of layers."""
    loose_tables: tuple[Mapping[str, Value], ...] = ()
    """The same of the checkpoint's tables that no name led to."""
    vocabularies: tuple[tuple[Any, Mapping[str, Value]], ...] = ()
    """Lookup layers without words, with the table that they take them from."""
    unfilled_allowed: tuple[str, ...] = ()
    """Lookup tables of the model that may stay empty."""
    unconverted: tuple[str, ...] = ()
    """Why weights of cuDNN could not be laid out for a layer."""
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not (
            self.unfit or self.ambiguous or self.contradicted or self.missing or self.unused
        ) and bool(self.bound)

    @property
    def badness(self) -> tuple[int, int]:
        """Orders failed attempts: most variables bound first, then fewest complaints."""
        complaints = len(self.unfit) + len(self.ambiguous) + len(self.missing) + len(self.unused)
        return -len(self.bound) - len(self.unfit), complaints + len(self.contradicted)
