// One pool of threads, and the loops that run on it in vector registers.
#ifndef APUS_THREADS_H
#define APUS_THREADS_H

#include "apus_cells.h"
#include "apus_depthwise.h"
#include "apus_few_channels.h"
#include "apus_few_filters.h"
#include "apus_gemm.h"
#include "apus_pool.h"
#include "apus_rows.h"
#include "apus_threads.h"
#include "apus_tile.h"
#include "apus_winograd.h"

#endif
