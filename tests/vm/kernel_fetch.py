#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel of Debian's, fetched and booted: kernel_fetch.py BUGON

From nothing to the first executed program. Needs apt, its lists, the archive
(30 MB) and QEMU; else exit 77.
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from vmtest import SYS, opened

BUGON = os.path.abspath(sys.argv[1])
PROGRAM = opened("/dev/null", "0x2", "r0") + "write(r0, &AUTO='ab', 0x2)\n"


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def cpu_s():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def bugon(*args):
    return subprocess.run([BUGON, *args], text=True, capture_output=True,
                          timeout=600)


def main():
    if not shutil.which("apt-get") or not shutil.which("qemu-system-x86_64"):
        skip("needs apt and qemu-system-x86_64")
    with tempfile.TemporaryDirectory() as tmp:
        os.environ["XDG_CACHE_HOME"] = tmp
        os.environ.pop("BUGON_KERNELS", None)
        r = bugon("kernel", "fetch", "cloud")
        if r.returncode == 77 or "downloading" in r.stderr:
            skip(r.stderr.strip())
        assert r.returncode == 0, r.stderr
        kernels = json.loads(bugon("kernel", "list", "--json").stdout)
        assert len(kernels) == 1, kernels
        with open(f"{tmp}/open.prog", "w") as f:
            f.write(PROGRAM)
        start, cpu = time.monotonic(), cpu_s()
        r = bugon("run", "-d", SYS, "-k", "auto", "-a", "tcg", f"{tmp}/open.prog")
        wall, cpu = time.monotonic() - start, cpu_s() - cpu
        assert r.returncode == 0, r.stderr
        assert "-> 3, 0 PCs" in r.stdout and "-> 2, 0 PCs" in r.stdout, r
        print(f"{kernels[0]['name']}: first program after {wall:.1f} s, "
              f"{cpu:.1f} s of CPU time; the target is 10 s")
        # Others may use this machine, too: what counts is our own time.
        assert cpu < 10 or wall < 10


main()
