#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon run without shared memory: serial.py BUGON

Needs the kernels of ../shared/kernel; what is absent is left out, and without
any it exits with 77.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from vmtest import SYS, check, kernel, opened, provoke, skip

BUGON = os.path.abspath(sys.argv[1])
TITLE = "KASAN: slab-use-after-free Read in lkdtm_READ_AFTER_FREE"
PROGRAM = ("r0 = memfd_create(&AUTO='x\\x00', 0x0)\n"
           "write(r0, &AUTO='%s', 0x%x)\n"
           "lseek(r0, 0x0, 0x0)\n"
           'read(r0, &AUTO=""/100000, 0x186a0)\n' +
           opened("/dev/ttyS1", "0x2") + opened("/nowhere"))


def bugon(*args):
    start = time.time()
    r = subprocess.run([BUGON, "run", "--json", "--descriptions", SYS, *args], text=True,
                       capture_output=True, timeout=200)
    if r.returncode:
        sys.exit(f"{args}: {r.stderr}")
    runs = json.loads(r.stdout)
    print(f"# {runs[0]['machine']}: {time.time() - start:.1f} s")
    return runs


def calls_are_right(run):
    rets = [c["ret"] for c in run["calls"]]
    errs = [c["errno"] for c in run["calls"]]
    return (rets[1] == rets[3] > 0 and errs[5] == 2 and
            all(c["pcs"] > 20 for c in run["calls"]))


def program(size):
    with open("a.prog", "w") as f:
        f.write(PROGRAM % ("0123456789abcdef" * (size // 16), size))


def machine(name, *args):
    runs = bugon(*args, "--repeat", "2", "a.prog", "crash.prog")
    check(f"{name}: link", all(x["link"] == "serial line" for x in runs))
    check(f"{name}: calls", all(map(calls_are_right, runs[::2])))
    check(f"{name}: no line for programs", runs[0]["calls"][4]["errno"] == 2)
    check(f"{name}: crashes",
          [[c["title"] for c in x["crashes"]] for x in runs] ==
          [[], [TITLE]] * 2)


def main():
    uml, bz = kernel("uml-6.17/linux"), kernel("x86-6.12/bzImage")
    x86 = bz and shutil.which("qemu-system-x86_64")
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        with open("crash.prog", "w") as f:
            f.write(provoke())
        if uml:
            program(80000) # more than a frame holds
            machine("uml", "--kernel", uml, "--link", "serial")
        if x86:
            program(8000) # a UART under TCG is slow
            machine("x86", "--kernel", bz, "--link", "serial", "--accel",
                    "tcg")
            # A guest that does not see the device chooses by itself.
            run, = bugon("--kernel", bz, "--accel", "tcg", "--cmdline",
                         "pci=off", "a.prog")
            check("no PCI", run["link"] == "serial line", calls_are_right(run))
        os.chdir("/")
    if not uml and not x86:
        skip("no kernels in ../shared/kernel")


main()
