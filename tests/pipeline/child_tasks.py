"""What children are asked to do in the supervisor's tests: every way of not finishing."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

from ckpt_action.errors import ExitCode, fail


def echo(arguments, work):
    print("echo was here")
    return {"arguments": dict(arguments), "pid": os.getpid(), "parent": os.getppid()}


def environ(arguments, work):
    return {"environ": dict(os.environ)}


def oom_score(arguments, work):
    return {"adjusted": int(Path("/proc/self/oom_score_adj").read_text())}


def segfault(arguments, work):
    print("about to fall", flush=True)
    ctypes.string_at(0)


def abort(arguments, work):
    print("Check failed: 1 == 2", flush=True)
    os.abort()


def kill_self(arguments, work):
    (work / "stage").write_text("writing saved-model")
    os.kill(os.getpid(), signal.SIGKILL)


def terminate_self(arguments, work):
    os.kill(os.getpid(), signal.SIGTERM)


def raise_error(arguments, work):
    raise RuntimeError("the reason")


def refuse(arguments, work):
    for number in range(40):
        print(f"step {number}")
    print("E0000 cuda_platform.cc:52] failed call to cuInit: INTERNAL")
    raise fail(ExitCode.REBUILD, "No such layer.", details=["the table"])


def leave(arguments, work):
    sys.exit(3)


def leave_hard(arguments, work):
    os._exit(5)


def lose_output(arguments, work):
    sys.stdout = None
    sys.stderr.close()
    return {"done": True}


def hang(arguments, work):
    threading.Event().wait()


def hang_with_child(arguments, work):
    """Waits for a process of its own that never ends; that one holds a fifo open for writing."""
    with Path(arguments["fifo"]).open("w") as fifo:
        waiting = "import threading; threading.Event().wait()"
        subprocess.run([sys.executable, "-c", waiting], stdout=fifo, check=True)


def eat_memory(arguments, work):
    limit = 4 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return {"bytes": len(bytearray(64 << 30))}


def eat_tensor(arguments, work):
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")


def kill_server(arguments, work):
    os.kill(os.getppid(), signal.SIGKILL)
    threading.Event().wait()


def threads(arguments, work):
    from ckpt_action.engine.server import threads as count

    return {"threads": count()}


def late_imports(arguments, work):
    from ckpt_action.engine.targets import registry

    before = set(sys.modules)
    registry()
    return {"modules": sorted(set(sys.modules) - before)}


def compute(arguments, work):
    import tensorflow as tf

    return {"sum": float(tf.reduce_sum(tf.ones([64, 64]) @ tf.ones([64, 64])))}


def meet(arguments, work):
    with Path(arguments["fifo"]).open(arguments["mode"]):
        return {"met": True}
