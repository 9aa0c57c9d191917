"""A run as the pipeline leaves it: one model proven, one failed in two ways, one never restored."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ckpt_action.errors import ExitCode, Problem, Severity, Where
from ckpt_action.outcome import (
    ArtifactOutcome,
    BindingRecord,
    CheckpointRecord,
    FileRecord,
    JobOutcome,
    OutputVerdict,
    Proof,
    Run,
    SignatureRecord,
    TensorRecord,
    VariableRecord,
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file(path: str, size: int) -> FileRecord:
    return FileRecord(path=path, bytes=size, sha256=digest(path))


def variable(path: str, *shape: int, dtype: str = "float32") -> VariableRecord:
    source = f"model/{path}/.ATTRIBUTES/VARIABLE_VALUE"
    return VariableRecord(path=path, dtype=dtype, shape=shape, sha256=digest(path), source=source)


def verdict(output: str, probe: str, difference: float | None, **changes: object) -> OutputVerdict:
    plain = OutputVerdict(
        signature="serving_default",
        output=output,
        against="golden" if probe == "golden" else "reference",
        probe=probe,
        dtype="float32" if difference is not None else "int64",
        shape=(2, 10),
        passed=True,
        max_abs=difference,
        max_rel=None if difference is None else difference * 7,
        worst_index=None if difference is None else (1, 3),
        rtol=1e-5,
        atol=1e-6,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


SIGNATURE = SignatureRecord(
    name="serving_default",
    inputs=(TensorRecord(name="image", dtype="float32", shape=("batch", 8, 8, 1)),),
    outputs=(
        TensorRecord(name="digit", dtype="float32", shape=("batch", 10), tensor="Identity:0"),
        TensorRecord(name="class", dtype="int64", shape=("batch",), tensor="Identity_1:0"),
    ),
)
PROOFS = (
    Proof(name="signature", passed=True, detail="1 as declared"),
    Proof(name="values", passed=True, detail="10 comparisons within tolerance"),
    Proof(name="payload", passed=True, detail="8 of 8 variables equal byte for byte"),
    Proof(name="golden", passed=None, detail="no golden file is declared"),
)
PROBES = ("golden", "sample 0 (batch=2)", "sample 1 (batch=5)", "sample 2 (batch=1)")


def digits() -> JobOutcome:
    verdicts = tuple(
        verdict("digit", probe, 10.0 ** -(7 + i) if i else 0.0) for i, probe in enumerate(PROBES)
    ) + tuple(verdict("class", probe, None) for probe in PROBES)
    saved = ArtifactOutcome(
        format="saved-model",
        name="saved-model",
        folder="digits/saved-model",
        files=(
            file("digits/saved-model/saved_model.pb", 48_211),
            file("digits/saved-model/variables/variables.index", 811),
            file("digits/saved-model/variables/variables.data-00000-of-00001", 1_245_184),
        ),
        signatures=(SIGNATURE,),
        payloads={"variables/0": "conv/kernel"},
        proofs=PROOFS,
        verdicts=verdicts,
    )
    frozen = replace(
        saved,
        format="frozen-graph",
        name="frozen-graph",
        folder="digits/frozen-graph",
        files=(file("digits/frozen-graph/digits.pb", 1_290_002),),
    )
    return JobOutcome(
        name="digits",
        model="digits",
        checkpoint=CheckpointRecord(
            path="runs/digits/ckpt-40",
            kind="TF2 object-based checkpoint",
            writer="tf.train.Checkpoint, Keras 3",
            step=40,
            sha256=digest("ckpt-40"),
            bytes=3_745_821,
        ),
        entry_point="digits.model:build",
        binding=BindingRecord(
            route="object graph",
            keras="3.15.0",
            root="model",
            bound=6,
            missing_allowed=("head/scale",),
            ignored={"optimizer": 14, "counter": 2},
            state=("dropout/seed_generator",),
            notes=("activation hard_sigmoid of layer gate means something else since Keras 3",),
        ),
        variables=(
            variable("conv/kernel", 3, 3, 1, 32),
            variable("conv/bias", 32),
            variable("dense/kernel", 2048, 128),
            variable("dense/bias", 128),
            variable("head/kernel", 128, 10),
            variable("vocabulary", 10, dtype="string"),
        ),
        proofs=(Proof(name="deterministic", passed=True, detail="two runs gave equal bytes"),),
        verdicts=(verdict("digit", "golden", 2.4e-7),),
        artifacts=(saved, frozen),
        sources=(file("digits/model.py", 1_822),),
        versions={"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.0"},
        seconds=11.2,
        peak_rss=812_000_000,
    )


def captioner() -> JobOutcome:
    """Wrong values in one artifact, a gate broken by the other."""
    job = digits()
    wrong = verdict(
        "digit",
        "golden",
        0.93,
        passed=False,
        reason="differs by more than rtol and atol allow",
        nan_count=3,
    )
    saved, frozen = job.artifacts
    return replace(
        job,
        name="captioner@1200",
        model="captioner",
        verdicts=(),
        artifacts=(
            replace(
                saved,
                folder="captioner@1200/saved-model",
                verdicts=(wrong, *saved.verdicts[1:]),
                problems=(
                    Problem(
                        code=ExitCode.VERIFY,
                        message="saved-model does not compute what the model computes: digit "
                        "differs by 0.93 at (1, 3).",
                        hint="Look at the layer that made it.",
                        where=Where(
                            file="model-export.toml",
                            line=24,
                            column=3,
                            key_path="models.captioner.targets[0]",
                        ),
                    ),
                ),
            ),
            replace(
                frozen,
                folder="captioner@1200/frozen-graph",
                problems=(
                    Problem(
                        code=ExitCode.GATE,
                        message="frozen-graph has 1.3 MB, max-size allows 1 MB.",
                        where=Where(file="model-export.toml", line=27, column=1),
                    ),
                ),
            ),
        ),
    )


def lost() -> JobOutcome:
    """Never got past restoring."""
    return replace(
        digits(),
        name="lost",
        model="lost",
        binding=None,
        variables=(),
        proofs=(),
        verdicts=(),
        artifacts=(),
        problems=(
            Problem(
                code=ExitCode.RESTORE,
                message="2 variables of the model found no value in the checkpoint.",
                hint="Rename the attributes back, or list them in `allow-missing`.",
                where=Where(file="model-export.toml", line=31, column=1, key_path="models.lost"),
                details=(
                    "model: encoder/kernel (64, 64)   nearest: enc/kernel (64, 64)",
                    "model: encoder/bias (64)         nearest: enc/bias (64)",
                ),
            ),
            Problem(
                code=ExitCode.RESTORE,
                severity=Severity.WARNING,
                message="The checkpoint was written by Keras 2.",
            ),
        ),
    )


def run(*jobs: JobOutcome) -> Run:
    return Run(tool="0.1.0", config="model-export.toml", jobs=jobs, commit="f" * 40)


GREEN = run(digits())
RED = run(digits(), captioner(), lost())
