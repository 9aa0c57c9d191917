"""The verifying child: one artifact, from its files alone. The user's code is never imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.codec import from_data
from ckpt_action.engine.arrays import Array
from ckpt_action.engine.prove.edges import edge_difference, edge_problem
from ckpt_action.engine.prove.golden_file import load_golden, show_shape
from ckpt_action.engine.prove.judgement import (
    describe,
    error_and_agreement,
    golden_problems,
    judge,
    with_agreement,
)
from ckpt_action.engine.prove.latency import measure
from ckpt_action.engine.prove.probe_file import load_probes
from ckpt_action.engine.prove.probes import Probe
from ckpt_action.engine.prove.spread import Allowance, Key, allowances
from ckpt_action.engine.prove.trivial import in_words, trivially_passed
from ckpt_action.engine.records import Artifact, Timed
from ckpt_action.engine.targets import registry
from ckpt_action.engine.worker import enter_stage, unexpected_problem
from ckpt_action.errors import CkptActionError, ExitCode, Problem
from ckpt_action.outcome import Latency, OutputVerdict, Proof, SignatureRecord, TensorRecord
from ckpt_action.processes.environments import import_problem
from ckpt_action.processes.requests import VerifyRequest, VerifyResult


def run(arguments: Mapping[str, Any], work: Path) -> VerifyResult:
    """Open, compare signatures, compare payload bytes, run every probe; collect what is wrong."""
    request = from_data(VerifyRequest, arguments)
    check = _Check(request)
    for stage, step in (
        ("opening the artifact", check.open),
        ("comparing its signatures", check.signatures),
        ("comparing its payload bytes", check.payloads),
        ("running it", check.values),
        ("running it on the edges", check.edges),
        ("timing it", check.time),
    ):
        enter_stage(work, f"{stage} ({request.name})")
        with check.collecting():
            step()
        if check.artifact is None:
            break
    return VerifyResult(
        proofs=tuple(check.proofs),
        verdicts=tuple(check.verdicts),
        problems=tuple(check.problems),
        latency=check.latency,
    )


class _Check:
    """One artifact on its way through the checks."""

    def __init__(self, request: VerifyRequest) -> None:
        self.artifact: Artifact | None = None
        self.latency: Latency | None = None
        self.proofs: list[Proof] = []
        self.verdicts: list[OutputVerdict] = []
        self.problems: list[Problem] = []
        self._request = request
        self._who = f"Artifact {request.name!r}"

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """One check that raises does not keep the next one from speaking."""
        try:
            yield
        except CkptActionError as error:
            self.problems += error.problems
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            self.problems.append(unexpected_problem(error))
        except ImportError as error:
            self.problems.append(import_problem(error))
        except Exception as error:  # noqa: BLE001 - whatever a broken artifact makes readers raise
            self._fail(f"cannot be read: {type(error).__name__}: {_first_line(error)}")

    def open(self) -> None:
        target = registry()[self._request.format]
        self.artifact = target.open_artifact(self._request.folder, self._request.op_libraries)

    def signatures(self) -> None:
        found = {s.name: s for s in self._artifact.signatures()}
        wanted = {s.name: s for s in self._request.signatures}
        before = len(self.problems)
        if found.keys() != wanted.keys():
            self._fail(f"declares signatures {sorted(found)}, expected {sorted(wanted)}")
        for name in found.keys() & wanted.keys():
            for difference in _differences(wanted[name], found[name]):
                self._fail(f"differs from the declaration in signature {name!r}: {difference}")
        self._prove("signature", before, f"{len(wanted)} as declared")

    def payloads(self) -> None:
        """Every stored value has the bytes of its variable, and every variable is stored."""
        if self._cannot_prove("payload"):
            return
        before = len(self.problems)
        wanted = {**self._request.variables, **self._request.rearranged}
        missing = dict(wanted)
        with self.collecting():
            for name, found in self._artifact.payloads():
                path = self._request.payloads.get(name)
                if path is None:
                    continue
                if found != wanted.get(path):
                    self._fail(f"stores other bytes for variable {path!r} (as {name!r})")
                missing.pop(path, None)
        for path in missing:
            self._fail(f"does not hold variable {path!r}, or it could not be read")
        shown = f"{len(wanted)} variables, byte for byte"
        if self._request.rearranged:
            shown = f"{len(wanted)} variables, by their values in whatever order the format has"
        if other := len(self._request.transformed):
            shown += f"; {other} are stored in another form, and the values answer for them"
        self._prove("payload", before, shown)

    def values(self) -> None:
        if self._cannot_prove("values"):
            return
        before, probes = len(self.problems), self._probes()
        allowed = allowances(probes, self._request.max_error)
        for probe in probes:
            outputs = self._run(probe)
            if outputs is not None:
                self._compare(probe, outputs, allowed)
        loosened = self._request.max_error is not None
        trivial = trivially_passed(probes, self.verdicts, loosened=loosened)
        if trivial and len(self.problems) == before:
            self.proofs.append(Proof(name="values", passed=None, detail=in_words(trivial)))
            return
        if (other := self._artifact.stand_in()) and len(self.problems) == before:
            detail = f"not shown by the format's own runtime: {other} read it back"
            notes = ". ".join((detail, *self._artifact.notes()))
            self.proofs.append(Proof(name="values", passed=None, detail=notes))
            return
        if any(p.reference for p in probes):
            shown = f"{len(probes)} probes against the restored model"
            if loosened:
                shown += f". {error_and_agreement(self.verdicts)}"
            self._prove("values", before, ". ".join((shown, *self._artifact.notes())))
        if any(p.golden for p in probes):
            self._prove("golden", before, "the recorded outputs")

    def _compare(
        self, probe: Probe, outputs: Mapping[str, Array], allowed: Mapping[Key, Allowance]
    ) -> None:
        verify = self._request.verify
        reference = judge(probe, outputs, verify, against="reference", allowed=allowed)
        if self._request.agreement:
            reference = with_agreement(reference, probe, outputs)
        golden = judge(probe, outputs, verify, against="golden", allowed=allowed)
        self.verdicts += [*reference, *golden]
        for verdict in reference:
            if not verdict.passed:
                self._fail(
                    f"computes another {verdict.output!r} than the restored model (signature "
                    f"{verdict.signature!r}, {verdict.probe}): {describe(verdict)}"
                )
        self.problems += golden_problems(self._who, golden)

    def edges(self) -> None:
        """Of what computes right on ordinary inputs, where it could be run at all."""
        if self._request.probes is None or self.problems or "values" in self._request.unproven:
            return
        edges = [p for p in load_probes(self._request.probes) if p.edge is not None]
        before = len(self.problems)
        for probe in edges:
            difference = self._edge_difference(probe)
            if difference and probe.edge is not None:
                self.problems.append(edge_problem(self._who, probe, difference))
        if edges:
            self._prove("edges", before, f"{len(edges)} probes with negative or large values")

    def _edge_difference(self, probe: Probe) -> str:
        try:
            outputs = self._artifact.run(probe.signature, probe.inputs)
        except (tf.errors.OpError, ValueError, KeyError, TypeError, RuntimeError) as error:
            return f"it cannot be run there: {_first_line(error)}"
        return edge_difference(probe, outputs, self._request.max_error)

    def time(self) -> None:
        """Only of what computes right."""
        if self._request.latency and not self.problems and isinstance(self._artifact, Timed):
            self.latency = measure(self._artifact, self._probes())

    @property
    def _artifact(self) -> Artifact:
        assert self.artifact is not None
        return self.artifact

    def _probes(self) -> tuple[Probe, ...]:
        if self._request.probes is not None:
            return tuple(p for p in load_probes(self._request.probes) if p.edge is None)
        if self._request.verify.golden is None:
            return ()
        golden = load_golden(self._request.verify.golden, self._request.signatures)
        return (
            Probe(
                signature=golden.signature,
                label="golden",
                inputs=golden.inputs,
                golden=golden.outputs,
            ),
        )

    def _run(self, probe: Probe) -> dict[str, Array] | None:
        """Outputs with exactly the expected names; None, and a problem, where that fails."""
        try:
            outputs = dict(self._artifact.run(probe.signature, probe.inputs))
        except (tf.errors.OpError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, tf.errors.ResourceExhaustedError):
                raise
            self._fail(
                f"cannot run signature {probe.signature!r} on {probe.label}: {_first_line(error)}"
            )
            return None
        expected = (probe.reference or probe.golden or {}).keys()
        if outputs.keys() != expected:
            self._fail(f"returns outputs {sorted(outputs)}, expected {sorted(expected)}")
            return None
        return outputs

    def _cannot_prove(self, name: str) -> bool:
        reason = self._request.unproven.get(name)
        if reason is not None:
            self.proofs.append(Proof(name=name, passed=None, detail=reason))
        return reason is not None

    def _fail(self, what: str) -> None:
        self.problems.append(
            Problem(
                code=ExitCode.VERIFY,
                message=f"{self._who} {what}.",
                hint="It must not be used. If it was changed after the export, export it again.",
            )
        )

    def _prove(self, name: str, before: int, detail: str) -> None:
        """`before`: how many problems there were when this check began."""
        self.proofs.append(Proof(name=name, passed=len(self.problems) == before, detail=detail))


def _differences(wanted: SignatureRecord, found: SignatureRecord) -> Iterator[str]:
    yield from _tensor_differences("input", wanted.inputs, found.inputs)
    yield from _tensor_differences("output", wanted.outputs, found.outputs)


def _tensor_differences(
    kind: str, wanted: tuple[TensorRecord, ...], found: tuple[TensorRecord, ...]
) -> Iterator[str]:
    want, have = ({t.name: t for t in tensors} for tensors in (wanted, found))
    if want.keys() != have.keys():
        yield f"{kind}s {sorted(have)}, expected {sorted(want)}"
    for name in sorted(want.keys() & have.keys()):
        if want[name].dtype != have[name].dtype:
            yield f"{kind} {name!r} has dtype {have[name].dtype}, expected {want[name].dtype}"
        if not _same_shape(want[name].shape, have[name].shape, exact=kind == "input"):
            shapes = [
                show_shape(s) if s is not None else "unknown"
                for s in (have[name].shape, want[name].shape)
            ]
            yield f"{kind} {name!r} has shape {shapes[0]}, expected {shapes[1]}"


def _same_shape(
    wanted: tuple[int | str | None, ...] | None,
    found: tuple[int | str | None, ...] | None,
    *,
    exact: bool,
) -> bool:
    """Names of free dimensions are ours, artifacts know only that they are free. An output's size
    that only one side knows is no contradiction."""
    if wanted is None or found is None:
        return wanted is found or not exact
    return len(wanted) == len(found) and all(
        (isinstance(w, int) == isinstance(f, int) if exact else True)
        and (w == f if isinstance(w, int) and isinstance(f, int) else True)
        for w, f in zip(wanted, found, strict=True)
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]
