#include "apus_cells.h"

#include "vector.h"

// In whole registers, of which the last two may overlap.
APUS_PART void copy_cell(const float *restrict source, int64_t channels, float *restrict target) {
  if (channels < LANES) {
    for (int64_t c = 0; c < channels; c++) target[c] = source[c];
    return;
  }
  for (int64_t c = 0; c + LANES <= channels; c += LANES) *(lanes *)(target + c) = *(const lanes *)(source + c);
  *(lanes *)(target + channels - LANES) = *(const lanes *)(source + channels - LANES);
}

APUS_WIDE
void apus_gather_cells(const float *line, int64_t step, int64_t count, int64_t channels, float *cells) {
  for (int64_t i = 0; i < count; i++) copy_cell(line + i * step, channels, cells + i * channels);
}
