/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children that cannot outlive us. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

static bool runs(pid_t pid)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	int n = fscanf(f, "%*d %*s %c", &state);
	fclose(f);
	return n == 1 && state != 'Z';
}

static void vanishes(pid_t pid)
{
	for (int i = 0; i < 500 && runs(pid); i++)
		usleep(10000);
	assert_false(runs(pid));
}

#define SH(script)                                                           \
	(char *const[])                                                      \
	{                                                                    \
		(char[]){ "/bin/sh" }, (char[]){ "-c" }, (char[]){ script }, \
			NULL                                                 \
	}

static void status_and_signal_are_known(void **state)
{
	struct process p = PROCESS_NONE;
	struct process_opts o = {
		.argv = SH("exit 7"), .out = -1, .err = -1, .cpu = -1
	};

	must(process_start(&o, &p));
	assert_true(process_wait(&p, 10000));
	assert_int_equal(p.status, 7);
	process_kill(&p);
	o.argv = SH("kill -ABRT $$");
	must(process_start(&o, &p));
	assert_true(process_wait(&p, 10000));
	assert_int_equal(p.signal, SIGABRT);
	process_kill(&p);
	o.argv = (char *const[]){ (char[]){ "/nowhere/prog" }, NULL };
	struct error *err = process_start(&o, &p);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_NOT_FOUND);
	error_free(err);
	assert_int_equal(p.pid, 0);
}

static void the_whole_group_is_killed(void **state)
{
	struct process p = PROCESS_NONE;
	int pipefd[2];
	pid_t grandchild = 0;
	char text[32] = { 0 };

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	struct process_opts o = {
		.argv = SH("sleep 1000 & echo $!; wait"),
		.out = pipefd[1],
		.err = -1,
		.cpu = -1,
	};
	must(process_start(&o, &p));
	assert_true(read(pipefd[0], text, sizeof(text) - 1) > 0);
	grandchild = atoi(text);
	assert_true(runs(grandchild));
	assert_false(process_wait(&p, 0));
	process_kill(&p);
	vanishes(grandchild);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* SIGKILL of the parent: the kernel ends the child. */
static void the_child_dies_with_us(void **state)
{
	int pipefd[2];
	pid_t child = 0;

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	pid_t middle = fork();
	if (!middle) {
		struct process p = PROCESS_NONE;
		struct process_opts o = { .argv = SH("exec sleep 1000"),
					  .out = -1,
					  .err = -1,
					  .cpu = 0 };

		error_free(process_start(&o, &p));
		ssize_t n = write(pipefd[1], &p.pid, sizeof(p.pid));
		(void)n;
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipefd[0], &child, sizeof(child)), sizeof(child));
	assert_true(runs(child));
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	vanishes(child);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void only_given_descriptors_are_inherited(void **state)
{
	struct process p = PROCESS_NONE;
	int out[2], kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char script[128], text[64] = { 0 };

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	snprintf(script, sizeof(script),
		 "test -e /proc/self/fd/%d && test ! -e /proc/self/fd/%d && "
		 "echo yes",
		 kept, other);
	char sh[] = "/bin/sh", c[] = "-c";
	char *argv[] = { sh, c, script, NULL };
	struct process_opts o = { .argv = argv,
				  .out = out[1],
				  .err = -1,
				  .keep = &kept,
				  .nr_keep = 1,
				  .cpu = -1 };
	must(process_start(&o, &p));
	assert_true(process_wait(&p, 10000));
	assert_int_equal(p.status, 0);
	assert_int_equal(read(out[0], text, sizeof(text)), 4);
	process_kill(&p);
	close(out[0]);
	close(out[1]);
	close(kept);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_signal_are_known),
		cmocka_unit_test(the_whole_group_is_killed),
		cmocka_unit_test(the_child_dies_with_us),
		cmocka_unit_test(only_given_descriptors_are_inherited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
