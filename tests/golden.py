#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare `bugon report` with the answers in tests/golden/report.

usage: golden.py BUGON SOURCE_DIR [NAME...]

NAME.log is a console log, NAME.want what is found in it: for each report its
title, then "alt:", "type:", "frame:", "corrupted:" and other lines where there is
something to say; reports are separated by an empty line, and an empty file
says that there is no crash.  Every row of src/report/formats.def has an
example of its name, and --explain must name that row; other logs are called
extra-* and none-*.

With UPDATE_GOLDEN=1 in the environment, the .want files are written anew.
"""
import json
import os
import re
import subprocess
import sys


def run_bugon(bugon, log, fail):
    run = subprocess.run([bugon, 'report', '--json', '--explain', '-'], input=log,
                         capture_output=True)
    if run.returncode:
        fail('exit status %d: %s' % (run.returncode, run.stderr.decode('utf-8', 'replace')))
        return []
    return json.loads(run.stdout)


def show(r):
    lines = [r['title']]
    lines += ['alt: ' + alt for alt in sorted(r['alt_titles'])]
    if r['type']:
        lines.append('type: ' + r['type'])
    if r['frame']:
        lines.append('frame: ' + r['frame'])
    if r['corrupted']:
        lines.append('corrupted: ' + r['corrupted_reason'])
    lines += [key + ': yes' for key in ('suppressed', 'panicked') if r[key]]
    return '\n'.join(lines) + '\n'


def explained_format(r):
    return [line[len('format '):] for line in r['explanation'].split('\n')
            if line.startswith('format ')]


def explained_line(r):
    m = re.match(r'line "(.*)"\nformat ', r['explanation'], re.S)
    return m.group(1) if m else None


def plain(data):
    """The bytes that a report keeps."""
    data = re.sub(rb'\x1b\[[ -?]*[@-~]', b'', data)
    return bytes(c for c in data if c >= 32 or c == 9)


def check_offsets(r, log, fail):
    if not 0 <= r['start'] < r['end'] <= len(log):
        fail('offsets %d to %d of %d' % (r['start'], r['end'], len(log)))
        return
    if r['start'] and log[r['start'] - 1:r['start']] != b'\n':
        fail('start %d is not at the start of a line' % r['start'])
    line = plain(log[r['start']:].split(b'\n', 1)[0]).decode('utf-8', 'replace')
    headline = explained_line(r)
    if not headline or headline not in line:
        fail('start points to %r, not to %r' % (line, headline))


def body(r):
    """The text of a report, without the block of titles in front."""
    text = r['report']
    if text.startswith('TITLE: '):
        text = text.partition('\n\n')[2]
    return text


def check_again(bugon, r, fail):
    """A report read as a log gives the same report."""
    if r['title'] == 'unexpected kernel reboot':
        return  # known by the output in front of it
    again = run_bugon(bugon, body(r).encode('utf-8', 'surrogateescape'), fail)
    if not again:
        fail('no report in its own text')
    elif again[0]['title'] != r['title']:
        fail('its own text gives %r' % again[0]['title'])


def check(bugon, stem, rows, fail):
    name = os.path.basename(stem)
    with open(stem + '.log', 'rb') as f:
        log = f.read()
    reports = run_bugon(bugon, log, fail)
    got = '\n'.join(show(r) for r in reports)
    if os.environ.get('UPDATE_GOLDEN'):
        with open(stem + '.want', 'w') as f:
            f.write(got)
    try:
        with open(stem + '.want') as f:
            want = f.read()
    except FileNotFoundError:
        fail('no .want file')
        want = got
    if want != got:
        fail('want:\n%s\ngot:\n%s' % (want, got))
    if name in rows and (not reports or explained_format(reports[0]) != [name]):
        fail('the example of this row is found as %s' % [explained_format(r) for r in reports])
    if name in rows and len(reports) != 1:
        fail('%d reports in the example of one row' % len(reports))
    if name.startswith('none-') and reports:
        fail('a report where there is no crash')
    if name.startswith('extra-') and not reports:
        fail('no report')
    for r in reports:
        check_offsets(r, log, fail)
        check_again(bugon, r, fail)


def check_skips(root, fail):
    """No row of skip.def says what another one has said."""
    with open(os.path.join(root, 'src/report/skip.def')) as f:
        rows = re.findall(r'^SKIP\((\w+), "(.+)"\)$', f.read(), re.M)
    if not rows:
        fail('skip.def', 'no rows')
    for i, (kind, name) in enumerate(rows):
        for k, (other_kind, other) in enumerate(rows):
            if i != k and kind == other_kind and covers(other, name) and (name != other or k < i):
                fail('skip.def', '%s "%s" is covered by "%s"' % (kind, name, other))


def covers(pattern, name):
    """Does `pattern` match all that `name` does?  '*' stands at the ends only."""
    if not pattern.endswith('*'):
        pattern += '\n'
    if not pattern.startswith('*'):
        pattern = '\n' + pattern
    return pattern.strip('*') in '\n%s\n' % name


def main():
    bugon, root = sys.argv[1:3]
    golden = os.path.join(root, 'tests/golden/report')
    with open(os.path.join(root, 'src/report/formats.def')) as f:
        rows = re.findall(r'^FORMAT\((\w+),', f.read(), re.M)
    files = os.listdir(golden)
    logs = sorted(f[:-4] for f in files if f.endswith('.log'))
    bad = []

    def fail(name, why):
        bad.append(name)
        print('%s: %s' % (name, why))

    for name in logs:
        if name not in rows and not name.startswith(('extra-', 'none-')):
            fail(name, 'no such row in formats.def')
    for name in rows:
        if name not in logs:
            fail(name, 'this row has no example')
    for f in sorted(files):
        if not f.endswith(('.log', '.want')) or f.endswith('.want') and f[:-5] not in logs:
            fail(f, 'what is this?')
    check_skips(root, fail)
    if not rows or not logs:
        fail(golden, 'nothing to check')
    for name in sys.argv[3:] or logs:
        check(bugon, os.path.join(golden, name), rows, lambda why, n=name: fail(n, why))
    print('%d logs, %d rows, %d logs with faults' % (len(logs), len(rows), len(set(bad))))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
