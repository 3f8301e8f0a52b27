// One pool of threads for the loops of the CPU backend: OpenMP's where it is loaded, else our own.
#ifndef APUS_CTHREADS_H
#define APUS_CTHREADS_H

/// One part of a piece of work: `part` of `0 ..< parts`.
typedef void (*apus_task)(void *context, int part, int parts);

// Whether OpenMP is loaded is settled by the first call of any of these functions.

/// What became of the environment variable `APUS_THREADS`: not there, used, more than there are cores, no number of
/// threads.
typedef enum { APUS_THREADS_UNSET, APUS_THREADS_TAKEN, APUS_THREADS_CAPPED, APUS_THREADS_INVALID } apus_thread_setting;
apus_thread_setting apus_threads_from_environment(void);

/// Sets how many cores' time the process may use, where that is less than there are; to be called first of all.
void apus_limit_cores(int cores);

/// Cores that this process may use.
int apus_core_count(void);

/// Number of threads that work is cut for: `APUS_THREADS`, else what OpenMP uses where it is loaded, else all cores; at
/// most one for each core.
int apus_thread_count(void);

/// Makes OpenMP use `apus_thread_count` threads for calls from the calling thread, where it is loaded.
void apus_adopt_thread(void);

/// Calls `task` for each of `parts` parts and returns when all have ended. Which thread takes which part is fixed.
/// Where OpenMP is loaded (oneDNN brings it) its threads do the work, so that the two do not fight for cores.
void apus_parallel(int parts, apus_task task, void *context);

#endif
