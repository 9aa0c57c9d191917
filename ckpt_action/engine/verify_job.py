"""The verifying child: one artifact, from its files alone. The user's code is never imported."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from ckpt_action.codec import from_data
from ckpt_action.engine.prove.artifact.edge_problems import edge_problem, edge_problems
from ckpt_action.engine.prove.artifact.findings import Findings
from ckpt_action.engine.prove.artifact.latency import measure
from ckpt_action.engine.prove.artifact.same_signature import signature_differences
from ckpt_action.engine.prove.artifact.values import check_values
from ckpt_action.engine.prove.inputs.golden_file import load_golden
from ckpt_action.engine.prove.inputs.probe_file import load_probes
from ckpt_action.engine.prove.inputs.probes import Probe
from ckpt_action.engine.records import Artifact, Timed
from ckpt_action.engine.targets import registry
from ckpt_action.engine.worker import enter_stage, unexpected_problem
from ckpt_action.errors import CkptActionError, Problem, Severity, first_line
from ckpt_action.outcome import Latency
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
        proofs=tuple(check.found.proofs),
        verdicts=tuple(check.found.verdicts),
        problems=tuple(check.found.problems),
        latency=check.latency,
    )


class _Check:
    """One artifact on its way through the checks."""

    def __init__(self, request: VerifyRequest) -> None:
        self.artifact: Artifact | None = None
        self.latency: Latency | None = None
        self.found = Findings(request.name, request.unproven, fresh=request.probes is not None)
        self._request = request

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """One check that raises does not keep the next one from speaking."""
        try:
            yield
        except CkptActionError as error:
            self.found.problems += error.problems
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            self.found.problems.append(unexpected_problem(error))
        except ImportError as error:
            self.found.problems.append(import_problem(error))
        except Exception as error:  # noqa: BLE001 - whatever a broken artifact makes readers raise
            self.found.fail(f"cannot be read: {type(error).__name__}: {first_line(error)}")

    def open(self) -> None:
        target = registry()[self._request.format]
        self.artifact = target.open_artifact(self._request.folder, self._request.op_libraries)

    def signatures(self) -> None:
        found = {s.name: s for s in self._artifact.signatures()}
        wanted = {s.name: s for s in self._request.signatures}
        before = len(self.found.problems)
        if found.keys() != wanted.keys():
            self.found.fail(f"declares signatures {sorted(found)}, expected {sorted(wanted)}")
        for name in found.keys() & wanted.keys():
            for difference in signature_differences(wanted[name], found[name]):
                self.found.fail(f"differs from the declaration in signature {name!r}: {difference}")
        self.found.prove("signature", before, f"{len(wanted)} as declared")

    def payloads(self) -> None:
        """Every stored value has the bytes of its variable, and every variable is stored."""
        if self.found.is_excused("payload"):
            return
        before = len(self.found.problems)
        wanted = {**self._request.variables, **self._request.rearranged}
        missing = dict(wanted)
        with self.collecting():
            for name, found in self._artifact.payloads():
                path = self._request.payloads.get(name)
                if path is None:
                    continue
                if found != wanted.get(path):
                    self.found.fail(f"stores other bytes for variable {path!r} (as {name!r})")
                missing.pop(path, None)
        for path in missing:
            self.found.fail(f"does not hold variable {path!r}, or it could not be read")
        shown = f"{len(wanted)} variables, byte for byte"
        if self._request.rearranged:
            shown += ", their axes in whatever order the format has"
        if other := len(self._request.transformed):
            shown += f"; {other} are stored in another form, and the values answer for them"
        self.found.prove("payload", before, shown)

    def values(self) -> None:
        check_values(self._artifact, self._probes(), self._request, self.found)

    def edges(self) -> None:
        """Of what computes right on ordinary inputs, where it could be run at all."""
        if self._request.probes is None or self.found.failed or "values" in self._request.unproven:
            return
        edges = [p for p in self._handed_over if p.edge is not None]
        before = len(self.found.problems)
        for probe in edges:
            self.found.problems += self._on_edge(probe)
        if edges:
            self.found.prove("edges", before, f"{len(edges)} probes with negative or large values")

    def _on_edge(self, probe: Probe) -> tuple[Problem, ...]:
        try:
            outputs = self._artifact.run(probe.signature, probe.inputs)
        except (tf.errors.OpError, ValueError, KeyError, TypeError, RuntimeError) as error:
            refusal = f"it cannot be run there: {first_line(error)}"
            severity = probe.edge or Severity.ERROR
            return (edge_problem(self.found.who, probe, refusal, severity),)
        return edge_problems(self.found.who, probe, outputs, self._request.max_error)

    def time(self) -> None:
        """Only of what computes right, in its own runtime."""
        if not self._request.latency or self.found.failed or self._artifact.stand_in():
            return
        if isinstance(self._artifact, Timed):
            self.latency = measure(
                self._artifact, [p for p in self._probes() if not (p.cut or p.beside or p.scaled)]
            )

    @property
    def _artifact(self) -> Artifact:
        assert self.artifact is not None
        return self.artifact

    @functools.cached_property
    def _handed_over(self) -> tuple[Probe, ...]:
        """The probes of the exporting child."""
        assert self._request.probes is not None
        return load_probes(self._request.probes)

    def _probes(self) -> tuple[Probe, ...]:
        if self._request.probes is not None:
            return tuple(p for p in self._handed_over if p.edge is None)
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
