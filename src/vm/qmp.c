/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

void qmp_deinit(struct qmp *q)
{
	close_fdp(&q->fd);
	buf_deinit(&q->in);
	*q = (struct qmp){ .fd = -1 };
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static fallible send_line(struct qmp *q, const char *json, int pass_fd)
{
	_cleanup_(buf_deinit) struct buf line = {};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };

	buf_printf(&line, "%s\n", json);
	struct iovec iov = { line.data, line.len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (pass_fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
	}
	/* A command is far smaller than a socket's buffer: all or nothing. */
	if (sendmsg(q->fd, &m, MSG_NOSIGNAL) != (ssize_t)line.len)
		return error_new(ERR_INFRA, "QEMU does not listen");
	return NULL;
}

/* The next line; it borrows from q->in and is gone with the next call. */
static fallible next_line(struct qmp *q, int64_t end, size_t *used,
			  struct slice *line)
{
	buf_consume(&q->in, *used);
	*used = 0;
	for (;;) {
		char *nl = q->in.len ? memchr(q->in.data, '\n', q->in.len) :
				       NULL;

		if (nl) {
			*used = (size_t)(nl + 1 - q->in.data);
			*line = slice_trim(slice_range(q->in.data, nl));
			return NULL;
		}
		if (q->in.len > QMP_MAX_BYTES)
			return error_new(ERR_INFRA, "QEMU's answer is endless");
		int64_t left = end - now_ms();
		struct pollfd f = { .fd = q->fd, .events = POLLIN };
		if (left <= 0 || poll(&f, 1, (int)left) == 0)
			return error_new(ERR_INFRA, "QEMU does not answer");
		char *p = buf_reserve(&q->in, 65536);
		ssize_t n = read(q->fd, p, 65535);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return error_new(ERR_INFRA, "QEMU is gone");
		q->in.len += (size_t)n;
	}
}

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i] | 0x20;

		v = v * 16 + (c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			      c >= '0' && c <= '9' ? c - '0' :
						     0);
	}
	return v;
}

void qmp_unescape(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";

		if (s.p[i] != '\\' || i + 1 == s.len) {
			buf_char(out, s.p[i]);
			continue;
		}
		const char *p = strchr(from, s.p[++i]);
		if (s.p[i] == 'u' && i + 4 < s.len) {
			unsigned v = hex4(s.p + i + 1);

			buf_char(out, v < 0x80 ? (char)v : '?');
			i += 4;
		} else if (p && *p) {
			buf_char(out, to[p - from]);
		} else {
			buf_char(out, s.p[i]);
		}
	}
}

/* The string at the start of `s`, which begins with its quote. */
static void string_at(struct slice s, struct buf *out)
{
	size_t i = 1;

	while (i < s.len && s.p[i] != '"')
		i += s.p[i] == '\\' ? 2 : 1;
	qmp_unescape((struct slice){ s.p + 1, MIN(i, s.len) - 1 }, out);
}

static fallible refused(struct slice line)
{
	static const struct slice key = SLICE("\"desc\": \"");
	_cleanup_(buf_deinit) struct buf why = {};
	const char *at = slice_find(line, key);

	if (at)
		string_at(slice_range(at + key.len - 1, line.p + line.len),
			  &why);
	return error_new(ERR_INFRA, "QEMU refuses: %s", buf_cstr(&why));
}

static fallible answer(struct qmp *q, unsigned timeout_ms, struct buf *out)
{
	static const struct slice ret = SLICE("{\"return\": ");
	int64_t end = now_ms() + timeout_ms;
	size_t used = 0;
	struct slice line = {};

	do {
		TRY(next_line(q, end, &used, &line));
		if (slice_starts(line, SLICE("{\"error\":")))
			return refused(line);
	} while (!slice_starts(line, ret));
	struct slice value = slice_from(line, ret.len);
	if (out && value.len && *value.p == '"')
		string_at(value, out);
	else if (out && value.len)
		buf_add(out, value.p, value.len - 1);
	buf_consume(&q->in, used);
	return NULL;
}

fallible qmp_command(struct qmp *q, const char *json, int pass_fd,
		     unsigned timeout_ms, struct buf *out)
{
	if (q->fd < 0)
		return error_new(ERR_INFRA, "QEMU is not running");
	if (!q->ready) {
		TRY(send_line(q, "{\"execute\":\"qmp_capabilities\"}", -1));
		TRY(answer(q, timeout_ms, NULL));
		q->ready = true;
	}
	TRY(send_line(q, json, pass_fd));
	return answer(q, timeout_ms, out);
}

fallible qmp_human(struct qmp *q, const char *command, struct buf *out)
{
	_cleanup_(buf_deinit) struct buf json = {};

	buf_printf(&json,
		   "{\"execute\":\"human-monitor-command\","
		   "\"arguments\":{\"command-line\":\"%s\"}}",
		   command);
	return qmp_command(q, buf_cstr(&json), -1, QMP_TIMEOUT_MS, out);
}
