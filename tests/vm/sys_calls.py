#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call of sys/linux is answered: sys_calls.py BUGON [DESCRIPTIONS]

Runs the programs of tests/sys in User Mode Linux, and those with calls that it
does not answer again in QEMU.  A variant is answered when some program's call
of it ended in another way than "no such thing": ENOSYS, EINVAL, ENODEV,
ENOTTY, EOPNOTSUPP, or not called or not returned at all.  EBADF is a poor
answer: what makes the descriptor failed.  It is good enough, but QEMU is asked,
too.  Fails for a variant without an answer that ../sys/missing.list does not
explain, and for one that it explains and that has an answer, not a poor one.  `--table` prints every variant with its
answers.  Exit 77 without the kernels and images of ../shared/kernel.
"""
import collections
import errno
import fnmatch
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time

from vmtest import HERE, bugon, check, kernel, skip

NO_ANSWER = {errno.ENOSYS, errno.EINVAL, errno.ENODEV, errno.ENOTTY,
             errno.EOPNOTSUPP}
PROGRAMS = f"{HERE}/../sys"
CALL = re.compile(r"(?:r\d+ = )?([a-z_0-9]+(?:\$\w+)?)\(")


def variants(text):
    """The names of the calls at the beginnings of lines."""
    return {m.group(1) for m in map(CALL.match, text.splitlines()) if m}


def explained():
    """Patterns of variants that no kernel at hand answers."""
    with open(f"{PROGRAMS}/missing.list") as f:
        return [line.split()[0] for line in f
                if line.strip() and not line.startswith("#")]


def images():
    shared = f"{HERE}/../../../shared/kernel/images"
    for name in ("bcachefs-new",):
        if subprocess.run(["zstd", "-dqf", f"{shared}/{name}.img.zst", "-o",
                           f"{name}.img"]).returncode:
            skip("no images or no zstd")
        yield from ("--file", f"{name}.img")


def run_on(program, options, machine, image, programs, answers):
    """Add to answers: variant -> set of (errno name or "OK")."""
    start = time.time()
    r = bugon(program, "run", "--json", "--kernel", image, "--coverage",
              "none", *options, *images(), *programs, timeout=900)
    if r.returncode == 77:
        print(f"skipped: {machine}: {r.stderr}")
        return
    check(f"{machine}: ran {r.stderr}", r.returncode in (0, 1), r.stdout)
    crashes = []
    for run in json.loads(r.stdout):
        crashes += [(run["program"], c) for c in run["crashes"]]
        for c in run["calls"]:
            name = CALL.match(c["call"]).group(1)
            if not c["called"]:
                answer = "not called"
            elif not c["returned"]:
                answer = "not returned"
            else:
                answer = errno.errorcode.get(c["errno"], "OK")
            answers[name].add(answer)
    print(f"# {machine}: {len(programs)} programs, "
          f"{time.time() - start:.1f} s, {len(crashes)} crashes")
    for crash in crashes:
        print("#", crash)


SILENT = {errno.errorcode[e] for e in NO_ANSWER} | {"not called",
                                                    "not returned",
                                                    "ENOTSUP"}


def is_answered(answers):
    return bool(answers - SILENT)


def is_answered_well(answers):
    return bool(answers - SILENT - {"EBADF"})


def main():
    args = [a for a in sys.argv[1:] if a != "--table"]
    program = os.path.abspath(args[0])
    where = os.path.abspath(args[1] if len(args) > 1 else
                            f"{HERE}/../../sys/linux")
    uml, x86 = kernel("uml-6.17/linux"), kernel("x86-6.12/bzImage")
    if not uml or not x86:
        skip("no kernels in ../shared/kernel")
    options = ["--descriptions", where]
    programs = sorted(glob.glob(f"{PROGRAMS}/*.prog"))
    calls = {}
    for path in programs:
        with open(path) as f:
            calls[path] = variants(f.read())
    answers = collections.defaultdict(set)
    missing = explained()

    def unexplained(names, good_enough):
        return {n for n in names if not good_enough(answers[n]) and
                not any(fnmatch.fnmatchcase(n, p) for p in missing)}

    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        run_on(program, options, "uml", uml, programs, answers)
        again = [p for p in programs if unexplained(calls[p], is_answered_well)]
        if again:
            run_on(program, options, "qemu", x86, again, answers)
        os.chdir("/")
    every = set().union(*calls.values())
    if "--table" in sys.argv:
        for name in sorted(every):
            print(name, *sorted(answers[name]))
    silent = {n for n in every if not is_answered(answers[n])}
    ok = {n for n in every if "OK" in answers[n]}
    print(f"# {len(every)} variants, {len(every) - len(silent)} answered, "
          f"{len(ok)} of these with success")
    for name in sorted(unexplained(every, is_answered)):
        print("no answer:", name, *sorted(answers[name]))
    stale = [p for p in missing
             if not any(fnmatch.fnmatchcase(n, p) for n in every
                        if not is_answered_well(answers[n]))]
    check(f"every variant has an answer or a reason {stale}",
          not unexplained(every, is_answered), not stale)


main()
