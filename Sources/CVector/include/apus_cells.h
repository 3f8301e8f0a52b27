#ifndef APUS_VECTOR_CELLS_H
#define APUS_VECTOR_CELLS_H

#include <stdint.h>

/// Copies `count` cells of `channels` floats, which start `step` floats apart in `line`, side by side to `cells`.
void apus_gather_cells(const float *line, int64_t step, int64_t count, int64_t channels, float *cells);

#endif
