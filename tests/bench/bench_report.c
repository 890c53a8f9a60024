/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_report.c - the speed of `bugon report` beside what was promised.
 *
 *	bench_report BUGON CORPUS_DIR
 *
 * Every figure is the median of five runs.  Missing a target is printed, not
 * an error: machines differ, and a loaded one measures its load.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/vec.h"
#include "report/report.h"

enum { RUNS = 5, CLEAN_BYTES = 50 << 20, LONG_MB = 200 };

static VEC(struct buf) logs;
static unsigned nr_reports;

static double clock_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time, so that other work on the machine counts less. */
static double now(void)
{
	return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, RUNS, sizeof(*v), compare_doubles);
	return v[RUNS / 2];
}

static void row(const char *what, double got, const char *unit, double target,
		bool at_least)
{
	bool met = at_least ? got >= target : got <= target;

	printf("%-44s %8.1f %-4s  target %s %g  %s\n", what, got, unit,
	       at_least ? ">=" : "<=", target, met ? "ok" : "MISSED");
	fflush(stdout);
}

static struct error *count(void *ctx, const struct report *r)
{
	nr_reports++;
	return NULL;
}

static void load(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		_cleanup_(buf_deinit) struct buf path = {};
		_cleanup_(buf_deinit) struct buf file = {};
		struct buf log = {}; /* of the right size, file is larger */

		buf_printf(&path, "%s/%s", dir, names[i]->d_name);
		struct error *err = io_read_file(path.data, 1 << 24, &file);
		buf_slice(&log, buf_as_slice(&file));
		if (log.len)
			vec_push(&logs, log);
		else
			buf_deinit(&log);
		error_free(err);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Real logs, each parsed by itself. */
static void bench_corpus(void)
{
	double speed[RUNS];
	char what[64];

	for (int run = 0; run < RUNS; run++) {
		double start = now();
		size_t bytes = 0;

		do {
			vec_for_each(&logs, log) {
				error_free(report_parse(buf_as_slice(log),
							count, NULL));
				bytes += log->len;
			}
		} while (now() - start < 1);
		speed[run] = (double)bytes / 1e6 / (now() - start);
	}
	snprintf(what, sizeof(what),
		 "parsing %zu logs with crashes, one thread", logs.len);
	row(what, median(speed), "MB/s", 50, true);
}

/* What a kernel says when nothing is wrong; `i` makes the lines differ. */
static void clean_line(struct buf *b, unsigned i)
{
	static const char *const lines[] = {
		"usb 1-1: new high-speed USB device number %u using xhci_hcd",
		"pci 0000:00:1f.%u: [8086:a348] type 00 class 0x0c0500",
		"EXT4-fs (sda%u): mounted filesystem with ordered data mode",
		"IPv6: ADDRCONF(NETDEV_CHANGE): veth%u: link becomes ready",
		"audit: type=1400 apparmor=\"STATUS\" name=\"x\" pid=%u",
		"systemd[1]: Started Session %u of user root.",
		"nvme nvme0: %u/0/0 default/read/poll queues",
		"Bluetooth: hci%u: command 0x0c03 tx timeout",
		"device bridge_slave_%u left promiscuous mode",
		"TCP: request_sock_TCP: Possible SYN flooding on port %u.",
		"random: crng init done, %u bits",
		"ACPI: PM: Preparing to enter system sleep state S%u",
	};

	buf_printf(b, "[%5u.%06u] ", i / 1000, i * 7919 % 1000000);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(b, lines[i * 2654435761u % ARRAY_LEN(lines)], i % 97);
#pragma GCC diagnostic pop
	buf_char(b, '\n');
}

static void bench_clean(void)
{
	_cleanup_(buf_deinit) struct buf log = {};
	double speed[RUNS];

	for (unsigned i = 0; log.len < CLEAN_BYTES; i++)
		clean_line(&log, i);
	nr_reports = 0;
	for (int run = 0; run < RUNS; run++) {
		double start = now();

		error_free(report_parse(buf_as_slice(&log), count, NULL));
		speed[run] = (double)log.len / 1e6 / (now() - start);
	}
	if (nr_reports)
		printf("a crash was found in a clean log\n");
	row("scanning 50 MB without a crash, one thread", median(speed), "MB/s",
	    1000, true);
}

/* Run `argv` with its input from `in` (or none); what it used, in *used. */
static double run(char **argv, int in, struct rusage *used)
{
	double start = clock_seconds(CLOCK_MONOTONIC);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(in >= 0 ? in : null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (in >= 0)
		close(in);
	if (pid < 0 || wait4(pid, &status, 0, used) != pid || status != 0)
		printf("%s failed\n", argv[0]);
	return clock_seconds(CLOCK_MONOTONIC) - start;
}

static void bench_start(char *bugon)
{
	static char version[] = "--version";
	char *argv[] = { bugon, version, NULL };
	double ms[RUNS];

	for (int i = 0; i < RUNS; i++) {
		struct rusage used;
		double best = 1e9;

		for (int k = 0; k < 20; k++) {
			double t = run(argv, -1, &used) * 1e3;

			if (t < best)
				best = t;
		}
		ms[i] = best;
	}
	row("starting a process (bugon --version)", median(ms), "ms", 10,
	    false);
}

/* A long log, crashes in between, through a pipe: memory must not grow. */
static void bench_memory(char *bugon)
{
	static char report[] = "report";
	char *argv[] = { bugon, report, NULL };
	_cleanup_(buf_deinit) struct buf quiet = {};
	struct rusage used;
	int fds[2];

	for (unsigned i = 0; quiet.len < 100000; i++)
		clean_line(&quiet, i);
	if (pipe(fds) != 0)
		return;
	pid_t writer = fork();
	if (writer == 0) {
		close(fds[0]);
		for (size_t sent = 0, i = 0; sent < (size_t)LONG_MB << 20;) {
			struct buf *log = &logs.data[i++ % logs.len];

			error_free(io_write_all(fds[1], log->data, log->len));
			error_free(io_write_all(fds[1], quiet.data, quiet.len));
			sent += log->len + quiet.len;
		}
		_exit(0);
	}
	close(fds[1]);
	double seconds = run(argv, fds[0], &used);
	waitpid(writer, NULL, 0);
	row("peak memory on a log of 200 MB with crashes",
	    (double)used.ru_maxrss / 1024, "MiB", 64, false);
	printf("%-44s %8.1f MB/s\n", "  its speed, through a pipe",
	       LONG_MB / seconds);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: bench_report BUGON CORPUS_DIR\n", stderr);
		return 2;
	}
	load(argv[2]);
	if (!logs.len) {
		printf("SKIP: no logs in %s\n", argv[2]);
		return 77;
	}
	/* First what forks: a child's peak begins with its parent's. */
	bench_start(argv[1]);
	bench_memory(argv[1]);
	bench_corpus();
	bench_clean();
	vec_for_each(&logs, log)
		buf_deinit(log);
	vec_free(&logs);
	return 0;
}
