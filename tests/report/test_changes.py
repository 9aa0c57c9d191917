"""What changed since an earlier export: every difference is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from ckpt_action.manifest import Exported, Manifest
from ckpt_action.outcome import Change, JobOutcome, Run
from ckpt_action.output.compare import compare
from ckpt_action.report.page import render as page
from ckpt_action.report.summary import render as summary
from tests.report import sample

PLAIN = sample.GREEN.jobs[0]
JOB = Exported(
    **{field.name: getattr(PLAIN, field.name) for field in fields(JobOutcome)},
    tool="0.1.0",
    commit=None,
    config="model-export.toml",
)


def nested(name: str, **changes: object) -> Callable[[Exported], Exported]:
    return lambda job: replace(job, **{name: replace(getattr(job, name), **changes)})


def first(name: str, **changes: object) -> Callable[[Exported], Exported]:
    def change(job: Exported) -> Exported:
        whole = getattr(job, name)
        return replace(job, **{name: (replace(whole[0], **changes), *whole[1:])})

    return change


def plain(**changes: Any) -> Callable[[Exported], Exported]:
    return lambda job: replace(job, **changes)


@pytest.mark.parametrize(
    ("change", "what", "now"),
    [
        (nested("checkpoint", step=41), "checkpoint", "step 41"),
        (nested("checkpoint", sha256="e" * 64), "checkpoint", "sha256 eeeeeeeeeeee"),
        (nested("binding", keras="2.15.0"), "restored", "Keras 2.15.0"),
        (nested("binding", unused_allowed=("old",)), "left unused in the checkpoint", "old"),
        (plain(entry_point="a:b"), "entry point", "a:b"),
        (plain(rtol=0.1), "tolerance rtol", "0.1"),
        (plain(golden=sample.file("golden/new.npz", 3)), "golden file", "golden/new.npz"),
        (plain(failed_targets=("web",)), "failed targets", "web"),
        (plain(versions={"tensorflow": "9.9"}), "made with tensorflow", "9.9"),
        (plain(tool="0.2.0"), "ckpt-action", "0.2.0"),
        (plain(config_digest="c"), "configuration", "changed"),
        (plain(artifacts=PLAIN.artifacts[:1]), "target", ""),
        (first("artifacts", files=(sample.file("x", 2_000_000),)), "target", "2.0 MB"),
        (first("variables", sha256="f" * 64), "variables", "1 of"),
        (plain(variables=PLAIN.variables[1:]), "variables", ""),
        (plain(sources=(*PLAIN.sources, sample.file("more.py", 1))), "files read", "more.py"),
    ],
)
def test_a_difference_is_named(change: Callable[[Exported], Exported], what: str, now: str) -> None:
    old, new = Manifest(jobs=(JOB,)), Manifest(jobs=(change(JOB),))
    found = [c for c in compare(old, new) if c.what.startswith(what)]
    assert len(found) == 1, compare(old, new)
    assert now in found[0].after
    assert found[0].before != found[0].after


def test_a_signature_is_compared_by_what_it_takes_and_gives() -> None:
    (artifact, *rest) = JOB.artifacts
    (signature,) = artifact.signatures[:1]
    wider = replace(signature, outputs=signature.outputs[:1])
    changed = replace(JOB, artifacts=(replace(artifact, signatures=(wider,)), *rest))
    (change,) = compare(Manifest(jobs=(JOB,)), Manifest(jobs=(changed,)))
    assert change.what == f"signature {signature.name}"
    assert "class" in change.before
    assert "class" not in change.after


def test_equal_manifests_have_no_difference_and_models_come_and_go() -> None:
    one, none = Manifest(jobs=(JOB,)), Manifest()
    assert compare(one, one) == ()
    assert compare(one, replace(one, jobs=(replace(JOB, commit="c", dirty=True),))) == ()
    assert [(c.job, c.after) for c in compare(none, one)] == [(JOB.name, "new")]
    assert [(c.job, c.before) for c in compare(one, none)] == [(JOB.name, "was here")]


CHANGE = Change(job="<m>", what="checkpoint", before="step |4|", after="##[error] step 5")


def test_page_and_summary_show_what_changed_escaped() -> None:
    run: Run = replace(sample.GREEN, previous="dist", changes=(CHANGE,) * 60)
    shown = page(run)
    assert "Changed since <code>dist</code>" in shown
    assert '<td data-title="model"><code>&lt;m&gt;</code></td>' in shown
    assert '<td data-title="what">checkpoint</td><td data-title="before">step |4|</td>' in shown
    text = summary(run)
    assert text.index("Changed since") < text.index("### ✅")
    assert "60 differences (the first 40 of 60)" in text
    assert "step &#124;4&#124;" in text
    assert "##[" not in shown + text


def test_no_difference_is_said_and_without_a_previous_export_nothing() -> None:
    same = replace(sample.GREEN, previous="dist")
    assert "Nothing." in page(same)
    assert "Changed since <code>dist</code>: nothing." in summary(same)
    assert "Changed since" not in page(sample.GREEN) + summary(sample.GREEN)
