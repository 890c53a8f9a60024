#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon prog as a user meets it: prog_cli.py BUGON"""
import json
import os
import subprocess
import sys
import tempfile

BUGON = os.path.abspath(sys.argv[1])

DESCRIPTIONS = """
resource fd[int32]: -1
open(file ptr[in, filename], flags int32) fd
write(f fd, data ptr[in, array[int8]], n len[data])
close(f fd)
"""
CONSTS = "arches = amd64\n__NR_open = 1\n__NR_write = 2\n__NR_close = 3\n"

PROGRAM = """\
# {"Threaded":true}
# requires: manual

r7 = open(&AUTO='./a\\x00', 0102)   # a comment
write(r7, &(0x7f0000000100)="4142", AUTO)
"""
CANONICAL = """\
# {"Threaded":true}
# requires: manual

r0 = open(&(0x7f0000000000)='./a\\x00', 0x42)
write(r0, &(0x7f0000000100)='AB', 0x2)
"""
LISTING = """\
copyin  [0x20000000] = 4 bytes: 2e2f6100
call    r0 = open(&0x20000000, 0x42) number 0x1
copyin  [0x20000100] = 2 bytes: 4142
call    write(r0 or 0xffffffffffffffff, &0x20000100, 0x2) number 0x2
end
"""


def bugon(*args, stdin=None):
    return subprocess.run([BUGON, "prog", *args], capture_output=True,
                          text=True, timeout=60, input=stdin)


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    os.mkdir("sys")
    for name, text in (("sys/a.txt", DESCRIPTIONS), ("sys/a.const", CONSTS),
                       ("a.prog", PROGRAM), ("b.prog", "gone(1)\nclose(2)\n")):
        with open(name, "w") as f:
            f.write(text)

    r = bugon("fmt", "-d", "sys", "a.prog")
    check("fmt", r.returncode == 0, r.stdout == CANONICAL, not r.stderr)
    r = bugon("fmt", "-d", "sys", "-", stdin=CANONICAL)
    check("fmt of stdin changes nothing", r.stdout == CANONICAL)
    r = bugon("fmt", "-d", "sys", "b.prog", "a.prog")
    check("one bad file of two", r.returncode == 1, r.stdout == CANONICAL,
          "b.prog:1:1: unknown call gone" in r.stderr)
    r = bugon("fmt", "--repair", "-d", "sys", "b.prog")
    check("fmt --repair", r.returncode == 0, r.stdout == "close(0x2)\n")
    r = bugon("stat", "-r", "-d", "sys", "a.prog", "b.prog")
    check("stat", r.returncode == 0,
          [line.split() for line in r.stdout.splitlines()] ==
          [["1", "close"], ["1", "open"], ["1", "write"]],
          "2 programs" in r.stderr, "3 calls, 3 different" in r.stderr)
    r = bugon("encode", "-d", "sys", "a.prog")
    check("encode", r.returncode == 0, r.stdout == LISTING, not r.stderr)
    listing = json.loads(bugon("encode", "-j", "-d", "sys", "a.prog").stdout)
    packed = subprocess.run([BUGON, "prog", "encode", "-b", "-d", "sys",
                             "a.prog"], capture_output=True).stdout
    r = bugon("encode", "-x", "-d", "sys", "a.prog")
    check("encode in other forms",
          [x["op"] for x in listing] == [x.split()[0] for x in
                                         LISTING.splitlines()],
          sum(x["bytes"] for x in listing) == len(packed),
          bytes.fromhex(r.stdout) == packed)
    check("encode two forms",
          bugon("encode", "-xj", "-d", "sys", "a.prog").returncode == 2)
    log = ("[   1.0] noise\n1.2 executing program 3:\nr9 = open(&AUTO='a', 0x2)\n"
           "write(r9, &(0x7f0000000100), 0x0)\n[   2.0] noise\n"
           "1.3 executing program 1:\nclose(0x7)\n")
    want = ("executing program 0:\nr0 = open(&(0x7f0000000000)='a', 0x2)\n"
            "write(r0, &(0x7f0000000100), 0x0)\n"
            "executing program 0:\nclose(0x7)\n")
    r = bugon("fmt", "-d", "sys", "-", stdin=log)
    check("a log", r.returncode == 0, r.stdout == want)
    r = bugon("fmt", "-d", "sys", "-", stdin=want)
    check("a log of the log", r.returncode == 0, r.stdout == want)
    r = bugon("fmt", "-d", "sys", "-", stdin=want + "executing program 2:\n"
              "gone(0x1)\n")
    check("one bad program of a log", r.returncode == 1, r.stdout == want,
          "(program 3):1:1: unknown call gone" in r.stderr)
    check("no files", bugon("fmt", "-d", "sys").returncode == 2)
    check("no such file", bugon("fmt", "-d", "sys", "x").returncode == 1)
    check("no such directory",
          bugon("fmt", "-d", "none", "a.prog").returncode == 1)
    check("no such subcommand", bugon("frobnicate").returncode == 2)
    with open("sys/bad.txt", "w") as f:
        f.write("f(a nothing)\n")
    r = bugon("fmt", "-d", "sys", "a.prog")
    check("bad descriptions", r.returncode == 1, "bad.txt:1" in r.stderr)
