#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon desc as a user meets it: desc_cli.py BUGON ROOT [--update]

Golden texts are in tests/golden/desc: NAME.txt and what check or show says of
it; --update writes them anew.
"""
import os
import subprocess
import sys
import tempfile

BUGON = os.path.abspath(sys.argv[1])
GOLDEN = os.path.join(sys.argv[2], "tests/golden/desc")
UPDATE = "--update" in sys.argv


def bugon(*args):
    return subprocess.run([BUGON, "desc", *args], capture_output=True,
                          text=True, timeout=120, cwd=GOLDEN)


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


def golden(name, text):
    path = os.path.join(GOLDEN, name)
    if UPDATE:
        with open(path, "w") as f:
            f.write(text)
    with open(path) as f:
        want = f.read()
    if text != want:
        sys.exit(f"{name} is not as it was:\n{text}")
    print("ok", name)


def checks():
    r = bugon("check", "bad.txt")
    golden("bad.want", r.stdout)
    check("errors fail", r.returncode == 1, "errors" in r.stderr)
    r = bugon("check", "good.txt", "good.txt.const")
    check("nothing wrong", r.returncode == 0, r.stdout == "",
          "6 calls on amd64" in r.stderr, "0 errors, 0 warnings" in r.stderr)
    r = bugon("check", "-a", "s390x", "good.txt", "good.txt.const")
    check("what s390x lacks", r.returncode == 0, r.stdout == "",
          "5 calls on s390x (1 not there)" in r.stderr)


def shows(dir):
    for arch in "amd64", "386", "s390x":
        r = bugon("show", "-d", dir, "-a", arch, "box$set", "box$get",
                  "box$attr", "syz_box_image")
        check(f"show on {arch}", r.returncode == 0, r.stderr == "")
        golden(f"good.{arch}.want", r.stdout)
    r = bugon("list", "-d", dir)
    check("list", r.stdout.split() == [
        "box$attr", "box$get", "box$set", "close_box", "open_box",
        "syz_box_image"])
    r = bugon("list", "-d", dir, "box$g", "open")
    check("list some", r.stdout.split() == ["box$get", "open_box"])
    r = bugon("list", "-d", dir, "nothing")
    check("list none", r.returncode == 1, r.stdout == "")
    r = bugon("show", "-d", dir, "box$nothing")
    check("no such call", r.returncode == 1, "box$nothing" in r.stderr)


def formats(d):
    path = f"{d}/f.txt"
    with open(path, "w") as f:
        f.write("foo( a int8 )\ns {\n a int8\n}\n")
    os.chmod(path, 0o640)
    os.symlink("f.txt", f"{d}/link.txt")
    r = bugon("fmt", path)
    check("fmt prints", r.returncode == 0,
          r.stdout == "foo(a int8)\ns {\n\ta\tint8\n}\n")
    r = bugon("fmt", "-w", f"{d}/link.txt")
    with open(path) as f:
        check("fmt -w writes", r.stdout == f"{d}/link.txt\n",
              f.read() == "foo(a int8)\ns {\n\ta\tint8\n}\n",
              os.stat(path).st_mode & 0o777 == 0o640,
              os.path.islink(f"{d}/link.txt"),
              sorted(os.listdir(d)) == ["f.txt", "link.txt"])
    r = bugon("fmt", "-w", path)
    check("nothing to write", r.returncode == 0, r.stdout == "")
    r = bugon("fmt", "good.txt")
    with open(f"{GOLDEN}/good.txt") as f:
        check("canonical stays", r.stdout == f.read())
    with open(path, "w") as f:
        f.write("foo(\n")
    r = bugon("fmt", "-w", path)
    with open(path) as f:
        check("broken stays", r.returncode == 1, f.read() == "foo(\n",
              "f.txt:1:5: error" in r.stderr)


def usage(d):
    for args in (), ("dance",), ("check",), ("check", "-a", "z80", "good.txt"), \
            ("show", "-d", "."), ("fmt",):
        r = bugon(*args)
        check(f"usage {args}", r.returncode == 2, r.stderr, not r.stdout)
    r = bugon("show", "x")
    check("no such call of ours", r.returncode == 1, "no call x" in r.stderr)
    r = bugon("list")
    check("without -d: ours", r.returncode == 0, r.stdout)
    r = bugon("check", "-d", d + "/nowhere")
    check("no directory", r.returncode == 1, "nowhere" in r.stderr)
    r = bugon("check", "-d", d)
    check("an empty directory", r.returncode == 1, "no *.txt" in r.stderr)


def main():
    checks()
    with tempfile.TemporaryDirectory() as d:
        usage(d)
        for f in "good.txt", "good.txt.const":
            os.symlink(os.path.join(os.path.abspath(GOLDEN), f), f"{d}/{f}")
        shows(d)
    with tempfile.TemporaryDirectory() as d:
        formats(d)


main()
