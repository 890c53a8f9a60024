#include <stdio.h>
#include <string.h>

/* A number as text, without a NUL. */
static void put_text(void *to, const char *format, unsigned long long number)
{
	char text[32];

	memcpy(to, text, (size_t)snprintf(text, sizeof(text), format, number));
}
