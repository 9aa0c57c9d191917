"""The text of a first `model-export.toml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from ckpt_action.checkpoint.records import Kind
from ckpt_action.config.npz import Array
from ckpt_action.config.survey import Builder, FoundCheckpoint, Golden
from ckpt_action.config.wording import key_text, value_text

_SAYS_NOTHING = re.compile(
    r"(tf|keras|ckpts?|checkpoints?|training|trained|train|weights|models?|runs?|logs?|data|saved"
    r"|outputs?|results?|latest|best|final|cp|variables|[\d\W_])*",
    re.IGNORECASE,
)
_STEP_AND_SUFFIX = re.compile(r"([-_.]\d+)?([.](h5|hdf5|keras|weights|ckpt|json))*$")
_WITHOUT_CODE = (Kind.KERAS_ARCHIVE, Kind.LEGACY_H5_MODEL)


def scaffold(
    folder: Path,
    checkpoints: Sequence[FoundCheckpoint],
    builders: Sequence[Builder],
    golden: Golden | None,
) -> str:
    """One model for each of `checkpoints`, each with the nearest of `builders`; `golden` is of the
    model if there is only one."""
    tables: list[str] = []
    names: set[str] = set()
    roots: dict[str, None] = {}
    for checkpoint in checkpoints:
        name = _unique(_name(checkpoint.pattern, folder), names)
        fitting = _fitting(checkpoint, builders)
        if fitting:
            roots.setdefault(fitting[0].root.as_posix())
        own = golden if len(checkpoints) == 1 else None
        tables.append(_table(name, checkpoint, fitting, own))
    head = "version = 1\n"
    if roots and list(roots) != ["."]:
        head += f"\n[export]\npython-path = [{', '.join(map(value_text, roots))}]\n"
    return head + "".join(tables)


def _table(
    name: str, checkpoint: FoundCheckpoint, builders: Sequence[Builder], golden: Golden | None
) -> str:
    table = f"models.{key_text(name)}"
    lines = ["", f"[{table}]"]
    if builders:
        others = list(dict.fromkeys(map(str, builders[1:4])))
        comment = f"  # or {', '.join(others)}" if others else ""
        lines.append(f'entry-point = "{builders[0]}"{comment}')
    lines.append(f"checkpoints = [{_quoted(checkpoint.pattern)}]")
    lines.append('targets     = ["saved-model"]')
    if checkpoint.files and checkpoint.files.kind.names_only and not builders:
        lines += [
            "",
            "# The graph is in the `.meta` file; name the tensors to feed and to fetch:",
            f"# [{table}.signatures.serving_default]",
            '# inputs  = { x = { tensor = "Placeholder:0", dtype = "float32", shape = ["n"] } }',
            '# outputs = { y = "Identity:0" }',
        ]
    elif golden is not None and all(array.dtype for array in golden.inputs.values()):
        inputs = ", ".join(_input(name, array) for name, array in golden.inputs.items())
        lines += ["", f"[{table}.signatures.serving_default]", f"inputs = {{ {inputs} }}"]
    else:
        lines += [
            "",
            "# Needed where the model is neither functional nor sequential:",
            f"# [{table}.signatures.serving_default]",
            '# inputs  = { x = { dtype = "float32", shape = ["batch", 10] } }',
        ]
    if golden is not None:
        lines += ["", f"[{table}.verify]", f"golden = {_quoted(golden.file)}"]
    return "\n".join(lines) + "\n"


def _input(name: str, array: Array) -> str:
    shape = ", ".join(['"batch"', *map(str, array.shape[1:])] if array.shape else [])
    return f'{key_text(name)} = {{ dtype = "{array.dtype}", shape = [{shape}] }}'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fitting(checkpoint: FoundCheckpoint, builders: Sequence[Builder]) -> list[Builder]:
    """The builders, nearest in the tree first, unless the checkpoint holds its architecture."""
    files = checkpoint.files
    if files and files.kind in _WITHOUT_CODE:
        return []
    if files and any(file.suffix == ".meta" for file in files.files):
        return []
    parts = PurePosixPath(checkpoint.pattern).parts

    def shared(builder: Builder) -> int:
        pairs = zip(parts, builder.file.parts, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return sorted(builders, key=shared, reverse=True)


def _name(pattern: str, folder: Path) -> str:
    """The last part of the path that says something about the model."""
    *folders, last = PurePosixPath(pattern).parts
    parts = [_STEP_AND_SUFFIX.sub("", last), *reversed(folders), folder.absolute().name]
    speaking = next((part for part in parts if not _SAYS_NOTHING.fullmatch(part)), "model")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", speaking).strip("-_") or "model"


def _unique(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free.lower() in taken:
        free, number = f"{name}-{number}", number + 1
    taken.add(free.lower())
    return free
