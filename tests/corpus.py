#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare `bugon report` with the answers in ../shared/corpus/report.

usage: corpus.py BUGON CORPUS_DIR [NUMBER...]
Exits 0 when every file agrees in every key, those of EXPECTED aside; 1 when
another one differs, or one of these does no more; 77 when the corpus is not
there.
"""
import json
import os
import subprocess
import sys
import tempfile

KEYS = ('TITLE', 'ALT', 'TYPE', 'FRAME', 'CORRUPTED', 'SUPPRESSED', 'PANICKED',
        'EXECUTOR', 'REPORT')

# Where we differ on purpose: the keys, and why.
EXPECTED = {
    '200': (('TITLE', 'ALT', 'CORRUPTED'),
            'two tasks print at once, without callers; the answer gives up at a foreign frame, '
            'we name the function of the RIP line, ip6t_do_table'),
    '242': (('TITLE', 'CORRUPTED'),
            'the alignment trap and the unhandled fault behind it are one report; '
            'its pc line names dup_fd'),
    '246': (('TITLE',),
            'the line says "kernel stack frame pointer ... has bad value" with (ptrval) for the '
            'address; our title is what it says'),
}


def load(path):
    data = open(path, 'rb').read().replace(b'\r', b'')
    head, _, body = data.partition(b'\n\n')
    want = {'ALT': []}
    for line in head.decode().split('\n'):
        if line.startswith('#') or ': ' not in line:
            if not line.startswith('#') and line.rstrip(': ') not in KEYS:
                # no header at all: the file is a log from its first line
                return {'ALT': []}, data
            continue
        key, value = line.split(': ', 1)
        if key == 'ALT':
            want['ALT'].append(value)
        else:
            want[key] = value
    log, mark, text = body.partition(b'\n\nREPORT:\n')
    if mark:
        want['REPORT'] = text.decode('utf-8', 'replace').strip()
        log += b'\n'
    return want, log


def answer(r):
    got = {'TITLE': r['title'], 'ALT': r['alt_titles'], 'FRAME': r['frame'],
           'REPORT': r['report'].strip()}
    if r['type']:
        got['TYPE'] = r['type']
    for key in ('corrupted', 'suppressed', 'panicked'):
        if r[key]:
            got[key.upper()] = 'Y'
    if r['executor']:
        got['EXECUTOR'] = 'proc=%(proc)d, id=%(id)d' % r['executor']
    return got


def differences(want, reports):
    """A list of "KEY: how"."""
    if not want.get('TITLE'):
        return ['TITLE: found %r where there is no crash' % r['title'] for r in reports]
    if not reports:
        return ['TITLE: no crash found']
    got = answer(reports[0])
    out = []
    for key in KEYS:
        if key in ('FRAME', 'REPORT') and key not in want:
            continue
        if key == 'REPORT' and want[key] != got[key]:
            a, b = want[key].split('\n'), got[key].split('\n')
            n = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            out.append('REPORT: line %d: want %r, got %r' %
                       (n + 1, a[n:n + 1], b[n:n + 1]))
        elif want.get(key) != got.get(key):
            out.append('%s: want %r, got %r%s' %
                       (key, want.get(key), got.get(key),
                        ' (%s)' % reports[0]['corrupted_reason'] if key == 'CORRUPTED' else ''))
    return out


def main():
    bugon, corpus = sys.argv[1:3]
    if not os.path.isdir(corpus):
        print('SKIP: no corpus at', corpus)
        return 77
    names = sys.argv[3:] or sorted(os.listdir(corpus), key=int)
    bad = wrong = 0
    for name in names:
        want, log = load(os.path.join(corpus, name))
        run = subprocess.run([bugon, 'report', '--json', '-'], input=log, capture_output=True)
        if run.returncode:
            diff = ['exit status %d: %s' % (run.returncode, run.stderr.decode())]
        else:
            diff = differences(want, json.loads(run.stdout))
        keys, why = EXPECTED.get(name, ((), None))
        if diff:
            bad += 1
            print(name + ':', *diff, sep='\n\t')
        if tuple(d.split(':')[0] for d in diff) != keys:
            wrong += 1
            print('\tFAILED: expected to differ in %s' % (' '.join(keys) or 'nothing'))
        elif why:
            print('\tas expected:', why)
    good = len(names) - bad
    print('%d of %d agree (%.1f %%), %d not as expected' %
          (good, len(names), 100.0 * good / len(names), wrong))
    return 1 if wrong or not names else 0


if __name__ == '__main__':
    sys.exit(main())
