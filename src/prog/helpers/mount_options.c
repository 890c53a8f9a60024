#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define OPTIONS_BYTES 4096

static bool has_option(const char *opts, const char *name)
{
	size_t len = strlen(name);

	for (; *opts; opts += strcspn(opts, ","), opts += *opts == ',')
		if (!strncmp(opts, name, len) &&
		    (!opts[len] || opts[len] == ','))
			return true;
	return false;
}

static void add_option(char *opts, const char *name)
{
	size_t len = strlen(opts);

	if (len + strlen(name) + 2 < OPTIONS_BYTES)
		snprintf(opts + len, OPTIONS_BYTES - len, "%s%s",
			 len ? "," : "", name);
}

/* A damaged image is no reason to panic, and one whose UUID was seen before is
 * none to refuse it (ext4(5), xfs(5), Documentation/filesystems/gfs2). */
static void fit_options(const char *fs, char *opts, uint64_t *flags)
{
	if (!strcmp(fs, "iso9660"))
		*flags |= MS_RDONLY;
	if (!strncmp(fs, "ext", 3) && (has_option(opts, "errors=panic") ||
				       !has_option(opts, "errors=remount-ro")))
		add_option(opts, "errors=continue");
	if (!strcmp(fs, "xfs"))
		add_option(opts, "nouuid");
	if (!strcmp(fs, "gfs2") &&
	    (has_option(opts, "errors=panic") || has_option(opts, "debug")))
		add_option(opts, "errors=withdraw");
}
