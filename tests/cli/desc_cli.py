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
            ("show", "-d", "."), ("fmt",), ("const", "good.txt"), \
            ("const", "-k", "/x"), ("const", "-k", d, "--headers", d, "x"), \
            ("const", "--headers", d, "-a", "z80", "good.txt"):
        r = bugon(*args)
        check(f"usage {args}", r.returncode == 2, r.stderr, not r.stdout)
    r = bugon("check", "-d", d + "/nowhere")
    check("no directory", r.returncode == 1, "nowhere" in r.stderr)
    r = bugon("check", "-d", d)
    check("an empty directory", r.returncode == 1, "no *.txt" in r.stderr)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


BOX_H = """
struct box { long a; char b; };
struct bad { nosuch_t a; char b[7]; };
enum box_kind { BOX_LOW = -3, BOX_NEXT };
#define BOX_SET _IOW('b', 1, struct box)
#define BOX_BAD_SIZE sizeof(struct bad)
#define BOX_NR 0x10
#ifdef __x86_64__
#define BOX_64 1
#endif
"""
IOCTL_H = """
#define _IOW(t, nr, type) (1u << 30 | sizeof(type) << 16 | (t) << 8 | (nr))
"""
BOX_TXT = """include <uapi/box.h>
include <nowhere.h>

define BOX_BOTH	BOX_NR | 1

resource fd[int32]: BOX_LOW

box$open(a const[BOX_BOTH]) fd
box$set(fd fd, a const[BOX_SET], b ptr[in, box], c flags[box_flags])
box$other(fd fd, a const[BOX_BAD_SIZE], b const[BOX_64], c const[BOX_MISSING])

box {
	f0	array[int8, BOX_NR]
}

box_flags = BOX_NEXT, BOX_NR
"""

def value_of(text, name):
    return [l.split(" = ")[1] for l in text.splitlines()
            if l.startswith(name + " = ")]


def consts(d):
    """Values come from headers; what is not sure of them is not told."""
    write(f"{d}/inc/box.h", BOX_H)
    write(f"{d}/inc/linux/ioctl.h", IOCTL_H)
    write(f"{d}/inc/asm/unistd.h", "#define __NR_box 77\n")
    write(f"{d}/sys/box.txt", BOX_TXT)
    write(f"{d}/sys/none.txt", "meta noextract\n\nbox$none(a const[X])\n")
    r = bugon("const", "--headers", f"{d}/inc", "-a", "amd64,386",
              f"{d}/sys/box.txt", f"{d}/sys/none.txt")
    if "apt install clang" in r.stderr:
        print("no clang")
        return
    check("const: what is written", r.stdout == f"{d}/sys/box.txt.const\n",
          r.returncode == 1, not os.path.exists(f"{d}/sys/none.txt.const"))
    for said in "no header <nowhere.h>", "nosuch_t", "no value of BOX_SET", \
            "no value of BOX_BAD_SIZE", "no value of BOX_MISSING":
        check(f"const: said: {said}", said in r.stderr)
    with open(f"{d}/sys/box.txt.const") as f:
        text = f.read()
    for name, value in ("arches", "amd64, 386"), ("BOX_64", "1, 386:???"), \
            ("BOX_BAD_SIZE", "???"), ("BOX_BOTH", "17"), \
            ("BOX_LOW", "18446744073709551613"), ("BOX_NR", "16"), \
            ("BOX_NEXT", "18446744073709551614"), ("__NR_box", "77"):
        check(f"const: {name}", value_of(text, name) == [value])

    write(f"{d}/inc/box.h", BOX_H.replace("nosuch_t", "int"))
    write(f"{d}/sys/box.txt", BOX_TXT.replace("include <nowhere.h>\n", "")
          .replace(", c const[BOX_MISSING]", "")
          .replace(", b const[BOX_64]", ""))
    r = bugon("const", "--headers", f"{d}/inc", "-a", "386,amd64",
              "-d", f"{d}/sys")
    check("const: nothing to say", r.returncode == 0, r.stderr == "")
    with open(f"{d}/sys/box.txt.const") as f:
        text = f.read()
    check("const: sizes", value_of(text, "BOX_SET") ==
          ["1074815489, 386:1074291201"],
          value_of(text, "BOX_BAD_SIZE") == ["12"])
    r = bugon("const", "--headers", f"{d}/inc", "-a", "386,amd64",
              "-d", f"{d}/sys")
    check("const: nothing to do", r.returncode == 0, r.stdout == "")
    r = bugon("check", f"{d}/sys/box.txt", f"{d}/sys/box.txt.const")
    check("const: checks", r.returncode == 0)
    r = bugon("const", "-k", d, "-d", f"{d}/sys")
    check("const: no kernel", r.returncode == 1, "not the source tree" in
          r.stderr)


def main():
    checks()
    with tempfile.TemporaryDirectory() as d:
        usage(d)
        for f in "good.txt", "good.txt.const":
            os.symlink(os.path.join(os.path.abspath(GOLDEN), f), f"{d}/{f}")
        shows(d)
    with tempfile.TemporaryDirectory() as d:
        formats(d)
    with tempfile.TemporaryDirectory() as d:
        consts(d)


main()
