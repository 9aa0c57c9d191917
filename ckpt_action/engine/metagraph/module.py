"""TF1: the graph in the `.meta` beside a checkpoint becomes a module that can be traced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from ckpt_action.config.records import Signature
from ckpt_action.engine import internals
from ckpt_action.engine.metagraph.functions import register_functions
from ckpt_action.engine.metagraph.parts import variable_parts
from ckpt_action.engine.metagraph.prune import VARIABLES, Pruned, prune
from ckpt_action.engine.metagraph.saver_names import saver_names
from ckpt_action.engine.metagraph.signatures import own_signatures
from ckpt_action.engine.metagraph.suggest import undeclared
from ckpt_action.engine.metagraph.tables import make_tables
from ckpt_action.engine.metagraph.trainable import float_variables
from ckpt_action.errors import CkptActionError, ExitCode, Problem, fail
from ckpt_action.plan import Job


class GraphModel(tf.Module):  # type: ignore[misc]
    """The variables and tables that the declared signatures read, named as in the graph.

    `unread` names the graph's other variables: the checkpoint has values for them, rightly unused.
    `floats` are all variables of floating point, read or not, and whether they were trained.
    `parts` tells which variables are parts of a value that is stored whole, `stored_names` which
    are stored under another name than their own.
    """

    def __init__(self, variables: Mapping[str, Any], tables: Mapping[str, Any], meta: Any) -> None:
        super().__init__(name="graph")
        self.graph_variables = dict(variables)
        self.tables = dict(tables)
        every = frozenset(n.name for n in meta.graph_def.node if n.op in VARIABLES)
        self.unread = every - set(variables)
        self.parts = dict(variable_parts(meta))
        self.stored_names = dict(saver_names(meta))
        self.floats = float_variables(meta)


@dataclass(frozen=True, kw_only=True)
class GraphCall:
    """One signature of a GraphModel; to be called while a graph is being made."""

    model: GraphModel
    pruned: Pruned

    def __call__(self, tensors: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        feeds = {self.pruned.inputs[name]: tensor for name, tensor in tensors.items()}
        outputs = tf.graph_util.import_graph_def(
            self.pruned.graph,
            input_map=feeds | _feeds(self.model, self.pruned),
            return_elements=list(self.pruned.outputs.values()),
            name="graph",
            producer_op_list=self.pruned.producer_ops,
        )
        return dict(zip(self.pruned.outputs, outputs, strict=True))


def graph_model(
    job: Job,
) -> tuple[GraphModel, tuple[Signature, ...], dict[str, GraphCall], tuple[Problem, ...]]:
    """(module, signatures, signature name to its call, warnings) of the job's `.meta`.

    Where no signatures are declared, those that the graph was saved with are taken. Raises
    CkptActionError: CONFIG where there is no `.meta`, CHECKPOINT where it is damaged, SIGNATURE
    where the declared tensors do not fit the graph, ENVIRONMENT for unknown ops.
    """
    path = job.checkpoint.path
    meta = _read(path.with_name(f"{path.name}.meta"))
    try:
        return _made(meta, job)
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        tf.errors.OpError,
    ) as error:
        raise _damaged(path.with_name(f"{path.name}.meta"), error) from error


def _made(
    meta: Any, job: Job
) -> tuple[GraphModel, tuple[Signature, ...], dict[str, GraphCall], tuple[Problem, ...]]:
    signatures, notes = job.model.signatures, tuple[Problem, ...]()
    if not signatures:
        signatures, notes = own_signatures(meta)
    if not signatures:
        raise undeclared(meta.graph_def, job.model.name)
    pruned: dict[str, Pruned] = {}
    problems: list[Problem] = []
    for signature in signatures:
        try:
            pruned[signature.name] = prune(meta, signature)
        except CkptActionError as error:
            problems += error.problems
    if problems:
        raise CkptActionError(*problems)
    for part in pruned.values():
        register_functions(part.graph)
    handles = [(name, part) for part in pruned.values() for name in part.variables]
    variables = {name: _variable(part.definitions[name]) for name, part in handles}
    model = GraphModel(
        variables,
        make_tables(meta, {name for part in pruned.values() for name in part.tables}),
        meta,
    )
    calls = {s.name: GraphCall(model=model, pruned=pruned[s.name]) for s in signatures}
    notes += tuple(note for part in pruned.values() for note in part.notes)
    return model, signatures, calls, notes


@contextmanager
def own_control_dependencies() -> Iterator[None]:
    """Functions traced inside get no control dependencies beside those of the imported graph.

    What `tf.function` adds by itself it cannot work out where loops and conditions are Switch,
    Merge, Enter and Exit. `wrap_function` leaves it out too, but takes no arguments by name.
    """
    auto_control_deps = internals.automatic_control_dependencies()
    original = auto_control_deps.AutomaticControlDependencies

    class _None(original):  # type: ignore[misc,valid-type]
        def __exit__(self, *error: object) -> None:
            self._n_operations = tf.compat.v1.get_default_graph().num_operations()  # all are seen
            super().__exit__(*error)

    auto_control_deps.AutomaticControlDependencies = _None
    try:
        yield
    finally:
        auto_control_deps.AutomaticControlDependencies = original


def _feeds(model: GraphModel, pruned: Pruned) -> dict[str, Any]:
    """Tensors of the graph that variables, tables and declared constants stand for."""
    graph = tf.compat.v1.get_default_graph()
    feeds: dict[str, Any] = {
        name: tf.constant(value, dtype=dtype) for name, (value, dtype) in pruned.constants.items()
    }
    for name, takes_handle in pruned.variables.items():
        variable = model.graph_variables[name]
        feeds[f"{name}:0"] = (
            graph.capture(variable.handle) if takes_handle else variable.read_value()
        )
    for name in pruned.tables:
        feeds[f"{name}:0"] = graph.capture(model.tables[name].resource_handle)
    return feeds


def _damaged(path: Path, error: Exception) -> CkptActionError:
    """A `.meta` has no checksums: what was flipped in it shows where it is used."""
    lines = str(error).strip().splitlines() or [""]
    return fail(
        ExitCode.CHECKPOINT,
        f"the graph in {path.name} does not hold together: it is damaged.",
        hint="Copy or commit the `.meta` again, as the training program wrote it.",
        details=(f"{type(error).__name__}: {lines[0]}",),
    )


def _read(path: Path) -> Any:
    if not path.is_file():
        raise fail(
            ExitCode.CONFIG,
            f"{path.stem} is a TF1 checkpoint without a {path.name} beside it: it holds values "
            "by name, no graph.",
            hint='Commit the `.meta` too, or name an `entry-point = "module:function"` whose '
            "variables have the same names.",
        )
    meta = tf.compat.v1.MetaGraphDef()
    try:
        meta.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise fail(
            ExitCode.CHECKPOINT,
            f"{path.name} is no MetaGraphDef: it is damaged or something else.",
            hint="If it is a Git LFS pointer, run `git lfs pull`.",
        ) from error
    return meta


def _variable(node: Any) -> Any:
    """A variable of the node's shape and dtype; its value is to be restored."""
    shape = tf.TensorShape(node.attr["shape"].shape)
    if not shape.is_fully_defined():
        raise fail(
            ExitCode.REBUILD,
            f"the graph's variable {node.name} has no fixed shape ({shape}).",
            hint="Name an `entry-point` that makes the model.",
        )
    dtype = tf.as_dtype(node.attr["dtype"].type)
    empty = "" if dtype == tf.string else np.zeros((), dtype.as_numpy_dtype)
    return tf.Variable(tf.fill(shape, tf.constant(empty, dtype)), name=node.name, dtype=dtype)
