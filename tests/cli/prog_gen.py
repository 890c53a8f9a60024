#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon prog gen, mutate, minimize: prog_gen.py BUGON ROOT"""
import os
import subprocess
import sys
import tempfile

bugon, root = sys.argv[1:]
failed = 0


def check(what, ok, text=""):
    global failed
    print(("ok" if ok else "not ok") + f" - {what}")
    if not ok:
        failed += 1
        print(text)


def prog(*args, text=None):
    return subprocess.run([bugon, "prog", *args], input=text, text=True,
                          capture_output=True)


def names(text):
    calls = [line.split("(")[0].split("= ")[-1]
             for line in text.splitlines() if line and line[0] != "#"]
    return [c.split("$")[0] for c in calls]


a, b, c = (prog("gen", "--seed", s, "--count", "20") for s in "778")
check("gen", a.returncode == 0 and a.stdout.count("# program") == 20, a.stderr)
check("the same seed, the same programs", a.stdout == b.stdout)
check("another seed, others", a.stdout != c.stdout)
with tempfile.TemporaryDirectory() as d:
    out = prog("gen", "--count", "50", "--calls", "6", "--out", d)
    files = sorted(os.listdir(d))
    check("files of their own", len(files) == 50, out.stderr)
    again = prog("fmt", *(f"{d}/{f}" for f in files))
    check("all of which are strictly programs", again.returncode == 0,
          again.stderr)
    check("in canonical form", again.stdout ==
          "".join(open(f"{d}/{f}").read() for f in files))
out = prog("gen", "--count", "20", "--enable", "socket$inet_*",
           "--enable", "bind$inet")
check("only what is enabled", out.returncode == 0 and
      set(names(out.stdout)) <= {"socket", "bind"}, out.stdout + out.stderr)
out = prog("gen", "--enable", "nothing_like_it")
check("nothing enabled", out.returncode == 2 and "no call" in out.stderr,
      out.stderr)

one = prog("gen", "--seed", "3", "--calls", "12").stdout
m1, m2 = (prog("mutate", "--seed", "5", "--count", "10", "-", text=one)
          for _ in range(2))
check("mutate", m1.returncode == 0 and m1.stdout.count("# program") == 10,
      m1.stderr)
check("the same mutants again", m1.stdout == m2.stdout)
check("they differ from the program", m1.stdout.count(one) < 5)

TEXT = r"""r0 = openat(0xffffffffffffff9c, &(0x7f0000000000)='./file0\x00', 0x42, 0x1ff)
pipe2(&(0x7f0000000080), 0x800)
write(r0, &(0x7f0000000040)="010203", 0x3)
close(r0)
"""
out = prog("minimize", "--check", "grep ^write", "-", text=TEXT)
check("minimize to the call that matters", out.returncode == 0 and
      names(out.stdout) == ["write"], out.stdout + out.stderr)
out = prog("minimize", "--check", "false", "-", text=TEXT)
check("a command that never agrees", out.returncode == 1 and
      "as it is" in out.stderr, out.stderr)
out = prog("minimize", "-", text=TEXT)
check("no command", out.returncode == 2, out.stderr)
sys.exit(failed != 0)
