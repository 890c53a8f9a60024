#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void program(void);

/* Run it `times` times, each in a process and a directory of its own. */
static void repeat(unsigned times, unsigned seconds)
{
	for (unsigned i = 0; i < times; i++) {
		char dir[] = "./run.XXXXXX";
		pid_t pid;

		if (!mkdtemp(dir))
			dir[0] = '.', dir[1] = '\0';
		pid = fork();
		if (!pid) {
			setpgid(0, 0);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (chdir(dir))
				_exit(1);
			alarm(seconds);
			program();
			_exit(0);
		}
		waitpid(pid, NULL, __WALL);
		kill(-pid, SIGKILL);
	}
}
