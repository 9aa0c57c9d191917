"""The text of a first `model-export.toml`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from ckpt_action.checkpoint.names import shown
from ckpt_action.checkpoint.records import CheckpointFiles, Kind
from ckpt_action.config.builders import Builder
from ckpt_action.config.checkpoints import holds_architecture
from ckpt_action.config.golden_names import declared_inputs, lengths
from ckpt_action.config.survey import FoundCheckpoint, Golden
from ckpt_action.config.wording import key_text, quoted, value_text

SCHEMA = (
    "https://raw.githubusercontent.com/ckpt-action/ckpt-action/main/schema/model-export.schema.json"
)
"""Where editors find the language, from the first line of a file."""

_PLAIN = (
    "tf|keras|ckpts?|checkpoints?|training|trained|train|weights|models?|runs?|logs?|data|saved"
    "|outputs?|results?|latest|last|best|final|initial|backup|cp|variables|epochs?|steps?|iter"
    "|iterations?|snapshots?|improvement|val|loss|acc|accuracy|exports?|artifacts|assets|files|my"
)
_SAYS_NOTHING = re.compile(rf"({_PLAIN}|[\d\W_])*", re.IGNORECASE)
_PLAIN_END = re.compile(rf"([-_.]+({_PLAIN}|\d+|$)(?![A-Za-z]))+[\d\W_]*$", re.IGNORECASE)
_STEP_AND_SUFFIX = re.compile(r"([-_.]\d+)?([.](h5|hdf5|keras|weights|ckpt|json))*$")
_PLACEHOLDER = 'entry-point = "package.module:build"'


def scaffold(
    folder: Path,
    checkpoints: Sequence[FoundCheckpoint],
    builders: Sequence[Builder],
    golden: Sequence[Golden],
) -> str:
    """One model for each of `checkpoints`, each with the nearest of `builders` and its golden
    file."""
    tables: list[str] = []
    names: set[str] = set()
    roots: dict[str, None] = {}
    places = [_folder_of(checkpoint, folder) for checkpoint in checkpoints]
    for checkpoint, place in zip(checkpoints, places, strict=True):
        name = _unique(_name(checkpoint.pattern, folder), names)
        fitting = _fitting(name, checkpoint, builders)
        if fitting:
            roots.setdefault(fitting[0].root.as_posix())
        alone, only = places.count(place) == 1, len(checkpoints) == 1
        own = _own_golden(name, place, golden, alone=alone, only=only)
        tables.append(_table(name, checkpoint, fitting, own))
    head = f"#:schema {SCHEMA}\nversion = 1\n"
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
    elif checkpoint.files and not holds_architecture(checkpoint.files):
        lines.append(f"# {_PLACEHOLDER}  # needed: the checkpoint holds weights only")
    elif checkpoint.files and checkpoint.files.kind is Kind.HDF5:
        lines.append(f"# {_PLACEHOLDER}  # needed where the file holds weights only")
    if checkpoint.others:
        lines += [
            f"# A guess: {shown([*checkpoint.others])} may be later;",
            "# nothing in the names gives an order for sure.",
        ]
    lines.append(f"checkpoints = [{quoted(checkpoint.pattern)}]")
    lines.append('targets     = ["saved-model"]')
    if checkpoint.files and _is_graph(checkpoint.files) and not builders:
        lines += [
            "",
            "# The graph is in the `.meta` file; name the tensors to feed and to fetch:",
            f"# [{table}.signatures.serving_default]",
            '# inputs  = { x = { tensor = "Placeholder:0", dtype = "float32", shape = ["n"] } }',
            '# outputs = { y = "Identity:0" }',
        ]
    elif golden is not None and (inputs := declared_inputs(golden.inputs)):
        lines += ["", f"[{table}.signatures.serving_default]", *_of_lengths(golden)]
        lines += [f"inputs = {{ {', '.join(inputs)} }}"]
    else:
        lines += [
            "",
            "# Needed where the model is neither functional nor sequential:",
            f"# [{table}.signatures.serving_default]",
            '# inputs  = { x = { dtype = "float32", shape = ["batch", 10] } }',
        ]
    if golden is not None:
        lines += ["", f"[{table}.verify]", f"golden = {quoted(golden.file)}"]
    return "\n".join(lines) + "\n"


def _of_lengths(golden: Golden) -> list[str]:
    """Nothing here knows how the model was built."""
    if not (sizes := [*map(str, lengths(golden.inputs))]):
        return []
    are = "is the length" if len(sizes) == 1 else "are the lengths"
    said = f"# {' and '.join(sizes)} {are} in the golden file"
    return [f'{said}; write a name, as "time", where it is free.']


def _fitting(name: str, checkpoint: FoundCheckpoint, builders: Sequence[Builder]) -> list[Builder]:
    """The builders, those called as the model first, then the nearest in the tree, unless the
    checkpoint holds its architecture."""
    files = checkpoint.files
    if files and files.kind is Kind.KERAS_ARCHIVE:
        return []
    if files and _is_graph(files):
        return []
    parts = PurePosixPath(checkpoint.pattern).parts

    def nearness(builder: Builder) -> tuple[bool, int]:
        pairs = zip(parts, builder.file.parts, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        called = (*builder.module.split("."), builder.attribute)
        return any(_is_called(name, _subject(part)) for part in called), shared

    return sorted(builders, key=nearness, reverse=True)


def _is_graph(files: CheckpointFiles) -> bool:
    return any(file.suffix == ".meta" for file in files.files)


def _subject(name: str) -> str:
    """What a builder builds, by its name: `build_encoder_model` an `encoder`."""
    return re.sub(
        r"^(build|create|make|get|define|construct)_|_?model$", "", name, flags=re.IGNORECASE
    )


def _own_golden(
    name: str, place: PurePosixPath, golden: Sequence[Golden], *, alone: bool, only: bool
) -> Golden | None:
    """The one that is called as the model, else lies with its checkpoint, which is `alone` there,
    else is the only one of the `only` model."""
    files = {PurePosixPath(file.file): file for file in golden}
    called = [f for f in files if _is_called(name, re.sub("[-_.]?golden[-_.]?", "", f.stem))]
    beside = [file for file in files if alone and file.parent == place]
    candidates = (called, beside, [*files] if only else [])
    return next((files[found[0]] for found in candidates if len(found) == 1), None)


def _folder_of(checkpoint: FoundCheckpoint, folder: Path) -> PurePosixPath:
    if checkpoint.files is None:
        return PurePosixPath(checkpoint.pattern)
    return PurePosixPath(checkpoint.files.path.parent.relative_to(folder.absolute()).as_posix())


def _is_called(model: str, name: str) -> bool:
    """Whether `name`, of a module, a class or a file, is the model's own."""
    return re.sub(r"[-_]", "", name.lower()) == re.sub(r"[-_]", "", model.lower())


def _name(pattern: str, folder: Path) -> str:
    """The last part of the path that says something about the model."""
    *folders, last = PurePosixPath(pattern).parts
    last = _PLAIN_END.sub("", _STEP_AND_SUFFIX.sub("", last))
    parts = [last, *reversed(folders), folder.absolute().name]
    speaking = next((part for part in parts if not _SAYS_NOTHING.fullmatch(part)), "model")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", speaking).strip("-_") or "model"


def _unique(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free.lower() in taken:
        free, number = f"{name}-{number}", number + 1
    taken.add(free.lower())
    return free
