#ifndef APUS_THREADS_THREADS_H
#define APUS_THREADS_THREADS_H

/// One part of a piece of work: `part` of `0 ..< parts`.
typedef void (*apus_task)(void *context, int part, int parts);

// Whether OpenMP is loaded is settled by the first call of any of these functions.

/// Number of threads that work is cut for: `APUS_THREADS` where it is a positive number, else what OpenMP uses where it
/// is loaded, else all cores.
int apus_thread_count(void);

/// Makes OpenMP use `apus_thread_count` threads for calls from the calling thread, where it is loaded.
void apus_adopt_thread(void);

/// Calls `task` for each of `parts` parts and returns when all have ended. Which thread takes which part is fixed.
/// Where OpenMP is loaded (oneDNN brings it) its threads do the work, so that the two do not fight for cores.
void apus_parallel(int parts, apus_task task, void *context);

#endif
