"""What the parent asks of a child process and what it gets back: records that travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ckpt_action.config.records import TargetSpec, Verify
from ckpt_action.errors import Problem
from ckpt_action.outcome import (
    ArtifactOutcome,
    BindingRecord,
    FileRecord,
    Latency,
    OutputVerdict,
    Proof,
    SignatureRecord,
    VariableRecord,
)
from ckpt_action.plan import Job

EXPORT = "ckpt_action.engine.export_job:run"
VERIFY = "ckpt_action.engine.verify_job:run"
FIT = "ckpt_action.engine.fit_job:run"
ARTIFACTS = "artifacts"
"""Folder of an exporting child's artifacts, below its own."""
LOG = "log"
"""File of what a child printed, in its folder."""


def writing(target: str) -> str:
    """The stage of an exporting child that writes the target of this name."""
    return f"writing {target}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One child process: a function of one JSON object that returns one."""

    task: str
    """`module:function`."""
    arguments: Mapping[str, object]
    work: Path
    """Folder of this child alone: `result.json`, `stage` and `log` appear in it."""
    timeout: float
    """Seconds until the child is killed."""
    memory: int = 0
    """Bytes that the child may need at its peak; 0 is negligible."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a child process ended."""

    exit_code: int | None
    """None where a signal ended it."""
    signal: int | None = None
    timed_out: bool = False
    seconds: float = 0.0
    peak_rss: int = 0
    """Bytes; 0 where the platform does not tell."""


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """Rebuild, restore, trace, prove the live model, write every target."""

    job: Job
    artifacts: Path
    """Each target gets the folder of its name below it."""
    probes: Path
    """Where the probes and the live model's outputs are written for the verifying children."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What the exporting child did and saw; the fields are those of `JobOutcome`."""

    binding: BindingRecord
    variables: tuple[VariableRecord, ...]
    captured: tuple[str, ...]
    """Paths of the variables that the signatures read: what every artifact has to hold."""
    signatures: tuple[SignatureRecord, ...]
    """As traced: what every artifact has to declare."""
    proofs: tuple[Proof, ...]
    verdicts: tuple[OutputVerdict, ...]
    artifacts: tuple[ArtifactOutcome, ...]
    """Empty where the live model failed its own proofs."""
    printed: Mapping[str, tuple[int, int]]
    """Name of a target to the part of this child's log that was printed while it was written, from
    one byte to another; nothing where its refusal says all of it."""
    sources: tuple[FileRecord, ...]
    absent: tuple[str, ...]
    lookups: Mapping[str, str]
    unrecorded: tuple[str, ...]
    versions: Mapping[str, str]
    half: str
    """The float of 16 bits that the model computes in; empty where it computes in none."""
    problems: tuple[Problem, ...]
    slower: tuple[Problem, ...]
    """Notes on what this machine or this TensorFlow cannot do, whatever the model; it costs time
    and memory, and changes no byte."""


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """How a target stores its weights, for what is said where that is too coarse."""

    how: str
    """`int8`, `float16`, ..."""
    default: bool
    """Whether nobody declared a `max-error`."""


def quantised(target: TargetSpec) -> Quantised | None:
    """A word, or a table with one and the weights that it is about."""
    given = target.options.get("quantize", "none")
    how = given["weights"] if isinstance(given, Mapping) else given
    default = "max-error" not in target.options
    return None if how == "none" else Quantised(how=str(how), default=default)


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """Open one artifact from its files, run it on the probes, compare its payload bytes."""

    format: str
    name: str
    """As messages call it."""
    folder: Path
    signatures: tuple[SignatureRecord, ...]
    variables: Mapping[str, str]
    """Path to sha256 of every variable that the artifact must hold."""
    payloads: Mapping[str, str]
    verify: Verify
    transformed: tuple[str, ...] = ()
    """Paths of variables that it holds in another form only, to be said in the proof."""
    rearranged: Mapping[str, str] = field(default_factory=dict)
    """Path to the digest to look for instead, of variables that it holds in another layout."""
    max_error: float | None = None
    """Comes on top of the tolerances of `verify`."""
    quantised: Quantised | None = None
    """None where weights are stored as they are, or nobody knows."""
    half: str = ""
    """As in `ExportResult`."""
    weak_golden: str = ""
    """As in `ArtifactOutcome`."""
    unproven: Mapping[str, str] = field(default_factory=dict)
    """Proofs that are not asked for, and why."""
    agreement: bool = False
    """Whether to count in how many rows the same class wins."""
    latency: bool = False
    """Whether to measure how long a call takes."""
    probes: Path | None = None
    """None: only `verify.golden` is run, where it is declared."""
    op_libraries: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VerifyResult:
    proofs: tuple[Proof, ...] = ()
    latency: Latency | None = None
    verdicts: tuple[OutputVerdict, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """Rebuild and restore, and write nothing."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """Model and checkpoint fit; what does not fit is a `Failure`."""

    binding: BindingRecord
    problems: tuple[Problem, ...]
    """Warnings and notes only."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What a child leaves instead of a result when something was raised."""

    problems: tuple[Problem, ...] = ()
