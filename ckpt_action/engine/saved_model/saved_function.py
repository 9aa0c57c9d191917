"""How a loaded signature is called (tensorflow/core/protobuf/{saved_object_graph,struct}.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.protobuf import saved_object_graph_pb2, struct_pb2

from ckpt_action.engine.saved_model.content import Bound, Call

_Value = struct_pb2.StructuredValue
_NONE = _Value(none_value=struct_pb2.NoneValue())


def saved_function(call: Call) -> Any:
    """The SavedBareConcreteFunction: of keyword arguments; a single one needs no name."""
    arguments = _Value(list_value=struct_pb2.ListValue(values=map(_text, call.inputs)))
    specification = {
        "args": _Value(list_value=struct_pb2.ListValue()),
        "varargs": _NONE,
        "varkw": _NONE,
        "defaults": _NONE,
        "kwonlyargs": arguments,
        "kwonlydefaults": _NONE,
        "annotations": _Value(dict_value=struct_pb2.DictValue()),
    }
    pairs = [struct_pb2.PairValue(key=key, value=value) for key, value in specification.items()]
    named = struct_pb2.NamedTupleValue(name="FullArgSpec", values=pairs)
    return saved_object_graph_pb2.SavedBareConcreteFunction(
        concrete_function_name=call.function,
        argument_keywords=call.inputs,
        allowed_positional_arguments=1 if len(call.inputs) == 1 else 0,
        function_spec=saved_object_graph_pb2.FunctionSpec(
            fullargspec=_Value(named_tuple_value=named), input_signature=_NONE
        ),
    )


def concrete_function(call: Call, ids: Mapping[Bound, int]) -> Any:
    """The SavedConcreteFunction; `ids` has the nodes of what it captures."""
    nothing = _Value(tuple_value=struct_pb2.TupleValue())
    arguments = struct_pb2.TupleValue(values=[nothing, _specs(call.inputs)])
    return saved_object_graph_pb2.SavedConcreteFunction(
        bound_inputs=[ids[bound] for bound in call.bound],
        canonicalized_input_signature=_Value(tuple_value=arguments),
        output_signature=_specs(call.outputs),
    )


def _specs(tensors: Mapping[str, Any]) -> Any:
    fields = {
        name: _Value(
            tensor_spec_value=struct_pb2.TensorSpecProto(
                name=name, shape=tensor.shape.as_proto(), dtype=tensor.dtype.as_datatype_enum
            )
        )
        for name, tensor in tensors.items()
    }
    return _Value(dict_value=struct_pb2.DictValue(fields=fields))


def _text(value: str) -> Any:
    return _Value(string_value=value)
