#include "apus_pool.h"

#include "vector.h"

// A NaN counts as greatest.
#define GREATER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

// Channels that are worked on together, few enough to stay in the first cache.
enum { BLOCK = 256 };

APUS_WIDE
void apus_pool_maximum(const apus_windows *windows, const float *restrict x, float *restrict y) {
  const apus_windows w = *windows;
  for (int64_t i = 0; i < w.count; i++, x += w.step, y += w.channels) {
    for (int64_t c = 0; c < w.channels; c++) y[c] = x[c];
    for (int64_t r = 0; r < w.rows; r++)
      for (int64_t s = r == 0; s < w.columns; s++) {
        const float *cell = x + r * w.row_stride + s * w.channels;
        for (int64_t c = 0; c < w.channels; c++) y[c] = GREATER(y[c], cell[c]);
      }
  }
}

APUS_WIDE
void apus_pool_mean(const apus_windows *windows, const float *restrict x, float factor, float *restrict y) {
  const apus_windows w = *windows;
  for (int64_t i = 0; i < w.count; i++, x += w.step, y += w.channels) {
    for (int64_t c = 0; c < w.channels; c++) y[c] = 0.f;
    for (int64_t r = 0; r < w.rows; r++)
      for (int64_t s = 0; s < w.columns; s++) {
        const float *cell = x + r * w.row_stride + s * w.channels;
        for (int64_t c = 0; c < w.channels; c++) y[c] += cell[c];
      }
    for (int64_t c = 0; c < w.channels; c++) y[c] *= factor;
  }
}

// One window's channels `first ..< first + count`. `left` is what is still to be given: the first match takes it all.
APUS_PART void give_to_first_maximum(const apus_windows *w, const float *restrict x, const float *restrict y,
                                     const float *restrict dy, float *restrict dx, int64_t count, int overwrites) {
  float left[BLOCK];
  for (int64_t c = 0; c < count; c++) left[c] = dy[c];
  for (int64_t r = 0; r < w->rows; r++)
    for (int64_t s = 0; s < w->columns; s++) {
      const int64_t cell = r * w->row_stride + s * w->channels;
      for (int64_t c = 0; c < count; c++) {
        const int matches = x[cell + c] == y[c];
        const float given = matches ? left[c] : 0.f;
        left[c] = matches ? 0.f : left[c];
        dx[cell + c] = overwrites ? given : dx[cell + c] + given;
      }
    }
}

APUS_WIDE
void apus_pool_maximum_gradient(const apus_windows *windows, const float *restrict x, const float *restrict y,
                                const float *restrict dy, float *restrict dx, int overwrites) {
  const apus_windows w = *windows;
  for (int64_t i = 0; i < w.count; i++)
    for (int64_t first = 0; first < w.channels; first += BLOCK) {
      const int64_t count = w.channels - first < BLOCK ? w.channels - first : BLOCK;
      const int64_t image = i * w.step + first, result = i * w.channels + first;
      if (overwrites) {
        give_to_first_maximum(&w, x + image, y + result, dy + result, dx + image, count, 1);
      } else {
        give_to_first_maximum(&w, x + image, y + result, dy + result, dx + image, count, 0);
      }
    }
}

APUS_WIDE
void apus_pool_mean_gradient(const apus_windows *windows, const float *restrict dy, float factor,
                             float *restrict dx) {
  const apus_windows w = *windows;
  for (int64_t i = 0; i < w.count; i++, dx += w.step, dy += w.channels)
    for (int64_t r = 0; r < w.rows; r++)
      for (int64_t s = 0; s < w.columns; s++) {
        float *cell = dx + r * w.row_stride + s * w.channels;
        for (int64_t c = 0; c < w.channels; c++) cell[c] += dy[c] * factor;
      }
}
