// Loops over arrays of floats in vector registers, each on the calling thread.
#ifndef APUS_CVECTOR_H
#define APUS_CVECTOR_H

#include "apus_augment.h"
#include "apus_cells.h"
#include "apus_depthwise.h"
#include "apus_few_channels.h"
#include "apus_few_filters.h"
#include "apus_gemm.h"
#include "apus_normalize.h"
#include "apus_pool.h"
#include "apus_rows.h"
#include "apus_tile.h"
#include "apus_winograd.h"

#endif
