#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct job {
	long nr, args[6];
	long *result;
	sem_t done;
};

static void *run_job(void *arg)
{
	struct job *j = arg;
	long *a = j->args;
	long ret = syscall(j->nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	if (j->result)
		*j->result = ret;
	sem_post(&j->done);
	return NULL;
}

/* A system call on a thread of its own; wait for it at most `ms`. */
static void in_thread(long *result, unsigned ms, long nr, long a, long b,
		      long c, long d, long e, long f)
{
	struct job *j = malloc(sizeof(*j)); /* a blocked call keeps it */
	struct timespec until;
	pthread_t thread;

	*j = (struct job){ .nr = nr,
			   .args = { a, b, c, d, e, f },
			   .result = result };
	sem_init(&j->done, 0, 0);
	if (pthread_create(&thread, NULL, run_job, j))
		return;
	pthread_detach(thread);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	if (ms)
		sem_timedwait(&j->done, &until);
}
