#include <stdint.h>
#include <string.h>

static long syz_memcpy_off(uint64_t to, uint32_t to_offset, uint64_t from,
			   uint32_t from_offset, uint64_t bytes)
{
	return (long)memcpy((char *)to + to_offset, (char *)from + from_offset,
			    bytes);
}
