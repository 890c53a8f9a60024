/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "vm/internal.h"

/* A PC under KVM prints within a second; this is for the whole try. */
enum { TRY_MS = 4000, CACHE_BYTES = 4096, KEY_BYTES = 640 };

struct kvm_try {
	struct process proc;
	int console; /* our end */
	int errors;
	uint64_t end_ms;
	struct buf text, complaint;
	char key[KEY_BYTES];
};

/* ---- the cache ---- */

/* Where execvp() finds it. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/'))
		return snprintf(path, size, "%s", name) < (int)size;
	for (const char *end; dirs && *dirs; dirs = *end ? end + 1 : end) {
		end = strchrnul(dirs, ':');
		int n = snprintf(path, size, "%.*s/%s", (int)(end - dirs), dirs,
				 name);
		if (n > 0 && n < (int)size && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/*
 * What the verdict holds for: this boot of the host, this file of QEMU.  Blanks
 * in its name do no harm: the key is compared as a whole.
 */
static void make_key(const char *qemu, char *key)
{
	_cleanup_(buf_deinit) struct buf id = {};
	char path[400];
	struct stat st = {};
	struct vm_qemu q;

	vm_qemu_probe(qemu, &q);
	if (!find_program(q.program, path, sizeof(path)) || stat(path, &st) < 0)
		*path = '\0';
	error_free(io_read_file("/proc/sys/kernel/random/boot_id", 4096, &id));
	struct slice s = slice_trim(buf_as_slice(&id));
	snprintf(key, KEY_BYTES, "%.*s %u.%u %s %lld.%09ld %lld ",
		 (int)MIN(s.len, (size_t)64), s.p ? s.p : "", q.major, q.minor,
		 path, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		 (long long)st.st_size);
}

static bool cache_path(char *path, size_t size)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (xdg && *xdg == '/')
		n = snprintf(path, size, "%s/bugon", xdg);
	else if (home && *home == '/')
		n = snprintf(path, size, "%s/.cache/bugon", home);
	else
		return false;
	return n > 0 && (size_t)n + 8 < size;
}

static void cache_write(const char *key, const struct vm_kvm *v)
{
	char dir[512], path[544], tmp[560];

	if (!cache_path(dir, sizeof(dir)))
		return;
	char *slash = strrchr(dir, '/');
	*slash = '\0';
	mkdir(dir, 0700);
	*slash = '/';
	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/kvm", dir);
	snprintf(tmp, sizeof(tmp), "%s.%d", path, (int)getpid());
	FILE *f = fopen(tmp, "we");
	if (!f)
		return;
	fprintf(f, "%s%s %s\n", key, v->works ? "works" : "broken", v->why);
	if (fclose(f) != 0 || rename(tmp, path) < 0)
		unlink(tmp);
}

static bool cache_read(const char *key, struct vm_kvm *out)
{
	_cleanup_(buf_deinit) struct buf b = {};
	char dir[512], path[544];

	if (!cache_path(dir, sizeof(dir)))
		return false;
	snprintf(path, sizeof(path), "%s/kvm", dir);
	struct error *err = io_read_file(path, CACHE_BYTES, &b);
	if (err) {
		error_free(err);
		return false;
	}
	struct slice s = slice_trim(buf_as_slice(&b));
	if (!slice_starts(s, slice_cstr(key)))
		return false;
	s = slice_from(s, strlen(key));
	out->known = true;
	out->works = slice_eq(s, SLICE("works"));
	if (!out->works && slice_starts(s, SLICE("broken ")))
		s = slice_from(s, 7);
	snprintf(out->why, sizeof(out->why), "%.*s",
		 out->works ? 0 : (int)MIN(s.len, (size_t)200), s.p);
	return true;
}

/* ---- trying ---- */

/* Can it be opened at all? Says why not. */
static bool device_opens(struct vm_kvm *out)
{
	_cleanup_(close_fdp) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		snprintf(out->why, sizeof(out->why), "there is no /dev/kvm");
	else if (fd < 0)
		snprintf(out->why, sizeof(out->why), "/dev/kvm: %s%s",
			 strerror(errno),
			 errno == EACCES ? " (join the group kvm)" : "");
	else if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		snprintf(out->why, sizeof(out->why), "/dev/kvm is no KVM");
	else
		return true;
	return false;
}

static uint64_t now_ms(void)
{
	struct vm any = { .ops = &vm_uml_ops };

	return vm_now_ms(&any);
}

struct kvm_try *kvm_try_start(const char *qemu, const char *kernel)
{
	_cleanup_(close_fdp) int console = -1;
	_cleanup_(close_fdp) int errors = -1;
	struct vm_kvm v = {};
	char chardev[64];

	if (!device_opens(&v))
		return NULL;
	struct kvm_try *t = mem_calloc(1, sizeof(*t));
	*t = (struct kvm_try){ .proc = PROCESS_NONE,
			       .console = -1,
			       .errors = -1 };
	make_key(qemu, t->key);
	t->end_ms = now_ms() + (uint64_t)TRY_MS * vm_slowdown() / 100;
	struct error *err = vm_channel(&t->console, &console);
	if (!err)
		err = vm_channel(&t->errors, &errors);
	snprintf(chardev, sizeof(chardev), "socket,id=con,fd=%d", console);
	const char *args[] = { qemu,	     "-M",
			       "pc",	     "-accel",
			       "kvm",	     "-cpu",
			       "host",	     "-m",
			       "256",	     "-nodefaults",
			       "-display",   "none",
			       "-no-reboot", "-no-user-config",
			       "-chardev",   chardev,
			       "-serial",    "chardev:con",
			       "-kernel",    kernel,
			       "-append",    "console=ttyS0 panic=-1",
			       NULL };
	char *argv[ARRAY_LEN(args)];
	memcpy(argv, args, sizeof(args));
	struct process_opts o = { .argv = argv,
				  .out = errors,
				  .err = errors,
				  .keep = &console,
				  .nr_keep = 1,
				  .cpu = -1 };
	if (!err)
		err = process_start(&o, &t->proc);
	error_free(err);
	return t;
}

static void read_into(int *fd, struct buf *b)
{
	char *p = buf_reserve(b, 4096);
	ssize_t n = *fd < 0 ? 0 : read(*fd, p, 4095);

	if (n > 0 && b->len < 1024 * 1024)
		b->len += (size_t)n;
	if (n == 0) {
		close_fdp(fd);
		*fd = -1;
	}
}

static bool booted(const struct kvm_try *t)
{
	return slice_has(buf_as_slice(&t->text), SLICE("Kernel panic"));
}

static void wait_verdict(struct kvm_try *t)
{
	while (!booted(t) && (t->console >= 0 || t->errors >= 0)) {
		struct pollfd f[] = {
			{ .fd = t->console, .events = POLLIN },
			{ .fd = t->errors, .events = POLLIN },
		};
		uint64_t now = now_ms();

		if (now >= t->end_ms || poll(f, 2, (int)(t->end_ms - now)) <= 0)
			return;
		if (f[0].revents)
			read_into(&t->console, &t->text);
		if (f[1].revents)
			read_into(&t->errors, &t->complaint);
	}
}

static void judge(struct kvm_try *t, struct vm_kvm *v)
{
	struct slice all = slice_trim(buf_as_slice(&t->complaint)), line = {};

	slice_line(&all, &line);
	*v = (struct vm_kvm){ .known = true, .works = booted(t) };
	if (v->works)
		return;
	if (line.len)
		snprintf(v->why, sizeof(v->why), "QEMU fails: %.*s",
			 (int)MIN(line.len, (size_t)180), line.p);
	else
		snprintf(v->why, sizeof(v->why), "a guest hangs at its start%s",
			 t->text.len ? " after some output" : "");
}

static void finish(struct kvm_try *t, struct vm_kvm *v)
{
	wait_verdict(t);
	judge(t, v);
	/* A kernel without this console is as silent as one that hangs. */
	if (v->works || t->complaint.len || t->text.len)
		cache_write(t->key, v);
	process_kill(&t->proc);
	close_fdp(&t->console);
	close_fdp(&t->errors);
	buf_deinit(&t->text);
	buf_deinit(&t->complaint);
	free(t);
}

void kvm_try_finish(struct kvm_try *t)
{
	struct vm_kvm v;

	if (t)
		finish(t, &v);
}

void vm_kvm_probe(const char *qemu, const char *kernel, struct vm_kvm *out)
{
	char key[KEY_BYTES];

	*out = (struct vm_kvm){ 0 };
	if (!device_opens(out)) {
		out->known = true;
		return;
	}
	if (!qemu)
		qemu = "qemu-system-x86_64";
	make_key(qemu, key);
	if (cache_read(key, out) || !kernel)
		return;
	struct kvm_try *t = kvm_try_start(qemu, kernel);
	if (t)
		finish(t, out);
}
