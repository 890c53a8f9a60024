# SPDX-License-Identifier: GPL-2.0-or-later
"""addr2line.py - what binutils says about a frame, for check.py.

	elf = Elf("/tmp/bugon-cache/x86-6.12/vmlinux")
	elf.want("ksys_write", 0x130, 0x240, True)
	elf.resolve()
	elf.answers("ksys_write", 0x130, 0x240, True)
	[[("ksys_write", "fs/read_write.c", 736)]]

A frame may have several answers: a symbol that exists twice with the same
size, and a return address at offset 0 (the call before it does not return, so
the address is already in the next function: addr2line is asked for both).
The symbol table comes from objdump, the lines from one addr2line process per
section; nothing here shares code with bugon.
"""
import collections
import os
import re
import subprocess

SYMBOL = re.compile(r"^([0-9a-f]+) (.{7}) (\S+)\t([0-9a-f]+)\s+(?:\.hidden )?"
                    r"(\S+)$")
PLACE = re.compile(r"^(.*):(\d+|\?)(?: \(discriminator \d+\))?$")


def output(*argv, data=None):
    return subprocess.run(argv, input=data, stdout=subprocess.PIPE, text=True,
                          check=True, errors="replace").stdout


class Elf:
    def __init__(self, path, relocatable=False):
        self.path = path
        self.relocatable = relocatable
        self.symbols = collections.defaultdict(list)
        self.data = set()
        self.asked = collections.defaultdict(set)
        self.places = {}
        self.read_symbols()
        self.source = self.source_dir()

    def read_symbols(self):
        """Functions: what kallsyms knows in the sections that hold code."""
        headers = output("objdump", "-h", self.path)
        code = set(re.findall(r"^ *\d+ (\S+) .*\n.*\bCODE\b", headers, re.M))
        sections = collections.defaultdict(list)
        for line in output("objdump", "-t", self.path).splitlines():
            m = SYMBOL.match(line)
            if not m or m[3].startswith("*") or "d" in m[2]:
                continue
            if m[3] not in code:
                self.data.add(m[5])
                continue
            if m[5].startswith((".L", "L0", "$")):
                continue  # not in kallsyms (kernel/module/kallsyms.c)
            sections[m[3]].append((int(m[1], 16), int(m[4], 16), m[5]))
        for section, symbols in sections.items():
            symbols.sort()
            following = None
            for i in range(len(symbols) - 1, -1, -1):
                addr, st_size, name = symbols[i]
                if i + 1 < len(symbols) and symbols[i + 1][0] != addr:
                    following = symbols[i + 1][0]
                # The size a kernel prints: up to the next symbol.
                size = following - addr if following else None
                self.symbols[name].append((section, addr, size, st_size))

    def source_dir(self):
        """The directory of the source tree, which reports leave out."""
        if self.relocatable:
            info = output("readelf", "--debug-dump=info", self.path)
            return re.search(r"DW_AT_comp_dir.*: (/\S+)", info)[1]
        _, addr, _, _ = self.symbols["start_kernel"][0]
        place = output("addr2line", "-e", self.path, hex(addr))
        return place[:place.index("/init/main.c")]

    def candidates(self, function, size):
        known = self.symbols.get(function, [])
        exact = [s for s in known if s[2] == size]
        # The last symbol of a section ends at its (aligned) end.
        return exact or [s for s in known if s[3] == size or s[2] is None]

    def addresses(self, function, offset, size, is_return):
        for section, addr, _, _ in self.candidates(function, size):
            at = addr + offset
            if not is_return:
                yield section, at
            elif offset == 0:
                yield section, at
                if at:
                    yield section, at - 1
            else:
                yield section, at - 1

    def want(self, function, offset, size, is_return):
        """Note an address; False if there is no such symbol."""
        found = list(self.addresses(function, offset, size, is_return))
        for section, at in found:
            self.asked[section if self.relocatable else ""].add(at)
        return bool(found)

    def resolve(self):
        for section, asked in self.asked.items():
            todo = sorted(a for a in asked if (section, a) not in self.places)
            argv = ["addr2line", "-f", "-i", "-a", "-e", self.path]
            if section:
                argv += ["-j", section]
            text = output(*argv, data="".join(f"{a:#x}\n" for a in todo))
            self.parse(section, text)
        self.asked.clear()

    def parse(self, section, text):
        chain = None
        function = None
        for line in text.splitlines():
            if re.match(r"^0x[0-9a-f]+$", line):
                chain = []
                self.places[section, int(line, 16)] = chain
                function = None
            elif function is None:
                function = line
            else:
                m = PLACE.match(line)
                number = 0 if m[2] == "?" else int(m[2])
                if number and m[1] != "??":
                    chain.append((function, self.relative(m[1]), number))
                function = None

    def relative(self, path):
        path = os.path.normpath(path)
        if path.startswith(self.source + "/"):
            return path[len(self.source) + 1:]
        return path

    def answers(self, function, offset, size, is_return):
        """Every acceptable chain [(function, file, line)...], innermost first;
        [] when nothing is known about the frame."""
        chains = []
        for section, at in self.addresses(function, offset, size, is_return):
            key = section if self.relocatable else ""
            chain = self.places.get((key, at))
            if chain is not None and chain not in chains:
                chains.append(chain)
        return chains
