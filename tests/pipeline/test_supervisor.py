"""Real children that end in every way there is; the supervisor tells which, and goes on."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import pytest
from command import ENVIRON

from ckpt_action.errors import ExitCode
from ckpt_action.processes import children
from ckpt_action.processes import supervisor as supervising
from ckpt_action.processes.children import CannotFork, Spawner
from ckpt_action.processes.environments import variables
from ckpt_action.processes.memory import Gate
from ckpt_action.processes.requests import Request
from ckpt_action.processes.supervisor import Supervisor


def test_a_result_comes_back_and_the_output_goes_to_the_log(ask, tmp_path):
    answer = ask("echo", number=3)
    assert answer.problems == ()
    assert answer.result["arguments"] == {"number": 3}
    assert answer.ended.exit_code == 0
    assert answer.ended.peak_rss > 1 << 20
    assert (tmp_path / "work" / "log").read_text() == "echo was here\n"


def test_children_are_forked_from_one_server_that_has_one_thread(ask):
    first, second = ask("echo", work="1").result, ask("echo", work="2").result
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["pid"] != second["pid"]
    assert ask("threads", work="3").result == {"threads": 1}


def test_what_every_child_needs_is_there_when_it_begins(ask):
    assert ask("late_imports").result == {"modules": []}


def test_tensorflow_computes_in_a_forked_child(ask):
    assert ask("compute").result == {"sum": 64.0**3}


@pytest.mark.parametrize(
    ("task", "says", "log"),
    [
        ("segfault", "crashed (SIGSEGV) in native code", "about to fall"),
        ("abort", "aborted (SIGABRT)", "Check failed: 1 == 2"),
        ("kill_self", "killed (SIGKILL): most likely memory ran out", None),
        ("terminate_self", "ended by SIGTERM", None),
        ("leave", "sys.exit(3)", None),
        ("leave_hard", "ended itself with status 5", None),
        ("eat_memory", "Not enough memory", "MemoryError"),
        ("eat_tensor", "Not enough memory: OOM when allocating tensor", None),
    ],
)
def test_a_child_that_falls_is_told_apart_and_the_next_one_runs(ask, task, says, log):
    answer = ask(task, work="falls")
    (problem,) = answer.problems
    assert answer.result is None
    assert problem.code is ExitCode.CRASH
    assert says in problem.message
    assert problem.hint
    assert log is None or any(log in line for line in problem.details)
    assert ask("echo", work="next").result


def test_what_a_failed_child_printed_last_is_shown(ask):
    (problem,) = ask("refuse").problems
    assert problem.code is ExitCode.REBUILD
    assert problem.details[:3] == ("the table", "It printed last:", "step 25")
    assert problem.details[-1] == "step 39"


def test_nobody_is_sent_to_a_log_that_is_empty(ask):
    (problem,) = ask("leave_hard").problems
    assert problem.details == ("It printed nothing.",)
    assert " log" not in f"{problem.message} {problem.hint}"


def test_a_child_may_do_with_its_output_what_it_likes(ask):
    assert ask("lose_output").result == {"done": True}


def test_the_stage_at_which_a_child_died_is_named(ask):
    (problem,) = ask("kill_self").problems
    assert "writing saved-model" in problem.message


def test_an_exception_is_a_defect_with_its_traceback(ask):
    (problem,) = ask("raise_error").problems
    assert problem.code is ExitCode.UNEXPECTED
    assert problem.message == "RuntimeError: the reason"
    assert any("child_tasks.py" in line for line in problem.details)


def test_a_child_that_hangs_is_killed_with_everything_it_started(ask, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(ask, "hang_with_child", timeout=2.0, fifo=str(fifo))
        assert fifo.read_bytes() == b""  # the end of file comes when the last writer is dead
        (problem,) = future.result().problems
    assert problem.code is ExitCode.CRASH
    assert "took longer than 2 s" in problem.message
    assert ask("echo", work="next").result


def test_a_server_that_died_is_reported_and_replaced(ask):
    before = ask("echo", work="before").result["parent"]
    (problem,) = ask("kill_server").problems
    assert problem.code is ExitCode.CRASH
    assert "process that forks" in problem.message
    assert ask("echo", work="after").result["parent"] != before


def test_children_run_at_once_up_to_the_number_of_jobs(ask, tmp_path):
    """Each opens a fifo that the other one has to open too: alone, neither ends."""
    os.mkfifo(tmp_path / "a")
    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(ask, "meet", work="w", fifo=str(tmp_path / "a"), mode="w")
        reader = pool.submit(ask, "meet", work="r", fifo=str(tmp_path / "a"), mode="r")
        assert writer.result().result
        assert reader.result().result


def test_no_secret_and_no_file_command_reaches_a_child():
    secret = {
        "GITHUB_TOKEN": "1",
        "GH_TOKEN": "1",
        "ACTIONS_RUNTIME_TOKEN": "1",
        "ACTIONS_CACHE_URL": "1",
        "INPUT_GITHUB-TOKEN": "1",
        "AWS_SECRET_ACCESS_KEY": "1",
        "MINIO_ACCESS_KEY": "1",
        "DEPLOY_PAT": "1",
        "GPG_PASSPHRASE": "1",
        "SSH_AUTH_SOCK": "/s",
        "GITHUB_ENV": "/f",
        "GITHUB_PATH": "/f",
    }
    kept = variables("keras-3", secret | {"HOME": "/h", "GITHUB_SHA": "abc", "PATH": "/p"})
    assert not secret.keys() & kept.keys()
    assert kept["PATH"] == "/p"
    assert kept["HOME"] == "/h"
    assert kept["GITHUB_SHA"] == "abc"
    assert kept["TF_USE_LEGACY_KERAS"] == "0"
    assert variables("keras-2", {})["TF_USE_LEGACY_KERAS"] == "1"


@pytest.mark.parametrize(
    ("task", "timeout", "signal", "exit_code", "timed_out"),
    [
        ("echo", 60.0, None, 0, False),
        ("segfault", 60.0, 11, None, False),
        ("leave_hard", 60.0, None, 5, False),
        ("hang", 2.0, 9, None, True),
    ],
)
def test_a_spawned_child_ends_as_a_forked_one(
    tmp_path, task, timeout, signal, exit_code, timed_out
):
    request = Request(task=f"child_tasks:{task}", arguments={}, work=tmp_path, timeout=timeout)
    ended = Spawner(tmp_path).run(request, variables("keras-3", ENVIRON))
    assert (ended.signal, ended.exit_code, ended.timed_out) == (signal, exit_code, timed_out)
    assert ended.peak_rss > 1 << 20
    assert (tmp_path / "result.json").exists() == (exit_code == 0)


def test_a_timeout_is_one_though_the_child_is_gone_before_the_timer_is_done(tmp_path, monkeypatch):
    gone, kill = threading.Event(), children._kill

    def kill_and_linger(process):
        kill(process)
        gone.wait()

    monkeypatch.setattr(children, "_kill", kill_and_linger)
    request = Request(task="child_tasks:hang", arguments={}, work=tmp_path, timeout=2.0)
    ended = Spawner(tmp_path).run(request, variables("keras-3", ENVIRON))
    gone.set()
    assert (ended.signal, ended.timed_out) == (9, True)


def test_closing_ends_spawned_children_and_what_they_started(tmp_path, monkeypatch):
    def cannot_fork(*_):
        raise CannotFork("no reason")

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    request = Request(
        task="child_tasks:hang_with_child",
        arguments={"fifo": str(fifo)},
        work=tmp_path / "work",
        timeout=30.0,
    )
    supervisor = Supervisor(jobs=1, folder=tmp_path, environ=ENVIRON)
    monkeypatch.setattr(supervisor, "_server", cannot_fork)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(supervisor.run, "keras-3", request)
        with fifo.open("rb") as opened:
            supervisor.close()
            assert opened.read() == b""
        (problem,) = future.result().problems
    assert problem.message == "The run was stopped."
    (again,) = supervisor.run("keras-3", request).problems
    assert again.message == "The run was stopped."


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ModuleNotFoundError('No module', name='tensorflow')", "ckpt-action[tensorflow]"),
        ("raise ImportError('bad ABI', name='tensorflow')", "bad ABI"),
    ],
)
def test_a_tensorflow_that_cannot_be_imported_is_an_environment_problem(tmp_path, code, says):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "tensorflow.py").write_text(code)
    environ = ENVIRON | {"PYTHONPATH": str(tmp_path / "path")}
    request = Request(task="child_tasks:echo", arguments={}, work=tmp_path / "w", timeout=60)
    with contextlib.closing(Supervisor(jobs=1, folder=tmp_path, environ=environ)) as supervisor:
        (problem,) = supervisor.run("keras-3", request).problems
    assert problem.code is ExitCode.ENVIRONMENT
    assert says in str(problem)


def test_a_large_child_waits_for_room_and_one_alone_never_waits():
    gate = Gate(2, budget=10)
    with ThreadPoolExecutor(1) as pool:
        with gate.room(99):
            second = pool.submit(lambda: gate.room(1).__enter__())
            with pytest.raises(FutureTimeout):
                second.result(timeout=0.2)
        second.result(timeout=60)
    gate = Gate(2, budget=10)
    with gate.room(4), gate.room(6):
        pass


def test_a_child_that_the_kernel_killed_for_memory_is_told_from_one_that_somebody_killed(
    ask, monkeypatch
):
    kills = iter((3, 4))
    monkeypatch.setattr(supervising, "oom_kills", lambda: next(kills))
    (problem,) = ask("kill_self").problems
    assert "the kernel ran out of memory" in problem.message
    assert "--jobs 1" in problem.hint


def test_a_server_that_may_not_fork_answers_so_and_the_child_is_spawned(tmp_path):
    """A thread more, as a module would leave that starts one when it is imported."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "tf_keras.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    environ = ENVIRON | {"PYTHONPATH": f"{tmp_path / 'path'}{os.pathsep}{ENVIRON['PYTHONPATH']}"}
    request = Request(task="child_tasks:echo", arguments={}, work=tmp_path / "w", timeout=60)
    with contextlib.closing(Supervisor(jobs=1, folder=tmp_path, environ=environ)) as supervisor:
        supervisor.run("keras-2", request)
        answer = supervisor.run("keras-2", request)
        (note,) = supervisor.notes
        assert "not be forked" in note.message
        assert "more than one thread" in note.message
        server = supervisor._servers["keras-2"]
        assert server.greeting()["threads"] > 1
        with pytest.raises(CannotFork, match="more than one thread"):
            server.run(request)
    assert answer.result["parent"] == os.getpid()
