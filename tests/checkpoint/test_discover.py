"""From patterns to checkpoints: globs, folders, state files, steps, and what is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkpoint_files import CORPUS, DATA

from ckpt_action.checkpoint.discover import discover
from ckpt_action.checkpoint.records import Kind
from ckpt_action.checkpoint.state_file import named_in
from ckpt_action.errors import ExitCode

SMALL = DATA / "keras2_manager/ckpt-11"
OTHER = DATA / "keras3_lists/ckpt-1"


def put(folder: Path, *names: str, source: Path = SMALL) -> None:
    """Copies of the checkpoint at `source` in `folder`, under other names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for file in source.parent.glob(f"{source.name}.*"):
            target = folder / (name + file.name.removeprefix(source.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)


def state(folder: Path, path: str) -> None:
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{path}"\n')


def found(folder: Path, *patterns: str, select="latest") -> list[str]:
    checkpoints, problems = discover(patterns, folder, select)
    assert problems == ()
    return [c.path.relative_to(folder).as_posix() for c in checkpoints]


def problem(folder: Path, *patterns: str, select="latest") -> str:
    checkpoints, problems = discover(patterns, folder, select)
    assert checkpoints == ()
    assert {p.code for p in problems} == {ExitCode.CHECKPOINT}
    return " | ".join(str(p) for p in problems)


@pytest.mark.parametrize("name", ["best-ppl-{}", "client_{}", "f1-{}"])
def test_numbers_behind_other_words_give_no_order(tmp_path, name):
    put(tmp_path, name.format(38), name.format(45))
    message = problem(tmp_path, "*")
    assert "Which of these 2 checkpoints is meant?" in message
    assert name.format(38) in message
    assert "write the one that is meant into `checkpoints`" in message


def test_a_prefix_that_tensorflow_counted_has_an_order(tmp_path):
    """As `tf.train.Checkpoint.save` writes it; what the state file names was not committed."""
    put(tmp_path, "translator-9", "translator-10")
    assert "Which of these" in problem(tmp_path, "translator-*")
    state(tmp_path, "/elsewhere/translator-11")
    assert found(tmp_path, "translator-*") == ["translator-10"]
    assert found(tmp_path, "translator-*", select=9) == ["translator-9"]
    put(tmp_path, "client-1", "client-2")
    assert "Which of these" in problem(tmp_path, "client-*")


def test_the_count_may_stand_before_the_ending(tmp_path):
    """As Keras 2 writes `yolov3_train_{epoch}.tf` in its TensorFlow format."""
    put(tmp_path, "yolo_train_1.tf", "yolo_train_2.tf", "yolo_train_10.tf")
    assert "Which of these" in problem(tmp_path, "yolo_train_*")
    state(tmp_path, "yolo_train_10.tf")
    assert found(tmp_path, "yolo_train_*") == ["yolo_train_10.tf"]


def test_numbers_that_fell_while_they_were_written_are_no_count(tmp_path):
    put(tmp_path, "best-ppl-45", "best-ppl-38")
    state(tmp_path, "best-ppl-38")
    assert "Which of these" in problem(tmp_path, "best-ppl-*")


def test_globs_reach_prefixes(tmp_path):
    put(tmp_path / "runs/a", "ckpt-9", "ckpt-10")
    put(tmp_path / "runs/b/deep", "ckpt-3")
    assert found(tmp_path, "runs/a/ckpt-?") == ["runs/a/ckpt-9"]
    assert found(tmp_path, "runs/a/ckpt-*") == ["runs/a/ckpt-10"]
    assert found(tmp_path, "runs/a/ckpt-[19]*", select="all") == ["runs/a/ckpt-9", "runs/a/ckpt-10"]
    assert found(tmp_path, "runs/**/ckpt-3") == ["runs/b/deep/ckpt-3"]
    assert found(tmp_path, "runs/{a/ckpt-9,b/deep/*}", select=3) == ["runs/b/deep/ckpt-3"]
    assert found(tmp_path, "runs/a", "runs/a/*", select="all") == [
        "runs/a/ckpt-9",
        "runs/a/ckpt-10",
    ]


def test_magic_characters_in_a_real_name_are_taken_as_they_are(tmp_path):
    put(tmp_path / "run[1]", "ckpt-{a,b}")
    assert found(tmp_path, "run[1]/ckpt-{a,b}") == ["run[1]/ckpt-{a,b}"]
    assert found(tmp_path / "run[1]", "ckpt-*") == ["ckpt-{a,b}"]


@pytest.mark.parametrize("part", [".index", ".data-00000-of-00001"])
def test_one_file_of_a_checkpoint_means_its_prefix(part):
    (checkpoint,), problems = discover((f"keras2_manager/ckpt-11{part}",), DATA, "latest")
    assert problems == ()
    assert checkpoint.path == SMALL
    assert "its prefix is ckpt-11" in checkpoint.notes[0]


def test_a_meta_file_means_its_prefix_and_belongs_to_it():
    (checkpoint,), _ = discover(("tf1/model.ckpt-1.meta",), DATA, "latest")
    assert checkpoint.path == DATA / "tf1/model.ckpt-1"
    assert checkpoint.path.with_name("model.ckpt-1.meta") in checkpoint.files


def test_a_data_file_without_its_index(tmp_path):
    put(tmp_path, "x")
    (tmp_path / "x.index").unlink()
    assert "without x.index, which is missing" in problem(tmp_path, "x.data-00000-of-00001")


@pytest.mark.parametrize("pattern", ["m", "m/ckpt-*"])
def test_the_newest_without_its_index_is_no_reason_to_take_an_older_one(tmp_path, pattern):
    put(tmp_path / "m", "ckpt-9", "ckpt-10")
    state(tmp_path / "m", "ckpt-10")
    (tmp_path / "m/ckpt-10.index").unlink()
    assert "ckpt-10.index is missing" in problem(tmp_path, pattern)
    assert "ckpt-10.index is missing" in problem(tmp_path, pattern, select="all")
    assert found(tmp_path, pattern, select=9) == ["m/ckpt-9"]
    (tmp_path / "m/ckpt-9.index").unlink()
    assert "ckpt-9.index is missing" in problem(tmp_path, pattern)


def test_an_older_one_without_its_index_is_passed_over(tmp_path):
    put(tmp_path / "m", "ckpt-9", "ckpt-10")
    (tmp_path / "m/ckpt-9.index").unlink()
    assert found(tmp_path, "m") == ["m/ckpt-10"]


def test_a_managers_folder_and_its_state_file():
    (checkpoint,), _ = discover(("keras2_manager",), DATA, "latest")
    assert checkpoint.path == SMALL
    assert checkpoint.step == 11
    assert "ckpt-9, ckpt-10, ckpt-11" in checkpoint.notes[0]
    assert found(DATA, "keras2_manager/checkpoint") == ["keras2_manager/ckpt-11"]


@pytest.mark.parametrize(
    "path", ["/data/runs/best", "C:\\\\Users\\\\u\\\\best", "../../best", "\\142est"]
)
def test_a_state_file_of_another_machine_is_read_by_its_last_part(path, tmp_path):
    put(tmp_path / "m", "best", "other")
    state(tmp_path / "m", path)
    assert named_in(tmp_path / "m") == "best"
    assert found(tmp_path, "m") == ["m/best"]


def test_a_state_file_can_never_lead_outside(tmp_path):
    put(tmp_path, "secret")
    put(tmp_path / "m", "ckpt-1")
    state(tmp_path / "m", "../secret")
    assert found(tmp_path, "m") == ["m/ckpt-1"]


def test_a_state_file_that_names_what_is_not_there():
    """The corpus has a folder whose state file names a later run, which was never committed."""
    (checkpoint,), _ = discover(("cardio_vae/data/checkpoints",), CORPUS, "latest")
    assert checkpoint.path.name == "mnist_model"
    assert "names acdc_model, which is not there" in checkpoint.notes[0]


def test_the_state_file_wins_over_the_step_and_says_so(tmp_path):
    put(tmp_path / "m", "ckpt-5", "ckpt-10")
    state(tmp_path / "m", "ckpt-5")
    (checkpoint,), _ = discover(("m",), tmp_path, "latest")
    assert checkpoint.step == 5
    assert "ckpt-10 has a higher step" in checkpoint.notes[1]
    assert found(tmp_path, "m/ckpt-*") == ["m/ckpt-10"]


def test_unrelated_names_without_a_state_file_are_listed(tmp_path):
    put(tmp_path / "m", "best", "final", "ckpt-3")
    words = problem(tmp_path, "m")
    assert "best, ckpt-3, final" in words
    state(tmp_path / "m", "gone")
    assert "names gone, which is not there" in problem(tmp_path, "m")


def test_models_of_different_width_are_no_steps(tmp_path):
    words = problem(DATA, "widths")
    assert "hold 'w/.ATTRIBUTES/VARIABLE_VALUE' in different shapes" in words
    assert found(DATA, "widths", select=32) == ["widths/model-32"]
    put(tmp_path, "ckpt-1")
    put(tmp_path, "ckpt-2", source=OTHER)
    assert found(tmp_path, "ckpt-*") == ["ckpt-2"]  # no key in common: nothing contradicts


def test_several_folders_have_no_order_whatever_their_numbers(tmp_path):
    """They may be runs, folds, seeds or learning rates: nobody but the user knows the best."""
    put(tmp_path / "run-2", "ckpt-7")
    put(tmp_path / "run-10", "ckpt-3")
    assert "give no order" in problem(tmp_path, "run-*/ckpt-*")
    assert found(tmp_path, "run-2/ckpt-*") == ["run-2/ckpt-7"]


def test_the_latest_is_the_highest_step_not_the_highest_name(tmp_path):
    put(tmp_path, "acc-95-epoch-9", "acc-93-epoch-10")
    assert found(tmp_path, "acc-*") == ["acc-93-epoch-10"]


KERAS = ("Mnist-01-2.40", "Mnist-03-2.19", "Mnist-10-2.31")


@pytest.mark.parametrize(
    ("names", "select", "chosen"),
    [
        (KERAS, 3, "Mnist-03-2.19"),
        (KERAS, 2, None),
        (("Mnist-1-40", "Mnist-3-19"), 3, None),  # the other number may be the step
        (("Mnist-1-40", "Mnist-3-40"), 3, None),  # 40 is the step of both
        (("Mnist-v2-1-2.5", "Mnist-v2-3-2.0"), 3, "Mnist-v2-3-2.0"),
        (("Mnist3-1-2.5", "Mnist4-2-2.0"), 3, None),
        (("Mnist-1", "Mnist-1.5"), 1, None),
        (("Mnist-3", "other-4"), 3, None),
        (("Mnist-3-step-10", "Mnist-4-step-20"), 3, None),
        (("Mnist-03", "Mnist-3"), 3, None),
    ],
)
def test_a_number_that_one_name_has_will_do_where_it_is_asked_for(names, select, chosen, tmp_path):
    put(tmp_path, *names)
    if chosen is None:
        assert f"No checkpoint has the step {select}" in problem(tmp_path, "*", select=select)
        return
    ((files,), _) = discover(("*",), tmp_path, select)
    assert files.path.name == chosen
    assert f"{chosen} is the one with the number {select} of: {names[0]}, " in files.notes[0]
    assert "Which of these" in problem(tmp_path, "*")


def test_steps_that_are_not_there_or_there_twice(tmp_path):
    put(tmp_path / "a", "ckpt-1", "ckpt-2")
    put(tmp_path / "b", "ckpt-2")
    said = problem(tmp_path, "a", select=7)
    assert "No checkpoint has the step 7; there are: ckpt-1, ckpt-2." in said
    assert "As in `select = 2`; the steps are 1, 2." in said
    assert "2 checkpoints have the step 2" in problem(tmp_path, "?", select=2)


def test_one_broken_checkpoint_among_several_hides_no_other(tmp_path):
    put(tmp_path, "ckpt-1", "ckpt-2", "ckpt-3")
    (tmp_path / "ckpt-2.data-00000-of-00001").unlink()
    checkpoints, problems = discover(("ckpt-*",), tmp_path, "all")
    assert [c.step for c in checkpoints] == [1, 3]
    assert "ckpt-2.data-00000-of-00001 is missing" in str(problems[0])
    (tmp_path / "ckpt-3.data-00000-of-00001").write_bytes(b"")
    assert "truncated" in problem(tmp_path, "ckpt-*")  # never the older one instead


def test_nothing_there(tmp_path):
    put(tmp_path / "runs", "ckpt-3332")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    assert "Did you mean 'ckpt-3332'" in problem(tmp_path, "runs/ckpt-333")
    assert "In runs there are: ckpt-3332" in problem(tmp_path, "runs/best*")
    assert "empty holds no checkpoint" in problem(tmp_path, "empty")
    assert "only: empty/, notes.txt, runs/" in problem(tmp_path, "nope/*")
    assert "Below it there are: runs/ckpt-3332." in problem(tmp_path, ".")
    put(tmp_path / "trained/models/digits", "ckpt-7")
    for pattern in ("rnus/ckpt-*", "rnus", "run"):
        assert "Did you mean 'runs'?" in problem(tmp_path, pattern)
    mistaken = problem(tmp_path, "trained/model/digits/ckpt-7")
    assert "Did you mean 'models'? trained holds no checkpoint" in mistaken
    assert "Did you mean" not in problem(tmp_path, "runs/trained/ckpt-*")
    assert "is a text file" in problem(tmp_path, "notes.txt")
    assert "can be no path" in problem(tmp_path, "a\0b")
    both = problem(tmp_path, "nope/*", "other")
    assert "'nope/*'" in both
    assert "'other'" in both


def test_a_folder_that_dvc_tracks_and_nobody_pulled(tmp_path):
    (tmp_path / "weights.dvc").write_text("outs:\n- path: weights\n")
    assert "Run `dvc pull`" in problem(tmp_path, "weights/ckpt-*")
    assert "Run `dvc pull`" in problem(tmp_path, "weights")


def test_lfs_pointers_are_found_in_folders_and_refused(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    assert "git lfs pull" in problem(CORPUS, "starreduction_lfs/data/weights")
    for name in ("ckpt-1.index", "ckpt-1.data-00000-of-00001", "checkpoint"):
        (tmp_path / name).write_text(pointer)
    assert "ckpt-1.index is a Git LFS pointer" in problem(tmp_path, ".")
    (tmp_path / "h").mkdir()
    (tmp_path / "h/model.h5").write_text(pointer)
    assert "model.h5 is a Git LFS pointer" in problem(tmp_path, "h/*")


def test_shards_of_keras_weights_are_one_checkpoint():
    assert found(DATA, "keras3_files/s*") == ["keras3_files/s.weights.json"]
    names = found(DATA, "keras3_files", select="all")
    assert [name.rpartition("/")[2] for name in names] == [
        "m.keras",
        "m.weights.h5",
        "s.weights.json",
    ]


def test_other_files_of_a_folder_are_passed_over(tmp_path):
    put(tmp_path, "ckpt-1")
    for name in ("faiss.index", "README.md", "data.json", "events.out.tfevents.1"):
        (tmp_path / name).write_text("x")
    (tmp_path / "logs").mkdir()
    assert found(tmp_path, ".") == ["ckpt-1"]
    assert found(tmp_path, "*") == ["ckpt-1"]


def test_nothing_heavy_is_imported_for_any_kind():
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path;"
        "from ckpt_action.checkpoint.discover import discover;"
        f"found, problems = discover(('**/*',), Path({str(DATA)!r}), 'all');"
        "assert len(found) >= 8, found;"
        "heavy = {'numpy', 'h5py', 'tensorflow', 'keras'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_hdf5_files_are_opened_only_when_asked():
    (plain,), _ = discover(("keras3_files/m.weights.h5",), DATA, "latest")
    (opened,), _ = discover(("keras3_files/m.weights.h5",), DATA, "latest", look_inside=True)
    assert (plain.kind, opened.kind) == (Kind.HDF5, Kind.KERAS_WEIGHTS)
