#include <errno.h>
#include <stdio.h>

/* Say how call `n` went: "call 3 = -1 22". */
static long print_result(unsigned n, long ret)
{
	int err = ret == -1 ? errno : 0;

	dprintf(1, "call %u = %ld %d\n", n, ret, err);
	errno = err;
	return ret;
}
