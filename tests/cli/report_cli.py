#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bugon report as a user meets it: report_cli.py BUGON ROOT"""
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

BUGON, ROOT = map(os.path.abspath, sys.argv[1:3])
CRASH = """[    1.000000] BUG: KASAN: use-after-free in {0}+0x1/0x2
[    1.000000] Read of size 8 at addr ffff888000000000 by task x/1
[    1.000000] Call Trace:
[    1.000000]  {0}+0x1/0x2
[    1.000000]  main+0x1/0x2
"""
TITLE = "KASAN: use-after-free Read in "


def bugon(*args, stdin=b"", **more):
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    r = subprocess.run([BUGON, "report", *args], input=stdin, timeout=60, **more)
    r.titles = [line[7:] for line in (r.stdout or b"").decode().split("\n")
                if line.startswith("TITLE: ")]
    r.said = (r.stderr or b"").decode().splitlines()
    return r


def check(what, *conditions):
    if not all(conditions):
        sys.exit(f"{what}: {conditions}")
    print("ok", what)


def write(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def bad_files():
    r = bugon("missing.log")
    check("missing file", r.returncode == 1, not r.stdout, len(r.said) == 1,
          "missing.log" in r.said[0])
    r = bugon("missing.log/deeper")
    check("a file as a directory", r.returncode == 1, len(r.said) == 1)
    r = bugon(".")
    check("directory", r.returncode == 1, len(r.said) == 1,
          "directory" in r.said[0])
    write("empty.log", "")
    r = bugon("empty.log")
    check("empty file", r.returncode == 1, not r.stdout, len(r.said) == 1,
          "empty.log: is empty" in r.said[0])
    r = bugon("--json", "empty.log")
    check("empty file, JSON", r.returncode == 1, json.loads(r.stdout) == [])
    write("secret.log", CRASH.format("f"))
    os.chmod("secret.log", 0)
    os.chmod(".", 0o755)
    nobody = {"user": 65534} if os.geteuid() == 0 else {}
    try:
        r = bugon("secret.log", "empty.log", **nobody)
        check("unreadable file", r.returncode == 1, len(r.said) == 2,
              "secret.log" in r.said[0], "empty.log" in r.said[1])
    except PermissionError:
        print("skip unreadable file: nobody may not run bugon here")
    write("garbage.log", random.Random(1).randbytes(1 << 20))
    r = bugon("garbage.log")
    check("garbage", r.returncode == 0, not r.titles, not r.stderr)
    write("nul.log", b"\0" * 100000 + b"\n" + CRASH.format("f").encode())
    check("NUL bytes", bugon("nul.log").titles == [TITLE + "f"])


def several_files():
    write("a.log", CRASH.format("a"))
    write("b.log", CRASH.format("b1") + CRASH.format("b2"))
    r = bugon("a.log", "missing.log", ".", "b.log")
    check("the others are processed", r.returncode == 1, len(r.said) == 2,
          r.titles == [TITLE + f for f in ("a", "b1", "b2")])
    r = bugon("--json", "missing.log", "b.log")
    check("JSON, too", r.returncode == 1,
          [o["title"] for o in json.loads(r.stdout)] ==
          [TITLE + "b1", TITLE + "b2"])
    r = bugon("--first", "a.log", "b.log")
    check("--first of each", r.returncode == 0,
          r.titles == [TITLE + "a", TITLE + "b1"])
    r = bugon("--all", "b.log")
    check("--all", r.titles == [TITLE + "b1", TITLE + "b2"])
    # all text of one report lies within its offsets
    data = open("b.log", "rb").read()
    for o in json.loads(bugon("--json", "b.log").stdout):
        part = data[o["start"]:o["end"]]
        check("offsets", part.startswith(b"[    1.000000] BUG: KASAN"),
              o["frame"].encode() in part, part.endswith(b"main+0x1/0x2"))


def usage():
    for args in (["--first", "--all"], ["--nonsense"], ["-x"], ["--json=1"]):
        r = bugon(*args, "a.log")
        check("usage: " + " ".join(args), r.returncode == 2, not r.stdout,
              len(r.said) == 1)
    r = bugon("--", "a.log")
    check("-- ends the options", r.titles == [TITLE + "a"])


def standard_input():
    text = CRASH.format("f").encode()
    check("standard input", bugon(stdin=text).titles == [TITLE + "f"])
    check("-", bugon("-", stdin=text).titles == [TITLE + "f"])
    r = bugon("a.log", "-", stdin=text)
    check("- among files", r.titles == [TITLE + "a", TITLE + "f"])
    r = bugon(stdin=text[:-1])
    check("no newline at the end", r.titles == [TITLE + "f"])
    r = subprocess.run([BUGON, "report", "-"], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60)
    check("nothing on standard input", r.returncode == 0, not r.stdout)
    r = subprocess.run(["sh", "-c", 'exec "$0" report - <&-', BUGON],
                       capture_output=True, timeout=60)
    check("closed standard input", r.returncode == 1, r.stderr)


def read_until(pipe, what, seconds):
    """What comes from `pipe` until it holds `what`, in that time."""
    got, end = b"", time.monotonic() + seconds
    while what not in got and time.monotonic() < end:
        if select.select([pipe], [], [], 0.1)[0]:
            data = os.read(pipe.fileno(), 65536)
            if not data:
                break
            got += data
    return got


def following():
    run = subprocess.Popen([BUGON, "report"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    for name in ("first", "second"):
        run.stdin.write(CRASH.format(name).encode() + b"[    1.000000] half a l")
        run.stdin.flush()
        got = read_until(run.stdout, b"main", 8)
        check("printed after silence: " + name,
              (TITLE + name).encode() in got, run.poll() is None)
        run.stdin.write(b"ine\n")
        run.stdin.flush()
    run.stdin.close()
    check("and nothing twice", run.stdout.read().count(b"TITLE") == 0,
          run.wait(10) == 0)
    run = subprocess.Popen([BUGON, "report", "--first"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    run.stdin.write(CRASH.format("only").encode())
    run.stdin.flush()
    check("--first does not wait for the end", run.wait(10) == 0,
          (TITLE + "only").encode() in run.stdout.read())
    # chatter keeps nobody from it: less than a minute of it is too little to
    # tell by the text alone that the report is over
    run = subprocess.Popen([BUGON, "report"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    got, start = b"", time.monotonic()
    run.stdin.write(CRASH.format("f").encode())
    for n in range(14):
        run.stdin.write(f"[    2.{n:06}] all is well\n".encode())
        run.stdin.flush()
        got += read_until(run.stdout, b"TITLE", 0.5)
        if got:
            break
    check("printed in spite of chatter", TITLE.encode() in got,
          run.poll() is None, 1 < time.monotonic() - start)
    run.stdin.close()
    check("once", b"TITLE" not in run.stdout.read(), run.wait(10) == 0)
    # one that is over is printed while the console goes on
    run = subprocess.Popen([BUGON, "report"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    got = b""
    for n in range(3000):
        line = CRASH.format("f") if n == 10 else f"[    2.{n:06}] all is well\n"
        run.stdin.write(line.encode())
        run.stdin.flush()
        if n % 100 == 0:
            got += read_until(run.stdout, b"TITLE", 0.001)
    got += read_until(run.stdout, b"TITLE", 1.5)
    check("printed while the log goes on", TITLE.encode() in got)
    run.stdin.close()
    run.wait(10)


def bad_output():
    many = b"".join(CRASH.format(f"f{n}").encode() for n in range(5000))
    for args in ([], ["--json"], ["--first"]):
        with open("/dev/full", "wb") as full:
            r = bugon(*args, stdin=many, stdout=full)
        check("full disk " + " ".join(args), r.returncode == 1,
              len(r.said) == 1, "No space left" in r.said[0])
    run = subprocess.Popen([BUGON, "report"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    try:
        run.stdin.write(many)
        run.stdin.close()
    except BrokenPipeError:
        pass
    check("broken pipe", run.wait(20) in (-signal.SIGPIPE, 1),
          len(run.stderr.read().splitlines()) <= 1)


# A read() of standard input that delivers a few bytes, then an error.
SHIM = """
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>
ssize_t read(int fd, void *to, size_t n)
{
	static ssize_t (*next)(int, void *, size_t);
	static int calls;

	if (!next)
		next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
	if (fd == 0 && ++calls == 2) {
		errno = ERROR;
		return -1;
	}
	return next(fd, to, fd == 0 && n > 200 ? 200 : n);
}
"""


def read_errors():
    """What was read is not lost; /dev/kmsg goes on behind what it dropped."""
    write("shim.c", SHIM)
    log = (CRASH.format("f") + CRASH.format("g")).encode()
    for error, titles, lines in (("EIO", ["f"], 1), ("EPIPE", ["f", "g"], 0)):
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", f"-DERROR={error}",
                        "-o", "./shim.so", "shim.c", "-ldl"], check=True)
        env = {**os.environ, "LD_PRELOAD": os.path.abspath("shim.so")}
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        r = bugon("-", "a.log", stdin=log, env=env)
        check("read error " + error, r.returncode == (1 if lines else 0),
              r.titles == [TITLE + f for f in titles + ["a"]], len(r.said) == lines,
              not lines or "standard input: Input/output error" in r.said[0])


def unknown_module():
    """No file is blamed for a module whose frames have no source lines."""
    log = (b"BUG: unable to handle page fault for address: ffffed1000000000\n"
           b"RIP: 0010:crash_here+0x11/0x20%s\nCall Trace:\n"
           b" crash_here+0x11/0x20%s\n"
           b" vfs_write+0x2b4/0xec0 fs/read_write.c:681\n")
    for known, want in (b"", ""), (b" drivers/x/y.c:1", "drivers/x/y.c"):
        tail = known + b" [mod]"
        r = bugon("--json", stdin=log % (tail, tail))
        check("module with %r" % known,
              [x["guilty_file"] for x in json.loads(r.stdout)] == [want])


def formats():
    """One row for each example; what --explain says is the same."""
    golden = os.path.join(ROOT, "tests/golden/report")
    examples = {name[:-4] for name in os.listdir(golden) if name.endswith(".log")
                and not name.startswith(("extra-", "none-"))}
    rows = json.loads(bugon("--formats", "--json").stdout)
    check("formats: JSON", len(rows) == len(examples) > 100,
          {x["id"] for x in rows} == examples,
          all(x["title"] and x["doc"] for x in rows))
    r = bugon("--formats")
    lines = r.stdout.decode().splitlines()
    check("formats: table", r.returncode == 0, not r.stderr,
          [re.split("  +", line) for line in lines]
          == [[x["id"], x["title"], x["doc"]] for x in rows])
    r = bugon("--formats", "a.log")
    check("formats: no FILE", r.returncode == 2, not r.stdout, len(r.said) == 1)
    docs = {x["id"]: x["doc"] for x in rows}
    r = bugon("--explain", stdin=CRASH.format("f").encode())
    check("explain: doc",
          f"\nformat kasan\nmeaning {docs['kasan']}\n" in r.stdout.decode())


def main():
    with tempfile.TemporaryDirectory() as tmp:
        os.chdir(tmp)
        bad_files()
        several_files()
        usage()
        standard_input()
        following()
        bad_output()
        read_errors()
        unknown_module()
        formats()
        os.chdir("/")


if __name__ == "__main__":
    main()
