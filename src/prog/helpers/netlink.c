#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

/* A request: netlink(7), rtnetlink(7). */
struct message {
	struct nlmsghdr head;
	char body[512];
};

static void start(struct message *m, uint16_t type, uint16_t flags,
		  const void *body, uint32_t len)
{
	m->head = (struct nlmsghdr){ .nlmsg_len = NLMSG_LENGTH(len),
				     .nlmsg_type = type,
				     .nlmsg_flags = flags | NLM_F_REQUEST };
	memset(m->body, 0, sizeof(m->body));
	memcpy(m->body, body, len);
}

static void attribute(struct message *m, uint16_t type, const void *value,
		      uint32_t len)
{
	uint32_t at = NLMSG_ALIGN(m->head.nlmsg_len);
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len),
			    .nla_type = type };

	if (at + sizeof(a) + len > sizeof(*m))
		return;
	memcpy((char *)m + at, &a, sizeof(a));
	memcpy((char *)m + at + sizeof(a), value, len);
	m->head.nlmsg_len = at + a.nla_len;
}
