/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.c - the region over a serial line, when there is no shared memory: see
 * the end of wire/format.h.
 *
 * The host names the line on the kernel's command line; the kernel makes the
 * word, which it does not know, a variable of init's (admin-guide/
 * kernel-parameters.rst).  Only the supervisor reads and writes, one request
 * at a time; the line is slow anyway.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "executor.h"

#define LINE_FD 249 /* behind KCOV's; programs have lower ones */
#define IN_BYTES (2 * (WIRE_FRAME_MAX + (uint32_t)sizeof(struct wire_frame)))
#define HELLO_MS 500 /* from one to the next */
#define MEET_MS 20000
#define PAUSE_NS 1000000l
#define ACK_BYTES (WIRE_SERIAL_WINDOW / 4)

static struct in {
	uint32_t n; /* bytes there */
	uint32_t read; /* ever; wraps */
	unsigned char bytes[IN_BYTES];
} * in;

static bool make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return false;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	t.c_cc[VMIN] = 0; /* read() does not wait */
	t.c_cc[VTIME] = 0;
	cfsetspeed(&t, B115200);
	return !tcsetattr(fd, TCSANOW, &t);
}

int serial_open(void)
{
	const char *name = getenv("bugon_serial");
	char path[64];
	int fd, line;

	if (!name || strchr(name, '/'))
		return -1;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	in = mmap(NULL, sizeof(*in), PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || in == MAP_FAILED || !make_raw(fd))
		return -1;
	madvise(in, sizeof(*in), MADV_DONTFORK);
	/* Programs shall not find it. */
	if (getpid() == 1)
		unlink(path);
	line = dup3(fd, LINE_FD, O_CLOEXEC);
	close(fd);
	return line;
}

static void write_all(int fd, const void *bytes, uint32_t len)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return; /* hung up: the host will see nothing of us */
		if (n > 0) {
			p += n;
			len -= (uint32_t)n;
		}
	}
}

static void send_frame(int fd, uint32_t off, const void *bytes, uint32_t len)
{
	const struct wire_frame f = wire_frame_of(off, bytes, len);

	write_all(fd, &f, sizeof(f));
	write_all(fd, bytes, len);
}

void serial_send(const struct region *r, const unsigned char *from,
		 uint32_t len)
{
	while (len) {
		uint32_t n = len < WIRE_FRAME_MAX ? len : WIRE_FRAME_MAX;

		send_frame(r->line, (uint32_t)(from - r->base), from, n);
		from += n;
		len -= n;
	}
}

/* ---- From the host ---------------------------------------------------------- */

/* Read what is there, as far as it fits; false when there is nothing. */
static bool fill(int line)
{
	ssize_t n = read(line, in->bytes + in->n, IN_BYTES - in->n);

	if (n <= 0)
		return false;
	in->n += (uint32_t)n;
	in->read += (uint32_t)n;
	return true;
}

static void drop(uint32_t n)
{
	in->n -= n;
	memmove(in->bytes, in->bytes + n, in->n);
}

/* The next whole frame, at `bytes`; the caller drops *skip bytes after use. */
static bool next_frame(struct wire_frame *f, uint32_t *skip)
{
	for (;;) {
		switch (wire_frame_look(in->bytes, in->n, f, skip)) {
		case WIRE_FRAME_WHOLE:
			return true;
		case WIRE_FRAME_PARTIAL:
			return false;
		case WIRE_FRAME_NOISE:
			if (!in->n)
				return false;
			drop(*skip);
		}
	}
}

static bool part_of(const struct wire_frame *f, uint64_t off, uint64_t size)
{
	return f->off >= off && (uint64_t)f->off + f->len <= off + size;
}

/* Only what the host may write, which leaves the header as we checked it. */
static void apply(const struct region *r, const struct wire_frame *f)
{
	const struct wire_host *h = &r->host;
	const unsigned char *bytes = in->bytes + sizeof(*f);
	uint32_t *max = (void *)(r->base + h->max_off);

	if (f->off == h->max_off && h->max_slots) {
		for (uint32_t i = 0; i + 4 <= f->len; i += 4) {
			uint32_t signal;

			memcpy(&signal, bytes + i, sizeof(signal));
			wire_max_put(max, h->max_slots, signal);
		}
		return;
	}
	if (part_of(f, offsetof(struct wire_host, submitted), 8) ||
	    part_of(f, h->req_off, (uint64_t)h->slots * h->req_size) ||
	    part_of(f, h->bulk_off, h->bulk_size))
		memcpy(r->base + f->off, bytes, f->len);
}

void serial_take(const struct region *r)
{
	struct wire_frame f;
	uint32_t skip;

	while (fill(r->line))
		while (next_frame(&f, &skip)) {
			apply(r, &f);
			drop(skip);
		}
	/* Say so where a frame ends, or for each part of a long one. */
	if (r->guest->serial_read == in->read ||
	    (in->n && in->read - r->guest->serial_read < ACK_BYTES))
		return;
	r->guest->serial_read = in->read;
	serial_send(r, (const unsigned char *)&r->guest->serial_read,
		    sizeof(r->guest->serial_read));
}

bool serial_meet(int line, struct wire_host *h)
{
	struct wire_guest hello = { .magic = WIRE_MAGIC,
				    .version = WIRE_VERSION };
	uint64_t start = now_ns(), said = 0;

	while (now_ns() - start < MEET_MS * 1000000ull) {
		struct wire_frame f;
		uint32_t skip;

		if (!said || now_ns() - said > HELLO_MS * 1000000ull) {
			said = now_ns();
			hello.serial_read = in->read;
			send_frame(line, WIRE_GUEST_OFF, &hello, sizeof(hello));
		}
		if (!fill(line))
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS },
				  NULL);
		if (!next_frame(&f, &skip))
			continue;
		if (!f.off && f.len == sizeof(*h)) {
			memcpy(h, in->bytes + sizeof(f), sizeof(*h));
			drop(skip);
			return true;
		}
		drop(skip);
	}
	return false;
}
