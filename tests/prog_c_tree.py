#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""C of whole trees of programs: gcc -Wall has nothing to say about it.

    prog_c_tree.py BUGON DESCRIPTIONS PROGRAMS [COMPILER [FLAG...]]

PROGRAMS is a directory.  Every tenth program is compiled with -O2, which finds
more; the others are only checked.  Programs that have no C form because of
pseudo-system-calls that bugon does not know are counted.
"""
import concurrent.futures
import os
import subprocess
import sys

program, descriptions, where = sys.argv[1:4]
compiler = sys.argv[4:] or ['gcc']
if not os.path.isdir(where) or not os.path.isdir(descriptions):
    print(f'skipped: no {where}')
    sys.exit(77)


def check(job):
    """What is wrong with a program's C: (name, kind or None, text)."""
    i, name = job
    for flags in ([], ['--times', '2', '--threads']) if i % 10 == 0 else ([],):
        c = subprocess.run([program, 'prog', 'c', '-d', descriptions, '--print'
                            if not flags else flags[0], *flags[1:], '--repair',
                            f'{where}/{name}'], capture_output=True)
        if c.returncode:
            text = c.stderr.decode(errors='replace')
            kind = 'no C' if 'cannot be written in C' in text else 'refused'
            return name, kind, text
        how = ['-O2', '-c', '-o', '/dev/null'] if i % 10 == 0 else [
            '-fsyntax-only']
        cc = subprocess.run([*compiler, '-Wall', *how, '-x', 'c', '-'],
                            input=c.stdout, capture_output=True)
        if cc.returncode or cc.stderr:
            return name, 'warning', cc.stderr.decode(errors='replace')
    return name, None, ''


names = sorted(n for n in os.listdir(where)
               if os.path.isfile(f'{where}/{n}') and
               not n.endswith(('.txt', '.const', '.list', '.md')))
counts = {}
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for name, kind, text in pool.map(check, enumerate(names)):
        counts[kind] = counts.get(kind, 0) + 1
        if kind:
            print(f'{name}: {kind}: {text[:1500]}')
print(f'# {len(names)} programs, {counts.get(None, 0)} without a warning, '
      f'{counts.get("warning", 0)} with, {counts.get("refused", 0)} refused, '
      f'{counts.get("no C", 0)} without a C form')
sys.exit(not names or 'warning' in counts or 'refused' in counts)
