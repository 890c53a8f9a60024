# SPDX-License-Identifier: GPL-2.0-or-later
"""vmtest.py - what the tests of bugon run share (imported)."""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SYS = os.path.normpath(f"{HERE}/../sys")  # descriptions for programs of tests


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what, flush=True)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def opened(path, flags="0x0", result=None):
    """A line that opens a file of the guest."""
    return (f"{result} = " if result else "") + (
        f"openat(0xffffffffffffff9c, &AUTO='{path}\\x00', {flags}, 0x1a4)\n")


def provoke(what="READ_AFTER_FREE"):
    """A program that has LKDTM crash the kernel."""
    return (opened("/sys/kernel/debug/provoke-crash/DIRECT", "0x1", "r0") +
            f"write(r0, &AUTO='{what}', 0x{len(what):x})\n")


def bugon(program, *args, env=None, timeout=120, **kw):
    if args[0] == "run":
        args = ("run", "--descriptions", SYS, *args[1:])
    return subprocess.run([program, *args], text=True, capture_output=True,
                          timeout=timeout, env={**os.environ, **(env or {})},
                          **kw)


def kernel(name):
    """Where a file of ../shared/kernel is, unpacked; None without."""
    r = subprocess.run([f"{HERE}/../kernel-file.sh", name], text=True,
                       stdout=subprocess.PIPE)
    return r.stdout.strip() if r.returncode == 0 else None


def children(pid):
    """The tree below pid, whatever became of the parents later."""
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                for child in map(int, f.read().split()):
                    out += [child] + children(child)
    except FileNotFoundError:
        pass
    return out


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_gone(pids, seconds=10):
    end = time.time() + seconds
    while any(map(alive, pids)) and time.time() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))
