#include "apus_augment.h"

#include <math.h>
#include <string.h>

#include "vector.h"

// What kernels/augment.cl takes from OpenCL, for one picture on the calling thread.
#define INLINED APUS_PART
#define GLOBAL
#define LOCAL
#define LANE 0
#define LANES 1
#define SYNC
#define COUNT_UP(pointer) ++*(pointer)
#define GROUP_SUM(v) ((void)shared, (v))
#define GROUP_MAX(v) (v)
#define SOURCE_TYPE uint8_t
#define EDIT 12
#define NEIGHBOURS 1

// C's functions of these names compute in double.
#define fmin(a, b) ((b) < (a) ? (b) : (a))
#define fmax(a, b) ((b) > (a) ? (b) : (a))
#define fabs fabsf
#define exp expf
#define pow powf
APUS_PART int min(int a, int b) { return a < b ? a : b; }
APUS_PART int max(int a, int b) { return a > b ? a : b; }

#include "../../kernels/augment_move.cl"
// Follows it.
#include "../../kernels/augment.cl"

APUS_PART void picture(bool is_bytes, const void *x, const float *edits, float *y, float *work, int slots, float white,
                       int height, int width, const int channels) {
  int levels[MOST_CHANNELS * LEVELS];
  if (is_bytes)
    augment_load(x, y, edits, height, width, channels);
  else
    augment_move(x, y, edits, height, width, channels);
  augment_picture(edits, y, work, 0, levels, slots, white, height, width, channels);
}

APUS_WIDE
void apus_augment(bool is_bytes, const void *x, const float *edits, float *y, float *work, int slots, float white,
                  int height, int width, int channels) {
  // Loops over so few channels unrolled.
  switch (channels) {
    case 1: return picture(is_bytes, x, edits, y, work, slots, white, height, width, 1);
    case 3: return picture(is_bytes, x, edits, y, work, slots, white, height, width, 3);
    default: return picture(is_bytes, x, edits, y, work, slots, white, height, width, channels);
  }
}
