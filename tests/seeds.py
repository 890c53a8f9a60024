#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The five documents in ../shared/seeds: titles, files, disassembly.

usage: seeds.py BUGON SEEDS_DIR; exits 77 when the seeds are not there.
Also takes the symbols out again: the raw log must have the same title.
"""
import glob
import json
import os
import re
import subprocess
import sys

WANT = {
    '000': ('kernel BUG in __bch2_btree_node_write', 'fs/bcachefs/btree_io.c'),
    '001': ('KASAN: slab-use-after-free Read in bch2_direct_write', 'fs/bcachefs/fs-io-direct.c'),
    '002': ('BUG: unable to handle kernel paging request in bch2_copygc', 'fs/bcachefs/movinggc.c'),
    '003': ('kernel BUG in ext4_get_group_info', 'fs/ext4/mballoc.c'),
    '004': ('general protection fault in __io_queue_sqe', 'fs/io_uring.c'),
}
RULE = '\n----------------\n'


def reports(bugon, text):
    out = subprocess.run([bugon, 'report', '--json'], input=text.encode(), check=True,
                         capture_output=True).stdout
    return json.loads(out)


def raw(text):
    """The log as the kernel printed it: no inlined callers, no source lines."""
    lines = [l for l in text.split('\n') if not l.endswith('[inline]')]
    return '\n'.join(re.sub(r'(\+0x[0-9a-f]+/0x[0-9a-f]+) \S+:\d+$', r'\1', l) for l in lines)


def check(bugon, name, text):
    title, path = WANT[name]
    if name == '004':
        text = text[text.index('\ncrash: '):].split('\n', 2)[2]
    body, rule, block = text.partition(RULE)
    found = reports(bugon, text)
    problems = []
    if [(r['title'], r['guilty_file']) for r in found] != [(title, path)]:
        problems.append('found %r' % [(r['title'], r['guilty_file']) for r in found])
    if found and found[0]['corrupted']:
        problems.append('corrupted: ' + found[0]['corrupted_reason'])
    # five lines before the headline are kept, all that follows is
    if found and not text.strip().endswith(found[0]['report'].strip()):
        problems.append('the text is not that of the seed')
    again = reports(bugon, body + '\n')
    if again[0]['disassembly'].strip() != (rule + block).strip():
        problems.append('disassembly:\n' + again[0]['disassembly'])
    if rule and again[0]['report'] != found[0]['report']:
        problems.append('the report does not end in the disassembly')
    plain = reports(bugon, raw(body) + '\n')
    if [r['title'] for r in plain] != [title]:
        problems.append('raw title %r' % [r['title'] for r in plain])
    if any(f['file'] for f in plain[0]['frames']):
        problems.append('the raw log still has symbols')
    if plain[0]['key'] != found[0]['key']:
        problems.append('raw key differs')
    return problems


def main():
    bugon, seeds = sys.argv[1:3]
    if not os.path.isdir(seeds):
        print('SKIP: no seeds at', seeds)
        return 77
    bad = 0
    for name in sorted(WANT):
        with open(glob.glob(os.path.join(seeds, name + '_*'))[0]) as f:
            problems = check(bugon, name, f.read())
        bad += bool(problems)
        print(name, *(problems or ['ok']), sep='\n\t' if problems else ' ')
    return bad != 0


if __name__ == '__main__':
    sys.exit(main())
