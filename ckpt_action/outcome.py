"""What came out of a run: the records behind the manifest, the report and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ckpt_action.errors import ExitCode, Problem, exit_code, gravest


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file. `path` is relative (POSIX) to the folder that the record's owner names."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TensorRecord:
    """A named tensor of a signature; `shape` holds sizes, names of free dimensions, or is None."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...] | None
    tensor: str | None = None
    """The tensor's name in the artifact's own graph, where consumers need it."""


@dataclass(frozen=True, kw_only=True)
class SignatureRecord:
    name: str
    inputs: tuple[TensorRecord, ...]
    outputs: tuple[TensorRecord, ...]


@dataclass(frozen=True, kw_only=True)
class VariableRecord:
    """One variable of the model as it was restored."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    sha256: str
    """Of the value's little-endian bytes in C order."""
    source: str
    """Key in the checkpoint; empty where the variable kept its initial value by permission."""


@dataclass(frozen=True, kw_only=True)
class BindingRecord:
    """How checkpoint and model were matched, and what was allowed to stay apart."""

    route: str
    """In words: `object graph`, `variable names`, `keras weights`, ..."""
    keras: str
    """Version of the Keras that rebuilt the model, or `none`."""
    root: str
    bound: int
    missing_allowed: tuple[str, ...] = ()
    unused_allowed: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Checkpoint values that are no part of the model, counted by role."""
    state: tuple[str, ...] = ()
    """Model variables that no checkpoint stores: random seeds, states of stateful layers."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutputVerdict:
    """One output compared once. Differences are None where they have no meaning."""

    signature: str
    output: str
    against: Literal["reference", "golden"]
    probe: str
    """Which inputs: `golden`, `sample 0 (batch=2)`."""
    dtype: str
    shape: tuple[int, ...]
    passed: bool
    reason: str = ""
    max_abs: float | None = None
    max_rel: float | None = None
    worst_index: tuple[int, ...] | None = None
    nan_count: int = 0
    inf_count: int = 0
    rtol: float = 0.0
    atol: float = 0.0
    agreement: float | None = None
    """Part of the rows whose largest value is at the same place; None where nobody asked, or the
    output is no row of scores."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One thing shown about a model or an artifact, or why it could not be shown."""

    name: str
    """`values`, `golden`, `payload`, `signature`, `deterministic`, `sensitive`, ..."""
    passed: bool | None
    """None: not applicable here; `detail` says why."""
    detail: str = ""
    signature: str = ""
    """That it is about; empty where it is about all of them."""
    beyond_golden: bool = False
    """Open for a reason that golden values do not settle: they are the same either way."""


def _agree(verdicts: Iterable[OutputVerdict], proofs: Iterable[Proof]) -> bool:
    return all(v.passed for v in verdicts) and all(p.passed is not False for p in proofs)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long one call of an artifact took here; in the report, never in the manifest."""

    seconds: float
    """Median over `runs`."""
    runs: int
    call: str
    """Which signature on which inputs."""
    machine: str


@dataclass(frozen=True, kw_only=True)
class ArtifactOutcome:
    """One target of one job."""

    format: str
    name: str
    folder: str
    """Relative to the output folder: `<job>/<target name>`."""
    files: tuple[FileRecord, ...] = ()
    signatures: tuple[SignatureRecord, ...] = ()
    payloads: Mapping[str, str] = field(default_factory=dict)
    """Name of a stored value in the artifact to the path of the model's variable."""
    unread: tuple[str, ...] = ()
    """Paths of variables that no output depends on, and that the artifact leaves out."""
    transformed: tuple[str, ...] = ()
    """Paths of variables that the artifact holds in another form only: folded into others,
    quantised, laid out anew. No stored bytes are theirs, so the values answer for them."""
    rearranged: Mapping[str, str] = field(default_factory=dict)
    """Path of a variable that the artifact holds with its axes in another order, or in another
    shape, to the digest of its bytes there."""
    max_error: float | None = None
    """Largest difference from the restored model that passes, as a fraction of the output's
    spread, on top of `rtol` and `atol`; None where these decide alone."""
    weak_golden: str = ""
    """Why the golden rows are too few, or too well known, to say what quantising costs; empty where
    they say it, or there are none."""
    unproven: Mapping[str, str] = field(default_factory=dict)
    """Proofs that the artifact cannot give because of what was asked for, and why."""
    latency: Latency | None = None
    """None where nobody asked."""
    proofs: tuple[Proof, ...] = ()
    verdicts: tuple[OutputVerdict, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def passed(self) -> bool:
        """Nothing that was found about it is wrong, whether or not a problem tells of it."""
        return not exit_code(self.problems) and _agree(self.verdicts, self.proofs)


@dataclass(frozen=True, kw_only=True)
class CheckpointRecord:
    path: str
    """Relative to the configuration's folder where it lies below it."""
    kind: str
    writer: str
    step: int | None
    sha256: str
    """Over the sorted names, sizes and bytes of the checkpoint's files."""
    bytes: int


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """One model from one checkpoint: what was made, what it was made from, how it was proven."""

    name: str
    model: str
    checkpoint: CheckpointRecord
    entry_point: str
    binding: BindingRecord | None = None
    variables: tuple[VariableRecord, ...] = ()
    proofs: tuple[Proof, ...] = ()
    """About the rebuilt model itself: golden values, determinism, sensitivity."""
    verdicts: tuple[OutputVerdict, ...] = ()
    """The rebuilt model against the golden file."""
    artifacts: tuple[ArtifactOutcome, ...] = ()
    sources: tuple[FileRecord, ...] = ()
    """Files of the repository that the code imported or read, until it was traced."""
    absent: tuple[str, ...] = ()
    """Modules that the code asked for and that were not there."""
    lookups: Mapping[str, str] = field(default_factory=dict)
    """Path below the repository to what was there when the code asked for it: a link and where it
    leads, a folder, nothing. Of what it read, `sources` tells more."""
    unrecorded: tuple[str, ...] = ()
    """What else the code read: variables of the environment, files outside of the repository. No
    later run can tell whether these changed, so none takes this export for its own."""
    versions: Mapping[str, str] = field(default_factory=dict)
    golden: FileRecord | None = None
    """The golden file; its path is relative to the configuration's folder."""
    op_libraries: tuple[FileRecord, ...] = ()
    """Custom ops; their paths are relative to the configuration's folder."""
    problems: tuple[Problem, ...] = ()
    chosen: tuple[str, ...] = ()
    """Why this checkpoint was taken of those that there were."""
    seconds: float = 0.0
    peak_rss: int = 0
    """Bytes, the larger of the exporting and the verifying child."""
    taken_from: str = ""
    """The earlier export that this was taken from unchanged; empty where it was made now."""

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        return self.problems + tuple(p for a in self.artifacts for p in a.problems)

    @property
    def passed(self) -> bool:
        """Something was written, and nothing is wrong with it or with the model."""
        artifacts = bool(self.artifacts) and all(a.passed for a in self.artifacts)
        return artifacts and not exit_code(self.problems) and _agree(self.verdicts, self.proofs)

    @property
    def exit_code(self) -> ExitCode:
        """That of the gravest error. What failed without one is none the less a failure."""
        told = exit_code(self.all_problems)
        return ExitCode.VERIFY if told is ExitCode.OK and not self.passed else told


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference from an earlier export; a side that has nothing is empty."""

    job: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """A whole run; the manifest is this record in JSON, less what changes from run to run."""

    tool: str
    """Version of ckpt-action."""
    config: str
    """The configuration file as the user named it."""
    jobs: tuple[JobOutcome, ...]
    problems: tuple[Problem, ...] = ()
    commit: str | None = None
    dirty: bool = False
    """The repository held changes that `commit` has not."""
    uncommitted: str = ""
    """Digest of the files that these are in."""
    previous: str = ""
    """The earlier export that `changes` were found against; empty where there was none."""
    changes: tuple[Change, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        return gravest([exit_code(self.problems), *(job.exit_code for job in self.jobs)])
