#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon symbolize as a user meets it: symbolize.py BUGON"""
import os
import select
import subprocess
import sys
import tempfile

BUGON = os.path.abspath(sys.argv[1])
SOURCE = """volatile int sink;
__attribute__((noinline, used)) int victim(void)
{
	return sink * 3;
}
int main(void) { return victim(); }
"""


def bugon(*args, stdin=""):
    return subprocess.run([BUGON, "symbolize", *args], input=stdin, text=True,
                          capture_output=True, timeout=60)


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


def build(d):
    with open(f"{d}/x.c", "w") as f:
        f.write(SOURCE)
    subprocess.run("cc -g -O2 -o vmlinux x.c && mkdir -p mods/deep && "
                   "cc -g -O2 -c -o mods/deep/my-mod.ko x.c",
                   shell=True, check=True, cwd=d)
    sizes = {}
    for f in "vmlinux", "mods/deep/my-mod.ko":
        out = subprocess.run(["nm", "-S", f], cwd=d, check=True, text=True,
                             capture_output=True).stdout
        sizes[f] = [int(line.split()[1], 16) for line in out.splitlines()
                    if line.endswith(" victim")][0]
    return sizes["vmlinux"], sizes["mods/deep/my-mod.ko"]


def streams(frame, want):
    """A line is answered while the pipe stays open."""
    p = subprocess.Popen([BUGON, "symbolize", "-k", "vmlinux"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(3):
        p.stdin.write(frame.encode() + b"\n half")
        p.stdin.flush()
        ready, _, _ = select.select([p.stdout], [], [], 30)
        check("answered at once", ready)
        check("with the line", p.stdout.readline() == want.encode() + b"\n")
        p.stdin.write(b" a line\n")
        p.stdin.flush()
        check("then the rest", p.stdout.readline() == b" half a line\n")
    # a prompt has no end of line, and nothing follows it
    p.stdin.write(b"host login: ")
    p.stdin.flush()
    check("a prompt is passed on", select.select([p.stdout], [], [], 10)[0],
          os.read(p.stdout.fileno(), 100) == b"host login: ")
    p.stdin.write(frame.encode() + b"\n")
    p.stdin.flush()
    check("what follows it is answered",
          p.stdout.readline() == want.encode() + b"\n")
    p.stdin.close()
    check("ends with its input", p.wait(30) == 0)


def bad_reads(want):
    """A log whose reading fails keeps nobody from the others."""
    r = bugon("-k", "vmlinux", "one", "/proc/self/mem", "one")
    check("read error", r.returncode == 1, len(r.stderr.splitlines()) == 1,
          "/proc/self/mem: Input/output error" in r.stderr,
          r.stdout == f"{want}\n{want}\n")


def misuse(frame):
    r = bugon(stdin=frame)
    check("no --vmlinux", r.returncode == 2, "--vmlinux" in r.stderr,
          not r.stdout)
    check("unknown option", bugon("--nope").returncode == 2)
    for name, word in (("none", "no such file"), ("mods", "is a directory"),
                       ("x.c", "is not an ELF file"),
                       ("/dev/null", "regular file")):
        r = bugon("-k", name, stdin=frame)
        check(f"--vmlinux {name}", r.returncode == 1, word in r.stderr,
              len(r.stderr.splitlines()) == 1, not r.stdout)
    r = bugon("-k", "vmlinux", "none", "one", "mods")
    check("no log", r.returncode == 1, "none: no such file" in r.stderr,
          "mods: is a directory" in r.stderr,
          r.stdout == f"{frame} x.c:4\n")
    r = bugon("-k", "vmlinux", "-m", "none", stdin=frame)
    check("no modules", r.returncode == 1, "none" in r.stderr)
    with open("/dev/full", "w") as full:
        r = subprocess.run([BUGON, "symbolize", "-k", "vmlinux"], stdout=full,
                           stderr=subprocess.PIPE, input=frame, text=True)
    check("full disk", r.returncode == 1, "No space left" in r.stderr)


def main():
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        size, mod_size = build(d)
        frame = f"RIP: 0010:victim+0x0/{size:#x}"
        want = f"{frame} x.c:4"
        r = bugon("--vmlinux", "vmlinux", stdin=f"a\n{frame}\nb")
        check("standard input", r.returncode == 0, not r.stderr,
              r.stdout == f"a\n{want}\nb")
        with open("one", "w") as f:
            f.write(frame + "\n")
        r = bugon("one", "-k", "vmlinux", "one", stdin="not read")
        check("files", r.stdout == f"{want}\n{want}\n", r.returncode == 0)
        r = bugon("-k", "vmlinux", "one", "-", "one", stdin="in\n")
        check("- is the standard input", r.returncode == 0,
              r.stdout == f"{want}\nin\n{want}\n")
        r = bugon("-k", "vmlinux", stdin=want + "\n" + want + "\n")
        check("twice", r.stdout == f"{want}\n{want}\n")
        mod = f" victim+0x0/{mod_size:#x}"
        r = bugon("-k", "vmlinux", "-m", "mods", stdin=f"{mod} [my_mod]\n")
        check("module", r.stdout == f"{mod} x.c:4 [my_mod]\n", not r.stderr)
        r = bugon("-k", "vmlinux", stdin=f"{mod} [my_mod]\n")
        check("module without a directory", r.returncode == 0,
              r.stdout == f"{mod} [my_mod]\n", "my_mod" in r.stderr)
        r = bugon("-k", "vmlinux", stdin=" victim+0x0/0x7770\n" * 3)
        check("another build", r.returncode == 0, r.stderr ==
              "bugon symbolize: vmlinux is of another build: 3 of 3 frames "
              "do not match\n")
        streams(frame, want)
        bad_reads(want)
        misuse(frame)


main()
