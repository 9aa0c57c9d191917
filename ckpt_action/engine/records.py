"""What the stages inside a child process hand to each other; live objects, never serialised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from ckpt_action.config.records import Signature
from ckpt_action.errors import Problem, Where
from ckpt_action.outcome import BindingRecord, SignatureRecord

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from ckpt_action.engine.creation import Repetition
    from ckpt_action.engine.objects import Held

Family = Literal["keras-3", "keras-2", "module", "graph"]
"""What the entry point returned: a model of either Keras, a `tf.Module` or other callable with
variables, or a TF1 graph read from a `.meta` file."""

Caller = Callable[[Mapping[str, Any]], Any]
"""Named tensors in, whatever the model returns out; in inference mode, eager or while tracing."""


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """The model as its code makes it: built on its signatures, not yet restored."""

    model: Any
    held: Held
    """All that the model holds once it is built; restoring changes values and makes tables, but
    no layers and no variables."""
    family: Family
    keras_version: str | None
    signatures: tuple[Signature, ...]
    """As declared, or derived from the model; never empty."""
    sources: tuple[Path, ...] = ()
    """Source files below the configuration's folder that were loaded to make it."""
    op_libraries: tuple[Path, ...] = ()
    """Loaded before the model was made; needed again by whoever opens an artifact."""
    callers: Mapping[str, Caller] = field(default_factory=dict)
    """Signature name to the way that the model takes its inputs, found once by building it."""
    written: tuple[Any, ...] = ()
    """Variables that the first call wrote, before anything was restored; it was put back."""
    again: Callable[[], Again] | None = None
    """Runs the code once more, as if for the first time, but every variable begins with the
    present value of its counterpart here; None where no code makes the model. Raises
    CkptActionError, or whatever code raises that cannot run twice in a process."""
    lazy: bool = False
    """Initial values may have been put off."""
    from_file: bool = False
    """The checkpoint's own file describes the model; no entry point makes it."""
    fill_kept: Callable[[], None] = lambda: None
    """Gives variables that nothing was restored into their initial value; to be called once."""
    problems: tuple[Problem, ...] = ()
    """Warnings and notes only; errors are raised."""
    slower: tuple[Problem, ...] = ()
    """Notes on what could not be put off here, whatever the model."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """The model made once more by its code."""

    rebuilt: Rebuilt
    began: Repetition
    leftovers: tuple[Path, ...] = ()
    """Files that it read and that the first run had made."""


@dataclass(frozen=True, kw_only=True)
class ModelVariable:
    """One variable of the rebuilt model."""

    path: str
    """As a person of that framework would name it: `encoder/dense/kernel`, `W1`."""
    variable: tf.Variable
    """The raw resource variable, never a Keras or autocast wrapper."""
    source: str = ""
    """Key in the checkpoint that its value came from; empty where it kept its initial value."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A rebuilt model in which every variable is accounted for."""

    rebuilt: Rebuilt
    variables: tuple[ModelVariable, ...]
    binding: BindingRecord
    tables: tuple[Any, ...] = ()
    """Lookup tables that the checkpoint filled."""
    lookups: tuple[Any, ...] = ()
    """Lookup layers that have their words from a table of the checkpoint."""
    bound_again: Callable[[Rebuilt], tuple[ModelVariable, ...]] | None = None
    """Which variables of another build of the model the checkpoint has which values for; raises
    RESTORE where they do not fit."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The model made once more, by code that found the restored values in its variables."""

    rebuilt: Rebuilt
    same: Mapping[int, int]
    """Identities of handles of variables and tables: the restored model's to the twin's."""
    leftovers: tuple[Path, ...] = ()
    """Files that it shares with the first model, which made them."""


@dataclass(frozen=True, kw_only=True)
class OtherTrace:
    function: Any
    difference: str
    """Where it is not the first, in words."""
    places: tuple[Where, ...] = ()
    """In the user's code, of what makes it so."""


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """Paths of stored variables that one signature does not depend on."""

    any: tuple[str, ...] = ()
    """Of all that statistics may be."""
    alike: tuple[str, ...] = ()
    """Of those that have one owner and one shape, as a mean and a variance have."""
    pairs: tuple[str, ...] = ()
    """Of those that can hardly be anything else: two alike, beside a scale or an offset like them
    that is read."""


@dataclass(frozen=True, kw_only=True)
class TracedSignature:
    """One signature as a concrete function over raw variables, with the declared names."""

    declared: Signature
    function: Any
    """`ConcreteFunction`: named tensor arguments in, a dict of named tensors out."""
    record: SignatureRecord
    variables: tuple[ModelVariable, ...]
    """Those that it captures."""
    eager: Caller | None = None
    """Python's own call of the model, with named tensors in and out and no trace left in its
    variables; None where no code makes the model."""
    sources: tuple[Path, ...] = ()
    """The user's files, whose code runs where it is called."""
    noise: tuple[str, ...] = ()
    """Operations that give the same random numbers at every call."""
    keras_alone: bool = False
    """All code that runs where it is called is that of Keras and TensorFlow."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """Numbers and text that the user's objects kept after the trace, by name."""
    changes: tuple[str, ...] = ()
    """Names of those that a second trace left otherwise."""
    dates: tuple[Where, ...] = ()
    """Where the user's code reads the date in it."""
    again: Any = None
    """A second trace where that came out as another graph; it must compute the same."""
    twin: OtherTrace | None = None
    """The trace of the twin where that came out as another graph; it must compute the same."""
    turned: OtherTrace | None = None
    """The trace of the model whose code was given sets, and lists of files, in another order, where
    that came out as another graph; it should compute the same."""
    untrained: tuple[ModelVariable, ...] = ()
    """Those of `variables` that are stored and that no optimizer changes: vectors and larger."""
    passed_over: PassedOver = PassedOver()
    """What is stored, is not read and may be statistics of batches."""


@dataclass(frozen=True, kw_only=True)
class TracedModel:
    """What every target is written from."""

    name: str
    signatures: tuple[TracedSignature, ...]
    variables: tuple[ModelVariable, ...]
    """In a stable order; a variable that no signature reads is not among them."""
    resources: tuple[Any, ...] = ()
    """Lookup tables, assets and other trackables that the signatures capture."""
    op_libraries: tuple[Path, ...] = ()
    untwinned: str = ""
    """Why there is no twin to compare with, or why an equal one shows nothing; else empty."""
    problems: tuple[Problem, ...] = ()
    """Warnings and notes only; errors are raised."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a target wrote into its folder."""

    signatures: tuple[SignatureRecord, ...]
    """With the tensor names of the artifact's own graph where it has one."""
    payloads: Mapping[str, str]
    """Name of a stored value in the artifact to the path of the model's variable."""
    unread: tuple[str, ...] = ()
    """Paths of captured variables that no output depends on; the artifact leaves them out."""
    transformed: tuple[str, ...] = ()
    """Paths of captured variables that are stored in another form only: folded, quantised."""
    rearranged: Mapping[str, str] = field(default_factory=dict)
    """Path of a variable that is stored in another layout to its `flat_digest` there; the
    artifact's `payloads` gives such digests then."""
    max_error: float | None = None
    """Largest difference from the model that is right for these options, as a fraction of the
    output's spread; it comes on top of the tolerances of `verify`."""
    rounding: float | None = None
    """The same where nothing is quantised but kernels are others than the model's. Tolerances that
    `verify` declares are kept without it."""
    measured_on: tuple[tuple[str, Mapping[str, np.ndarray]], ...] = ()
    """Signatures and inputs that ranges of integers were measured on."""
    unproven: Mapping[str, str] = field(default_factory=dict)
    """Proofs that this artifact cannot give because of what the user chose, and why."""
    notes: tuple[Problem, ...] = ()


class Artifact(Protocol):
    """A written artifact, opened from its files alone."""

    def signatures(self) -> tuple[SignatureRecord, ...]:
        """What the files themselves declare."""

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """One call from the state that the files hold: earlier calls leave no trace."""

    def stand_in(self) -> str:
        """What runs it in place of the format's own runtime; empty where that does."""

    def notes(self) -> tuple[str, ...]:
        """What a person should know about how it is run; empty where that is in the plain way."""

    def payloads(self) -> Iterator[tuple[str, str]]:
        """(name, sha256 of the little-endian C-order bytes) of every stored value."""


@runtime_checkable
class Timed(Protocol):
    """An artifact of which one call can be timed, unless something stands in for its runtime."""

    def repeated(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Callable[[], object]:
        """One call, made ready: what is returned does nothing but run it, as often as called."""


class Target(Protocol):
    """A module of `ckpt_action.engine.targets`: one format. Importing it imports no TensorFlow."""

    FORMAT: str
    SUMMARY: str
    """One line for the README's table and the schema's description."""
    EXTRA: str
    """The extra of this package that brings what the target needs."""
    EXPORT_MEMORY: float
    """What an export takes at its peak beyond TensorFlow itself, in sizes of the weights: as
    measured of dense, convolutional and recurrent models, rounded up."""
    OPTIONS: Mapping[str, Mapping[str, object]]
    """Option name (kebab-case) to its JSON schema."""

    def export(self, model: TracedModel, folder: Path, options: Mapping[str, object]) -> Written:
        """Write the artifact into the empty `folder`; raise CkptActionError before the first
        byte where the format cannot hold the model."""

    def open_artifact(self, folder: Path, op_libraries: tuple[Path, ...]) -> Artifact:
        """Open what `export` wrote, in a process that never saw the user's code."""
