#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Descriptions of syzkaller's, as input: desc_tree.py BUGON DIR

DIR is a copy of a syzkaller tree (sys/linux/*.txt and *.const, and the marked
files of pkg/*/testdata); skipped without it.  There must be no error in the
tree on any architecture, formatting must change nothing, and every line that a
test file marks with ### must have a message.
"""
import glob
import os
import re
import resource
import subprocess
import sys
import tempfile

BUGON = os.path.abspath(sys.argv[1])
DIR = sys.argv[2]
ARCHES = ("amd64", "386", "arm64", "arm", "riscv64", "ppc64le", "mips64le",
          "s390x", "loong64")
# What the test files take for known; they have no .const file.
CONSTS = ("C0 = 0\nC1 = 1\nC2 = 2\nU8_MAX = 255\nU16_MAX = 65535\n"
          "__NR_foo = 1\n__NR_bar = 2\n")
CPU_S_MAX, MEMORY_MB_MAX = 0.5, 100
status = 0


def desc(*args):
    return subprocess.run([BUGON, "desc", *args], capture_output=True,
                          text=True, errors="replace", timeout=300)


def verdict(good, what):
    global status
    status |= not good
    print("ok" if good else "FAILED", what)


def check_tree(tree):
    for arch in ARCHES:
        r = desc("check", "-a", arch, "-d", tree)
        verdict(r.returncode == 0, r.stderr.strip())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    desc("check", "-d", tree)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime -
           before.ru_stime)
    # Sanitizers and busy machines are slower: a figure, not a verdict.
    print(f"   {cpu:.2f} s of CPU (target {CPU_S_MAX}), "
          f"{after.ru_maxrss / 1024:.0f} MB (target {MEMORY_MB_MAX})")


def check_format(tree):
    changed = []
    files = sorted(glob.glob(f"{tree}/*.txt"))
    for f in files:
        with open(f, errors="surrogateescape") as old:
            r = subprocess.run([BUGON, "desc", "fmt", f], text=True,
                               errors="surrogateescape", capture_output=True)
            if r.returncode or r.stdout != old.read():
                changed.append(f)
    verdict(not changed, f"{len(files)} files formatted, changed: {changed}")


def check_marks(path, consts):
    with open(path, errors="replace") as f:
        lines = f.read().split("\n")
    marks = [i + 1 for i, line in enumerate(lines) if "### " in line]
    out = desc("check", path, consts).stdout
    found = {int(n) for n in re.findall(
        rf"(?m)^{re.escape(path)}:(\d+):\d+: (?:error|warning): ", out)}
    missed = [n for n in marks if n not in found]
    verdict(not missed, f"{path}: {len(marks)} marked lines, missed {missed}")


def main():
    tree = f"{DIR}/sys/linux"
    if not os.path.isdir(tree):
        print(f"skipped: no {tree}")
        sys.exit(77)
    check_tree(tree)
    check_format(tree)
    with tempfile.TemporaryDirectory() as d:
        with open(f"{d}/c.const", "w") as f:
            f.write(CONSTS)
        for path in sorted(glob.glob(f"{DIR}/pkg/*/testdata/*.txt")):
            check_marks(path, f"{d}/c.const")
    sys.exit(status)


main()
