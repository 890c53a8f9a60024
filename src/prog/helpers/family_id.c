#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

/* What an answer of `len` bytes to CTRL_CMD_GETFAMILY says, or -errno:
 * Documentation/userspace-api/netlink/intro.rst. */
static int64_t family_in(const struct message *m, int64_t len)
{
	uint32_t at = NLMSG_LENGTH(GENL_HDRLEN);

	if (len < (int64_t)sizeof(m->head))
		return -EBADMSG;
	if (m->head.nlmsg_type == NLMSG_ERROR && len >= NLMSG_LENGTH(4)) {
		int32_t err;

		memcpy(&err, m->body, sizeof(err));
		return err < 0 ? err : -EBADMSG;
	}
	while (at + sizeof(struct nlattr) <= (uint64_t)len) {
		struct nlattr a;
		uint16_t id;

		memcpy(&a, (const char *)m + at, sizeof(a));
		if (a.nla_type == CTRL_ATTR_FAMILY_ID &&
		    at + sizeof(a) + sizeof(id) <= (uint64_t)len) {
			memcpy(&id, (const char *)m + at + sizeof(a),
			       sizeof(id));
			return id;
		}
		if (a.nla_len < sizeof(a))
			break;
		at += NLMSG_ALIGN(a.nla_len);
	}
	return -EBADMSG;
}

static void ask_family(struct message *m, const char *name)
{
	struct genlmsghdr get = { .cmd = CTRL_CMD_GETFAMILY };

	start(m, GENL_ID_CTRL, 0, &get, sizeof(get));
	attribute(m, CTRL_ATTR_FAMILY_NAME, name, (uint32_t)strlen(name) + 1);
}
