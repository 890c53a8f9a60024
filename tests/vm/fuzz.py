#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon fuzz in User Mode Linux: corpus, crash, figures, signals.

    fuzz.py BUGON

A seed program makes LKDTM crash the kernel: the bug has to be in the store,
with its report and program, once for all its crashes.  Exit 77 without
../shared/kernel.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from vmtest import bugon, check, children, kernel, provoke, skip

TITLE = "KASAN: slab-use-after-free Read in lkdtm_READ_AFTER_FREE"
program = os.path.abspath(sys.argv[1])
uml = kernel("uml-6.17/linux")
if not uml:
    skip("no UML kernel in ../shared/kernel")
# Few calls, so that little is found by chance; none that could crash it.
FUZZ = ["fuzz", "--kernel", uml, "--vms", "2", "--seed", "5", "--enable",
        "open$dir", "--enable", "openat", "--enable", "write", "--enable", "close", "--enable",
        "pipe2", "--enable", "eventfd2", "--enable", "getpid"]

with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    with open("crash.prog", "w") as f:
        f.write(provoke())
    r = bugon(program, *FUZZ, "--time", "8", "--bench", "b.json",
              "--seed-program", "crash.prog")
    check(f"fuzz {r.stderr}", r.returncode == 0)
    check("prints the crash", f"TITLE: {TITLE}" in r.stdout,
          "(" in r.stdout.split("\nPROGRAM")[1].split("\n", 1)[1])
    with open("b.json") as f:
        last = [json.loads(line) for line in f][-1]
    check(f"figures {last}", last["execs"] > 50, last["corpus"] > 5,
          last["covered"] > 500, last["bugs"] >= 1)
    bugs = json.loads(bugon(program, "bugs", "--json").stdout)
    found = [b for b in bugs if b["title"] == TITLE]
    check(f"bugs {bugs}", len(found) == 1 == len(bugs),
          found[0]["crashes"] >= 1)
    number = str(found[0]["bug"])
    r = bugon(program, "bug", number)
    check("bug", r.stdout.startswith(TITLE), "\nPROGRAM (" in r.stdout)
    kept = json.loads(bugon(program, "bug", number, "--json").stdout)["kept"]
    r = bugon(program, "crash", str(kept[0]["crash"]))
    check("crash", "BUG: KASAN: slab-use-after-free" in r.stdout,
          "\nLOG:\n" in r.stdout)
    # Which one it was is not known, only that it is one of the last.
    check("the program is among them",
          any("provoke-crash" in k["programs_before"] + k["program"]
              for k in kept))
    r = bugon(program, "bug", "4711")
    check("no such bug", r.returncode == 1, "no bug 4711" in r.stderr)

    stat = json.loads(bugon(program, "corpus", "stat", "--json",
                            "bugon-work").stdout)
    check(f"corpus {stat}", stat["programs"] >= last["corpus"])

    r = bugon(program, *FUZZ, "--time", "4", "--seed-program", "crash.prog",
              "--disable", "write", "--workdir", "other")
    check("what is disabled is not in seeds either", r.returncode == 0,
          r.stdout == "")

    p = subprocess.Popen([program, *FUZZ], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    guests = children(p.pid)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=30)
    check(f"SIGINT ends it {err}", p.returncode == 0, guests,
          not any(os.path.exists(f"/proc/{g}/exe") for g in guests))
    r = bugon(program, *FUZZ[:5], "--enable", "nothing_like_it")
    check("no calls", r.returncode == 2, "no calls are left" in r.stderr)
