"""What a Python module defines, and how its functions are called, read from its syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ckpt_action.config.wording import did_you_mean

Plain = ast.FunctionDef | ast.ClassDef
_PLAIN: Mapping[type, str] = {
    str: "a string",
    ast.JoinedStr: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    ast.List: "a list",
    ast.Tuple: "a tuple",
    ast.Dict: "a dict",
}


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """The names of a module."""

    nodes: Mapping[str, Plain | None]
    """None where the definition does not show how it is called: an import, an assignment, a name
    that is defined twice."""
    open_ended: bool
    """There may be more names: a star import, a module `__getattr__`."""
    values: Mapping[str, str]
    """What a name certainly is that is assigned a plain value: `a string`."""


def definitions(tree: ast.Module) -> Definitions:
    """Every name that running the module may define, in the order of the file."""
    nodes: dict[str, Plain | None] = {}
    open_ended = False
    changed = {name for n in ast.walk(tree) if isinstance(n, ast.Global) for name in n.names}
    for name, node in _names(tree.body):
        open_ended = open_ended or name in ("*", "__getattr__")
        nodes[name] = None if name in nodes else node
    nodes.pop("*", None)
    values = {name: kind for name, kind in _values(tree) if name not in changed}
    once = {name for name, count in Counter(n for n, _ in _names(tree.body)).items() if count == 1}
    values = {name: kind for name, kind in values.items() if name in once and not open_ended}
    return Definitions(nodes=nodes, open_ended=open_ended, values=values)


def _values(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            value = statement.value
            kind = type(value.value) if isinstance(value, ast.Constant) else type(value)
            for target in targets:
                if isinstance(target, ast.Name) and kind in _PLAIN:
                    yield target.id, _PLAIN[kind]


def _names(body: Sequence[ast.stmt]) -> Iterator[tuple[str, Plain | None]]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name, statement
            continue
        if isinstance(statement, ast.AsyncFunctionDef):
            yield statement.name, None
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                name = alias.asname or alias.name
                yield name if isinstance(statement, ast.ImportFrom) else name.split(".")[0], None
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, None
        for field in ("body", "orelse", "finalbody"):
            yield from _names(getattr(statement, field, ()))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from _names(part.body)


def call_problems(node: Plain, given: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(argument, message, hint) for each reason why `node` cannot be called with the keyword
    arguments `given`; none where its signature is not plain to see."""
    function = _constructor(node) if isinstance(node, ast.ClassDef) else node
    if function is None or function.decorator_list:
        return
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    optional = len(arguments.defaults)
    required = [a.arg for a in positional[: len(positional) - optional]]
    keyword_only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    required += [a.arg for a, default in keyword_only if default is None]
    known = [a.arg for a in (*arguments.args, *arguments.kwonlyargs)]
    if isinstance(node, ast.ClassDef):
        own = positional[0].arg if positional else ""
        required = [name for name in required if name != own]
        known = [name for name in known if name != own]
    for name in given:
        if name not in known and arguments.kwarg is None:
            takes = f"It takes {', '.join(f'`{k}`' for k in known)}." if known else ""
            hint = did_you_mean(name, known) or takes
            yield name, f"takes no argument `{name}`.", hint
    missing = [name for name in required if name not in given]
    line = ", ".join(f"{name} = ..." for name in missing)
    hint = f"Add `{line}` to `arguments`" if given else f"Write `arguments = {{ {line} }}`"
    for name in missing:
        yield name, f"needs the argument `{name}`.", f"{hint}, as in training."


def _constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    """`__init__` where nothing else decides how the class is called."""
    own = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    if node.decorator_list or node.keywords or "__new__" in own:
        return None
    return own.get("__init__")
