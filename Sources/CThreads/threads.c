#define _GNU_SOURCE
#include "CThreads.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#if defined(__linux__)
#include <sched.h>
#endif
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

// MARK: - OpenMP, where another library has loaded it

static struct {
  void (*parallel)(void (*body)(void *), void *data, unsigned threads, unsigned flags);
  int (*thread_number)(void);
  int (*thread_count)(void);
  int (*maximum_threads)(void);
  void (*set_threads)(int);
  bool is_loaded;
} openmp;

static int core_limit = INT_MAX;
static int thread_count;
static apus_thread_setting setting;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look_around(void) {
  *(void **)&openmp.parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  *(void **)&openmp.thread_number = dlsym(RTLD_DEFAULT, "omp_get_thread_num");
  *(void **)&openmp.thread_count = dlsym(RTLD_DEFAULT, "omp_get_num_threads");
  *(void **)&openmp.maximum_threads = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
  *(void **)&openmp.set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  openmp.is_loaded = openmp.parallel && openmp.thread_number && openmp.thread_count && openmp.maximum_threads &&
                     openmp.set_threads;

  const int cores = apus_core_count();
  const char *wanted = getenv("APUS_THREADS");
  thread_count = openmp.is_loaded ? openmp.maximum_threads() : cores;
  if (wanted) {
    char *end;
    const long number = strtol(wanted, &end, 10);
    setting = end == wanted || *end != 0 || number < 1 ? APUS_THREADS_INVALID
              : number > cores                         ? APUS_THREADS_CAPPED
                                                       : APUS_THREADS_TAKEN;
    if (setting == APUS_THREADS_TAKEN) thread_count = (int)number;
    if (setting == APUS_THREADS_CAPPED) thread_count = cores;
  }
  // Threads that share a core wait for each other at the end of every loop.
  if (thread_count > cores) thread_count = cores;
  if (thread_count < 1) thread_count = 1;
}

void apus_limit_cores(int cores) { core_limit = cores; }

int apus_core_count(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
#endif
  if (cores > core_limit) cores = core_limit;
  return cores < 1 ? 1 : (int)cores;
}

apus_thread_setting apus_threads_from_environment(void) {
  pthread_once(&once, look_around);
  return setting;
}

int apus_thread_count(void) {
  pthread_once(&once, look_around);
  return thread_count;
}

void apus_adopt_thread(void) {
  pthread_once(&once, look_around);
  // OpenMP keeps this number for each thread that calls it.
  if (openmp.is_loaded) openmp.set_threads(thread_count);
}

typedef struct {
  apus_task task;
  void *context;
  int parts;
} work;

static void run_share(const work *work, int thread, int threads) {
  for (int part = thread; part < work->parts; part += threads) work->task(work->context, part, work->parts);
}

static void run_openmp_share(void *data) { run_share(data, openmp.thread_number(), openmp.thread_count()); }

// MARK: - Our own threads, where it is not

// A short wait in a loop keeps threads ready for the next piece of work; then they sleep.
enum { SPINS = 4000 };

static struct {
  pthread_mutex_t user, lock;
  pthread_cond_t start, end;
  atomic_uint generation;
  atomic_int running;
  work work;
  int workers;
} pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER,
          0, 0, {0}, 0};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void *work_forever(void *argument) {
  const int thread = (int)(long)argument;
  unsigned seen = 0;
  for (;;) {
    for (int i = 0; i < SPINS && atomic_load(&pool.generation) == seen; i++) pause_briefly();
    if (atomic_load(&pool.generation) == seen) {
      pthread_mutex_lock(&pool.lock);
      while (atomic_load(&pool.generation) == seen) pthread_cond_wait(&pool.start, &pool.lock);
      pthread_mutex_unlock(&pool.lock);
    }
    seen++;
    run_share(&pool.work, thread, pool.workers + 1);
    if (atomic_fetch_sub(&pool.running, 1) == 1) {
      pthread_mutex_lock(&pool.lock);
      pthread_cond_signal(&pool.end);
      pthread_mutex_unlock(&pool.lock);
    }
  }
  return NULL;
}

static void start_workers(void) {
  for (int i = 1; i < apus_thread_count(); i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work_forever, (void *)(long)i) != 0) break;
    pthread_detach(thread);
    pool.workers++;
  }
}

static void run_on_pool(work work) {
  static pthread_once_t started = PTHREAD_ONCE_INIT;
  // Another thread's work has the pool: do all of ours here. Results do not depend on who computes a part.
  if (pthread_mutex_trylock(&pool.user) != 0) return run_share(&work, 0, 1);
  pthread_once(&started, start_workers);
  pool.work = work;
  atomic_store(&pool.running, pool.workers);
  pthread_mutex_lock(&pool.lock);
  atomic_fetch_add(&pool.generation, 1);
  pthread_cond_broadcast(&pool.start);
  pthread_mutex_unlock(&pool.lock);
  run_share(&work, 0, pool.workers + 1);
  for (int i = 0; i < SPINS && atomic_load(&pool.running) > 0; i++) pause_briefly();
  if (atomic_load(&pool.running) > 0) {
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.running) > 0) pthread_cond_wait(&pool.end, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
  }
  pthread_mutex_unlock(&pool.user);
}

void apus_parallel(int parts, apus_task task, void *context) {
  work work = {task, context, parts};
  const int threads = apus_thread_count();
  if (parts <= 1 || threads == 1) {
    run_share(&work, 0, 1);
  } else if (openmp.is_loaded) {
    openmp.parallel(run_openmp_share, &work, (unsigned)(parts < threads ? parts : threads), 0);
  } else {
    run_on_pool(work);
  }
}
