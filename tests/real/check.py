#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py [--show] [KIND...] - are the reports of our own crashes right?

For every tests/golden/real/KIND.log (a raw console log, see make-logs.sh)
bugon report is run with and without the kernel's debug information, and

- the titles must be those of KIND.want, and the same both times;
- every frame that is not a guess must have the file, the line and the chain
  of inline callers that addr2line prints for its address;
- the frames of KIND.want must be there, so that a report without any frame,
  or an addr2line without an answer, does not pass.

--show prints, instead, addr2line's answers for the frames of the logs, in the
form of .want: how a new .want is begun. Environment: BUGON, the program.
Exit status: 0, 1 when something is wrong, 77 when it cannot be checked here.

KIND.want, line by line:
	kernel DIR		the kernel, in ../shared/kernel
	title TEXT		one per report, in order; none: no crash
	more			further reports may follow
	frame [FUNC FILE:LINE [inline]|FUNC+0xOFF/0xSIZE FILE:LINE]
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # do not litter the source tree
from addr2line import Elf

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
GOLDEN = os.path.join(ROOT, "tests", "golden", "real")
KERNELS = os.path.join(ROOT, "..", "shared", "kernel")
CACHE = "/tmp/bugon-cache"
DEBUG_FILE = {"x86-6.12": "vmlinux", "uml-6.17": "linux",
              "debug-6.12": "vmlinux"}
FRAME = re.compile(r"([A-Za-z_][\w.]*)\+0x([0-9a-f]+)/0x([0-9a-f]+)"
                   r"(?: \[(\w+)(?: [0-9a-f]+)?\])?")
# Program counters; every other address is one behind a call.
EXACT = re.compile(r"(?:\bRIP: \w+:|\bIP: |WARNING: CPU: .* at \S+:\d+ )"
                   + FRAME.pattern)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def unpack(kernel):
    """The kernel's debug file; None if it was not built here
    (make-debug-kernel.sh)."""
    r = subprocess.run(
        [os.path.join(ROOT, "tests", "kernel-file.sh"),
         f"{kernel}/{DEBUG_FILE[kernel]}"],
        stdout=subprocess.PIPE, text=True, check=False)
    return r.stdout.strip() if r.returncode == 0 else None


def same_build(kernel, vmlinux, log):
    """Is this the kernel of the log?  One built here need not be: its traces
    have the build ID."""
    if not kernel.startswith("debug"):
        return True
    notes = subprocess.run(["readelf", "-n", vmlinux], stdout=subprocess.PIPE,
                           text=True, check=True).stdout
    m = re.search(r"Build ID: (\w+)", notes)
    return bool(m) and m[1] in log


class Want:
    def __init__(self, path):
        self.kernel = None
        self.titles = []
        self.more = False
        self.groups = []  # physical frames, each with its inline ones before
        group = []
        with open(path, encoding="utf-8") as f:
            for line in f:
                word, _, rest = line.rstrip("\n").partition(" ")
                if word == "kernel":
                    self.kernel = rest
                elif word == "title":
                    self.titles.append(rest)
                elif word == "more":
                    self.more = True
                elif word == "frame":
                    group.append(rest)
                    if not rest.endswith(" [inline]"):
                        self.groups.append(group)
                        group = []
                elif word and not word.startswith("#"):
                    sys.exit(f"{path}: what is {word!r}?")


def frame_text(frame):
    """A frame of bugon's JSON in the form of .want."""
    if frame["inline"]:
        return f"{frame['function']} {frame['file']}:{frame['line']} [inline]"
    return (f"{frame['function']}+{number(frame['offset']):#x}/"
            f"{number(frame['size']):#x} {frame['file']}:{frame['line']}")


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def physical(report):
    """(chain, frame) of every physical frame that is no guess."""
    chain = []
    for frame in report.get("frames") or []:
        if frame["inline"]:
            chain.append(frame)
            continue
        if not frame["guess"]:
            yield chain, frame
        chain = []


class Checker:
    def __init__(self, bugon, modules):
        self.bugon = bugon
        self.modules = modules
        self.elves = {}
        self.failures = 0
        self.no_module = set()  # logs in which it was wrong
        self.frames = self.inlines = self.unknown = self.raw_only = 0

    def fail(self, kind, text):
        self.failures += 1
        print(f"{kind}: {text}")

    def module_dir(self, kernel):
        """Where its bugs.ko is."""
        if kernel.startswith("debug"):
            return os.path.join(CACHE, kernel)
        return self.modules

    def elf(self, kernel, module):
        key = kernel, module or ""
        if module not in (None, "", "bugs"):
            return None
        if key not in self.elves:
            path = unpack(kernel)
            if module:
                path = os.path.join(self.module_dir(kernel), "bugs.ko")
            self.elves[key] = Elf(path, bool(module))
        return self.elves[key]

    def run(self, kind, log, *options):
        done = subprocess.run([self.bugon, "report", "--json", *options, log],
                              stdout=subprocess.PIPE, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            self.fail(kind, f"no JSON, exit status {done.returncode}")
            return None

    def titles(self, kind, want, reports, how):
        got = [r["title"] for r in reports]
        expected = want.titles
        if want.more:
            got = got[:len(expected)]
        if got != expected:
            self.fail(kind, f"titles {how}: {got}, not {expected}")

    def wanted_frames(self, kind, want, reports):
        have = [frame_text(f) for r in reports[:1] for f in r["frames"]]
        for group in want.groups:
            n = len(group)
            if not any(have[i:i + n] == group for i in range(len(have))):
                near = [h for h in have if h.split()[0] in group[-1]]
                self.fail(kind, f"no frames {group}, but {near}")

    def queries(self, kernel, log, frame):
        """How to ask for a frame: [(elf, (function, offset, size, return))].
        Two, if it is both the interrupted place and a caller."""
        text = f"{frame['function']}+{number(frame['offset']):#x}"
        pcs = {f"{m[1]}+0x{m[2]}" for m in EXACT.finditer(log)}
        rest = EXACT.sub("", log)
        ways = [False] if text in pcs else []
        if text + "/" in rest or not ways:
            ways.append(True)
        elf = self.elf(kernel, module_of(frame, log))
        return [(elf, (frame["function"], number(frame["offset"]),
                       number(frame["size"]), way)) for way in ways if elf]

    def compare(self, kind, kernel, log, chain, frame):
        got = [(f["function"], f["file"], f["line"]) for f in chain]
        got.append((frame["function"], frame["file"], frame["line"]))
        answers = []
        queries = self.queries(kernel, log, frame)
        for elf, query in queries:
            answers += elf.answers(*query)
        if any(frame["function"] in elf.data for elf, _ in queries):
            self.unknown += 1  # where EXEC_DATA jumped to
            return
        module = module_of(frame, log)
        if (frame["module"] or "") != module and kind not in self.no_module:
            self.no_module.add(kind)
            self.fail(kind, f"{frame['function']}: module "
                            f"{frame['module']!r}, not {module!r}")
        self.frames += 1
        self.inlines += len(chain)
        if not any(answers):
            self.unknown += 1
            if not frame["line"] and not chain:
                return
        if not any(same(got, a) for a in answers):
            self.fail(kind, f"{frame['function']}+{frame['offset']}: "
                            f"{got}, addr2line: {answers}")

    def check(self, kinds):
        work = []
        for kind in kinds:
            base = os.path.join(GOLDEN, kind)
            want = Want(base + ".want")
            raw = self.run(kind, base + ".log")
            if raw is not None:
                self.titles(kind, want, raw, "of the raw log")
            with open(base + ".log", encoding="utf-8", errors="replace") as f:
                log = f.read()
            vmlinux = unpack(want.kernel)
            if not vmlinux or not same_build(want.kernel, vmlinux, log):
                self.raw_only += 1
                continue
            reports = self.run(kind, base + ".log", "--vmlinux", vmlinux,
                               "--module-dir", self.module_dir(want.kernel))
            if reports is None:
                continue
            self.titles(kind, want, reports, "with --vmlinux")
            self.wanted_frames(kind, want, reports)
            for report in reports:
                for chain, frame in physical(report):
                    for elf, query in self.queries(want.kernel, log, frame):
                        elf.want(*query)
                    work.append((kind, want.kernel, log, chain, frame))
        for elf in self.elves.values():
            elf.resolve()
        for item in work:
            self.compare(*item)

    def show(self, kind):
        with open(os.path.join(GOLDEN, kind + ".log"), encoding="utf-8",
                  errors="replace") as f:
            log = f.read()
        kernel = kernel_of(kind)
        print(f"kernel {kernel}")
        seen = set()
        for m in FRAME.finditer(log):
            before = log[log.rfind("\n", 0, m.start()) + 1:m.start()]
            if m[0] in seen or before.endswith("? "):
                continue
            seen.add(m[0])
            frame = {"function": m[1], "offset": int(m[2], 16),
                     "size": int(m[3], 16), "module": m[4]}
            for elf, query in self.queries(kernel, log, frame):
                elf.want(*query)
                elf.resolve()
                for chain in elf.answers(*query):
                    show_chain(m, chain)


def module_of(frame, log):
    """The module a frame is in, according to the log itself."""
    text = (f"{frame['function']}+{number(frame['offset']):#x}/"
            f"{number(frame['size']):#x}")
    m = re.search(re.escape(text) + r" \[(\w+)", log)
    return m[1] if m else ""


def same(got, answer):
    """Are the chains equal?  The name of the physical function (the last) is
    the log's: one of several names of its address, so it is not compared.  A
    source outside of the kernel's tree (the module's) may be shortened."""
    if len(got) != len(answer):
        return False
    if [g[0] for g in got[:-1]] != [a[0] for a in answer[:-1]]:
        return False
    for (_, file, line), (_, a_file, a_line) in zip(got, answer):
        if line != a_line or not file:
            return False
        if file != a_file and not (a_file.startswith("/") and
                                   a_file.endswith("/" + file)):
            return False
    return True


def show_chain(m, chain):
    for function, file, line in chain[:-1]:
        print(f"frame {function} {file}:{line} [inline]")
    for _, file, line in chain[-1:]:
        print(f"frame {m[1]}+0x{m[2]}/0x{m[3]} {file}:{line}")


def kernel_of(kind):
    with open(os.path.join(HERE, "kinds.txt"), encoding="utf-8") as f:
        for line in f:
            fields = line.split()
            if fields and fields[0] == kind:
                return fields[1]
    sys.exit(f"{kind} is not in kinds.txt")


def unpack_module(directory):
    with open(os.path.join(directory, "bugs.ko"), "wb") as f:
        subprocess.run(["xz", "-dc", os.path.join(HERE, "bugs.ko.xz")],
                       stdout=f, check=True)


def main(args):
    if not os.path.isdir(KERNELS):
        skip("no ../shared/kernel")
    for tool in ("addr2line", "objdump", "readelf", "xz"):
        if not shutil.which(tool):
            skip(f"no {tool}: apt-get install binutils xz-utils")
    show = args[:1] == ["--show"]
    kinds = args[1:] if show else args
    kinds = kinds or sorted(f[:-5] for f in os.listdir(GOLDEN)
                            if f.endswith(".want"))
    with tempfile.TemporaryDirectory() as modules:
        unpack_module(modules)
        bugon = os.environ.get("BUGON") or os.path.join(ROOT, "build", "bugon")
        checker = Checker(bugon, modules)
        if show:
            for kind in kinds:
                checker.show(kind)
            return 0
        checker.check(kinds)
    print(f"{len(kinds)} logs, {checker.frames} frames and {checker.inlines} "
          f"inline callers compared with addr2line ({checker.unknown} unknown "
          f"to it), {checker.raw_only} logs without it, "
          f"{checker.failures} failures")
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
