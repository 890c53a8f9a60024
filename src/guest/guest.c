/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/mem.h"

/* Between looks at the answer: first at once, then with pauses. */
enum { EAGER_LOOKS = 50, PAUSE_MS = 1, LAST_WORDS_MS = 200, SETTLE_MS = 5000 };

struct guest {
	struct vm *vm;
	struct wire *wire;
	int shm_fd;
	struct vm_file files[GUEST_MAX_FILES];
	char executor[4096], plugin[4096];
	bool snapshot;
};

static bool beside_us(const char *relative, char *out, size_t size)
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return false;
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(out, size, "%s/%s", self, relative);
	return access(out, R_OK) == 0;
}

enum wire_arch guest_arch(const char *kernel)
{
	struct vm_kernel k = {};

	/* vm_open() will say what is wrong with it. */
	error_free(vm_kernel_identify(kernel, &k));
	return k.kind == VM_KERNEL_ARM64 ? WIRE_ARCH_ARM64 : WIRE_ARCH_X86_64;
}

/* What the environment says, which must be there; false if it says nothing. */
static fallible from_env(const char *name, char *path, size_t size, bool *set)
{
	const char *env = getenv(name);

	*set = env && *env;
	if (!*set)
		return NULL;
	snprintf(path, size, "%s", env);
	if (access(path, R_OK) < 0)
		return error_new(ERR_NOT_FOUND, "%s is %s: %s", name, env,
				 strerror(errno));
	return NULL;
}

fallible guest_find_executor(enum wire_arch arch, char *path, size_t size)
{
	static const struct {
		const char *env, *build, *installed, *also;
	} rows[] = {
		[WIRE_ARCH_X86_64] = { "BUGON_EXECUTOR", "executor",
				       "../libexec/bugon/executor", "" },
		[WIRE_ARCH_ARM64] = { "BUGON_EXECUTOR_ARM64", "executor-arm64",
				      "../libexec/bugon/executor-arm64",
				      ", after apt install gcc-aarch64-linux-gnu "
				      "libc6-dev-arm64-cross" },
	};
	bool set;

	TRY(from_env(rows[arch].env, path, size, &set));
	if (set || beside_us(rows[arch].build, path, size) ||
	    beside_us(rows[arch].installed, path, size))
		return NULL;
	return error_new(ERR_NOT_FOUND,
			 "bugon's %s is neither beside the program nor in "
			 "../libexec/bugon: build with make%s, or set %s",
			 rows[arch].build, rows[arch].also, rows[arch].env);
}

fallible guest_find_plugin(char *path, size_t size)
{
	bool set;

	TRY(from_env("BUGON_PLUGIN", path, size, &set));
	if (set || beside_us("cover-plugin.so", path, size) ||
	    beside_us("../libexec/bugon/cover-plugin.so", path, size))
		return NULL;
	return error_new(ERR_NOT_FOUND,
			 "QEMU's plugin cover-plugin.so is neither beside the "
			 "program nor in ../libexec/bugon: build with make, or "
			 "set BUGON_PLUGIN");
}

static fallible open_wire(struct guest *g, const struct guest_cover *cover,
			  struct vm_config *c)
{
	/* Programs may bring images of file systems. */
	struct wire_config config = { .req_bytes = 2u << 20 };

	if (cover)
		config.cover_source = cover->source;
	if (cover && cover->plugin) {
		TRY(guest_find_plugin(g->plugin, sizeof(g->plugin)));
		config.cover_bytes = WIRE_COVER_BYTES;
	}
	TRY(wire_open(g->shm_fd, &config, &g->wire));
	if (cover && cover->plugin) {
		c->plugin = g->plugin;
		c->plugin_size = wire_cover_area(g->wire, &c->plugin_off);
	}
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What the serial line brought, and what it is to bring. */
static fallible pump(struct guest *g)
{
	struct slice in = vm_inbox(g->vm), out;

	wire_receive(g->wire, in);
	vm_inbox_consume(g->vm, in.len);
	out = wire_to_send(g->wire);
	if (!out.len)
		return NULL;
	TRY(vm_send(g->vm, out.p, out.len));
	wire_sent(g->wire, out.len);
	return NULL;
}

static bool is_ready(void *ctx)
{
	struct guest *g = ctx;
	struct wire_guest w;

	/* Who takes no messages is about to end: vm_boot() sees that. */
	error_free(pump(g));
	w = wire_guest(g->wire);
	return w.state == WIRE_STATE_READY || w.state == WIRE_STATE_FAILED ||
	       child_cancelled();
}

fallible guest_open(const struct vm_config *cfg,
		    const struct guest_cover *cover, enum guest_link link,
		    struct guest **out)
{
	_cleanup_(guest_closep) struct guest *g = mem_calloc(1, sizeof(*g));
	struct vm_config c = *cfg;

	g->shm_fd = memfd_create("bugon", MFD_CLOEXEC);
	if (g->shm_fd < 0)
		return error_os("shared memory");
	if (c.nr_files >= GUEST_MAX_FILES)
		return error_new(ERR_BUG, "too many files for the guest");
	TRY(guest_find_executor(guest_arch(c.kernel), g->executor,
				sizeof(g->executor)));
	g->files[0] = (struct vm_file){ .path = "/init",
					.host = g->executor,
					.mode = 0755 };
	for (size_t i = 0; i < c.nr_files; i++)
		g->files[i + 1] = cfg->files[i];
	TRY(open_wire(g, cover, &c));
	c.files = g->files;
	c.nr_files++;
	c.shm_fd = link == GUEST_LINK_SERIAL ? -1 : g->shm_fd;
	c.is_ready = is_ready;
	c.ready_ctx = g;
	TRY(vm_open(&c, &g->vm));
	*out = take_ptr(g);
	return NULL;
}

void guest_close(struct guest *g)
{
	if (!g)
		return;
	vm_close(g->vm);
	wire_close(g->wire);
	close_fdp(&g->shm_fd);
	free(g);
}

fallible guest_start(struct guest *g)
{
	vm_stop(g->vm); /* the old guest must not write any more */
	if (g->snapshot)
		wire_restore(g->wire);
	else
		wire_reset(g->wire);
	TRY(vm_boot(g->vm));
	TRY(child_check_cancelled());
	if (g->snapshot) /* some restore the shared memory, too */
		wire_refresh(g->wire);
	struct wire_guest w = wire_guest(g->wire);
	if (w.state != WIRE_STATE_READY)
		return error_new(ERR_BOOT, "the executor gave up: %.*s",
				 (int)sizeof(w.message), w.message);
	return NULL;
}

/* Nothing may be under way on the line: half of it would be lost. */
static fallible settle(struct guest *g)
{
	uint64_t end = now_ms() + SETTLE_MS;
	unsigned events;

	while (!wire_is_idle(g->wire)) {
		TRY(pump(g));
		TRY(vm_poll(g->vm, PAUSE_MS, &events));
		if (vm_death(g->vm)->kind || now_ms() >= end)
			return error_new(ERR_INFRA,
					 "the guest does not take what the "
					 "serial line brings");
	}
	return NULL;
}

fallible guest_snapshot(struct guest *g)
{
	TRY(settle(g));
	wire_snapshot(g->wire);
	TRY(vm_snapshot(g->vm));
	g->snapshot = true;
	return NULL;
}

size_t guest_max_payload(const struct guest *g)
{
	return wire_max_payload(g->wire);
}

uint32_t guest_room(const struct guest *g)
{
	return wire_room(g->wire);
}

fallible guest_submit(struct guest *g, const struct wire_request *req,
		      struct slice payload)
{
	return wire_submit(g->wire, req, payload, NULL);
}

/* A guest whose answers make no sense is a dead one, not an error of ours. */
static fallible poll_answer(struct guest *g, struct wire_result *res, bool *got)
{
	struct error *err = wire_poll(g->wire, res, got);
	char why[200];

	if (!err || error_kind(err) != ERR_INPUT)
		return err;
	snprintf(why, sizeof(why),
		 "the guest wrote nonsense into the shared memory (%s)",
		 error_message(err));
	error_free(err);
	vm_condemn(g->vm, why);
	*got = false;
	return NULL;
}

fallible guest_take(struct guest *g, unsigned timeout_ms,
		    struct wire_result *res, bool *got)
{
	uint64_t end = now_ms() + timeout_ms;
	unsigned looks = 0, events;

	for (;;) {
		/* One who takes nothing is about to end: vm_poll() sees that. */
		error_free(pump(g));
		TRY(poll_answer(g, res, got));
		if (*got)
			return NULL;
		TRY(child_check_cancelled());
		TRY(vm_poll(g->vm, looks++ < EAGER_LOOKS ? 0 : PAUSE_MS,
			    &events));
		if (vm_death(g->vm)->kind || now_ms() >= end)
			break;
	}
	/* A splat need not be the end: the answer may be on its way. */
	if (vm_death(g->vm)->kind == VM_CRASHED)
		TRY(vm_drain(g->vm, LAST_WORDS_MS));
	wire_receive(g->wire, vm_inbox(g->vm));
	vm_inbox_consume(g->vm, vm_inbox(g->vm).len);
	return poll_answer(g, res, got);
}

fallible guest_call(struct guest *g, const struct wire_request *req,
		    struct slice payload, unsigned timeout_ms,
		    struct wire_result *res, bool *got)
{
	TRY(guest_submit(g, req, payload));
	return guest_take(g, timeout_ms, res, got);
}

struct wire *guest_wire(struct guest *g)
{
	return g->wire;
}

struct vm *guest_vm(struct guest *g)
{
	return g->vm;
}

enum wire_cover_source guest_cover_source(const struct guest *g)
{
	struct wire_guest w = wire_guest(g->wire);

	if (w.features & WIRE_HAS_KCOV)
		return WIRE_COVER_KCOV;
	return w.features & WIRE_HAS_PLUGIN ? WIRE_COVER_PLUGIN :
					      WIRE_COVER_NONE;
}

const char *guest_link_name(const struct guest *g)
{
	return wire_is_serial(g->wire) ? "serial line" : "shared memory";
}
