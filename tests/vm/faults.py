#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What bugon run survives: faults.py BUGON FAULTS

Machines killed, guests that hang, flood the console or overwrite the shared
memory, full disks: one clear diagnosis each, nothing left behind, and the next
run works.  FAULTS is the static program of faults.c.  FLOOD_MIB=1024 floods
more than the usual 24 MiB.  Exit 77 without the kernels of ../shared/kernel.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import vmtest
from vmtest import SYS, all_gone, check, children, kernel, skip

BUGON, FAULTS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def run(image, *args, **kw):
    return vmtest.bugon(BUGON, "run", "--kernel", image, *args, **kw)


def last_line(text):
    return text.strip().splitlines()[-1]


def machine_of(pid, name):
    """The process that boots a kernel below pid, or None."""
    for child in children(pid):
        try:
            with open(f"/proc/{child}/cmdline") as f:
                words = f.read().split("\0")
            if name in words[0] and any("rdinit=" in w for w in words):
                return child
        except FileNotFoundError:
            pass
    return None


def killed(image, name, delays):
    """The machine dies by somebody's hand, at any moment."""
    for delay in delays:
        p = subprocess.Popen(
            [BUGON, "run", "--kernel", image, "--shell", FAULTS, "hang"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.time() + 30
        while not machine_of(p.pid, name) and time.time() < end:
            time.sleep(0.01)
        time.sleep(delay)
        tree = children(p.pid)
        os.kill(machine_of(p.pid, name), 9)
        out, err = p.communicate(timeout=60)
        check(f"{name} killed after {delay} s: {last_line(err)}",
              "killed" in last_line(err), p.returncode in (0, 1),
              all_gone(tree))


def garbage(image):
    r = run(image, "--json", "--repeat", "2", "--shell", FAULTS, "garbage")
    runs = json.loads(r.stdout)
    check(f"shared memory overwritten: {runs[0]['result']}",
          r.returncode == 0, len(runs) == 2,
          all("nonsense" in x["result"] for x in runs))


def lockup(image, vmlinux, words):
    r = run(image, "--vmlinux", vmlinux, "--timeout", "2", "--shell", FAULTS,
            "lockup")
    check(f"interrupts off: {last_line(r.stderr)}", r.returncode == 0,
          "the guest hangs" in r.stderr, "DIAGNOSIS:" in r.stdout,
          "TITLE:" not in r.stdout, words in r.stdout)


def peak_kib(pid):
    """The most memory the process ever had; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return max([int(line.split()[1]) for line in f
                        if line.startswith("VmHWM:")] or [0])
    except FileNotFoundError:
        return 0


def flood(image):
    mib = int(os.environ.get("FLOOD_MIB", "24"))
    start, peak = time.time(), 0
    with open("out", "w+b") as out, open("err", "w+b") as err:
        p = subprocess.Popen([BUGON, "run", "--kernel", image, "--timeout",
                              "3600", "--shell", FAULTS, "flood", str(mib)],
                             stdout=out, stderr=err)
        while p.poll() is None:
            peak = max(peak, peak_kib(p.pid))
            time.sleep(0.01)
        out.seek(0)
        err.seek(0)
        print(f"# {mib} MiB in {time.time() - start:.0f} s, bugon's peak "
              f"{peak >> 10} MiB")
        kept = out.read()
        check("flood", p.returncode == 0, len(kept) < 8 << 20,
              b" bytes dropped]" in kept, 0 < peak < 64 << 10,
              b"exited with status 0" in err.read())


def full_disk(image):
    with open("/dev/full", "w") as full:
        r = subprocess.run([BUGON, "run", "--kernel", image, "--shell", FAULTS,
                            "flood", "1"], text=True, stdout=full,
                           stderr=subprocess.PIPE)
    check(f"no room for the output: {last_line(r.stderr)}", r.returncode == 1,
          "No space left" in last_line(r.stderr))
    with open("a.prog", "w") as f:
        f.write("getpid()\n")
    r = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", BUGON, "run", "-d", SYS,
                        "--kernel", image, "--repeat", "5", "a.prog"],
                       text=True, stderr=subprocess.PIPE)
    check("standard output closed", r.returncode == 1,
          "Bad file descriptor" in last_line(r.stderr),
          r.stderr.count("ran to its end") == 5)
    r = run(image, "--cover", "/dev/full", "a.prog")
    check(f"no room for the coverage: {last_line(r.stderr)}",
          r.returncode == 1, "/dev/full" in last_line(r.stderr))


def main():
    uml, x86 = kernel("uml-6.17/linux"), kernel("x86-6.12/bzImage")
    if not uml or not x86:
        skip("no kernels in ../shared/kernel")
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        killed(uml, "linux", (0, 0.1, 0.2, 1))
        garbage(uml)
        lockup(uml, uml, "lkdtm_HARDLOCKUP+0x")
        flood(uml)
        full_disk(uml)
        if shutil.which("qemu-system-x86_64"):
            killed(x86, "qemu", (0, 1, 8))
            garbage(x86)
            lockup(x86, kernel("x86-6.12/vmlinux"),
                   "lkdtm_HARDLOCKUP+0x11/0x20 drivers/misc/lkdtm/bugs.c:")
        else:
            print("skipped: no QEMU")
        os.chdir("/")


main()
