from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from ckpt_action.errors import ExitCode, Problem
from ckpt_action.outcome import Proof, Run
from ckpt_action.report import figures, page, summary
from ckpt_action.report.text import render
from ckpt_action.status import Status, artifact_status, run_status
from tests.report import sample


def test_the_verdict_comes_first() -> None:
    assert render(sample.GREEN).splitlines()[0] == (
        "1 model exported and proven (2 artifacts, 2.6 MB)"
    )
    assert render(sample.RED).splitlines()[0] == (
        "2 of 3 models failed: captioner@1200, lost (verify, restore, gate); "
        "1 model exported and proven (2 artifacts, 2.6 MB)"
    )


def test_a_table_names_every_target_with_size_digest_and_differences() -> None:
    text = render(sample.GREEN)
    (line,) = [line for line in text.splitlines() if line.startswith("  frozen-graph")]
    shown = figures.short(figures.artifact_digest(sample.digits().artifacts[1]))
    assert line.split() == ["frozen-graph", "1.3", "MB", shown, "1.0e-08", "7.0e-08", "proven"]


def test_what_was_allowed_and_what_failed_is_said() -> None:
    text = render(sample.RED)
    assert "kept their initial values (allow-missing): head/scale" in text
    assert "differs by more than rtol and atol allow" in text
    assert "model: encoder/kernel (64, 64)   nearest: enc/kernel (64, 64)" in text
    assert "help: Rename the attributes back" in text
    assert "model-export.toml:27:1: error: frozen-graph has 1.3 MB" in text


def test_what_the_machine_lacks_is_said_once() -> None:
    lacks = Problem(code=ExitCode.ENVIRONMENT, message="tensorflow is not installed.")
    jobs = [
        replace(job, artifacts=tuple(replace(a, problems=(lacks,)) for a in job.artifacts))
        for job in (sample.digits(), sample.captioner())
    ]
    assert render(sample.run(*jobs)).count("tensorflow is not installed") == 1


def test_nothing_exported_is_no_success() -> None:
    nothing = Run(tool="0", config="c.toml", jobs=())
    assert figures.headline(nothing) == "Nothing was exported"
    assert run_status(nothing) is Status.FAILED


def test_of_a_model_that_failed_the_targets_that_passed_are_counted() -> None:
    job = sample.captioner()
    saved, frozen = job.artifacts
    part = replace(job, artifacts=(saved, replace(frozen, problems=())))
    assert figures.headline(sample.run(part)) == (
        "1 of 1 model failed: captioner@1200 (verify); of it, 1 of 2 targets passed"
    )
    assert "  1 of 2 targets passed, in captioner@1200/\n" in render(sample.run(part))
    assert "targets passed" not in render(sample.RED)


def test_what_no_golden_file_tells_is_not_in_words_of_a_verdict() -> None:
    said = render(sample.run(replace(sample.digits(), verdicts=())))
    assert "not checked: that the code is the one of the training" in said
    assert "not proven" not in said


def test_a_headline_names_no_more_than_three_models() -> None:
    lost = sample.lost()
    names = ["a", "b", "c", "d"]
    four = [replace(lost, name=name) for name in names]
    assert figures.headline(sample.run(*four[:3])) == "3 of 3 models failed: a, b, c (restore)"
    assert figures.headline(sample.run(*four)) == "4 of 4 models failed (restore)"


def test_a_problem_of_the_run_itself_fails_it() -> None:
    problem = Problem(code=ExitCode.CHECKPOINT, message="models.x has no checkpoint")
    broken = replace(sample.GREEN, problems=(problem,))
    assert run_status(broken) is Status.FAILED
    assert figures.headline(broken).startswith("The run failed (checkpoint)")
    assert "models.x has no checkpoint" in render(broken)


def test_one_failed_comparison_fails_the_artifact_even_without_a_problem() -> None:
    artifact = sample.digits().artifacts[0]
    wrong = replace(artifact.verdicts[0], passed=False)
    assert artifact_status(artifact) is Status.PROVEN
    broken = replace(artifact, verdicts=(*artifact.verdicts, wrong))
    assert artifact_status(broken) is Status.FAILED
    unproven = replace(artifact, verdicts=(), proofs=())
    assert artifact_status(unproven) is Status.UNPROVEN


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
     (5 * 10**15, "5000.0 TB")],
)  # fmt: skip
def test_sizes_are_decimal(size: int, text: str) -> None:
    assert figures.human_bytes(size) == text


def test_nan_is_the_largest_difference() -> None:
    assert str(figures.largest([1.0, float("nan"), None, 2.0])) == "nan"
    assert figures.largest([None]) is None


def test_what_no_proof_shows_is_in_every_rendering() -> None:
    detail = "signature serving_default: not verifiable by outputs"
    proofs = (
        Proof(name="sensitive", passed=None, detail=detail),
        Proof(name="rows", passed=None, detail="not applicable"),
    )
    job = sample.digits()
    unseen = replace(job.artifacts[0], verdicts=())
    run = sample.run(replace(job, proofs=proofs, artifacts=(unseen, *job.artifacts[1:])))
    assert run_status(run) is Status.UNPROVEN
    for text in (render(run), summary.render(run), page.render(run)):
        words = re.sub(r"<[^>]*>|[*:]", "", html.unescape(text))
        assert re.search(r"not shown ?signature serving_default not verifiable by", words)
        assert "not compared with anything" in words
    assert "not applicable" not in render(run)


def test_why_this_checkpoint_stands_under_it() -> None:
    job = replace(sample.digits(), chosen=("ckpt-40 is the latest of: ckpt-40, ckpt-20.",))
    run = replace(sample.GREEN, jobs=(job,))
    lines = render(run).splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("  checkpoint ")]
    assert lines[at + 1].strip() == "ckpt-40 is the latest of: ckpt-40, ckpt-20."
    assert "ckpt-40 is the latest of" in html.unescape(page.render(run))
    assert "is the latest of" in summary.render(run)


def test_what_no_golden_file_confirms_is_said() -> None:
    """Only where code says what is computed."""
    job = sample.digits()
    golden = replace(job, proofs=(*job.proofs, Proof(name="golden", passed=True)))
    for made, said in ((job, True), (golden, False), (replace(job, entry_point=""), False)):
        run = replace(sample.GREEN, jobs=(made,))
        assert ("activations, preprocessing" in render(run)) == said
        assert ("activations, preprocessing" in page.render(run)) == said
        assert ("activations, preprocessing" in summary.render(run)) == said


def test_what_decided_over_a_loosened_artifact_is_shown_with_its_limit() -> None:
    job = sample.digits()
    saved, frozen = job.artifacts
    verdicts = tuple(
        replace(v, against="reference", max_abs=v.max_abs and 0.012, atol=0.05)
        for v in saved.verdicts
    )
    loose = replace(saved, name="small", max_error=0.1, verdicts=verdicts)
    run = replace(sample.GREEN, jobs=(replace(job, artifacts=(loose, frozen)),))
    text = "small differs from the model by 0.012 of the 0.05 that its `max-error` of 0.1 allows"
    assert text in render(run)
    assert "frozen-graph differs" not in render(run)
