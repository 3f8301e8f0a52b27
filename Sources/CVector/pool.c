#include "apus_pool.h"

#include "apus_rows.h"
#include "vector.h"

// Cells of a window that are summed one after the other; a larger window's sum is that of its halves.
enum { LONGEST = 256 };

// A NaN counts as greatest.
#define GREATER(a, b) ((b) > (a) || (b) != (b) ? (b) : (a))

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

static void sum_rows(const apus_windows *w, const float *x, int64_t rows, int64_t channels, float *y) {
  if (rows == 1) return apus_sum_panel(x, w->channels, w->columns, channels, y);
  const int64_t first = rows / 2;
  float rest[APUS_PANEL];
  sum_rows(w, x, first, channels, y);
  sum_rows(w, x + first * w->row_stride, rows - first, channels, rest);
  for (int64_t c = 0; c < channels; c++) y[c] += rest[c];
}

static void sum_window(const apus_windows *w, const float *x, float *y) {
  for (int64_t c = 0; c < w->channels; c += APUS_PANEL)
    sum_rows(w, x + c, w->rows, w->channels - c < APUS_PANEL ? w->channels - c : APUS_PANEL, y + c);
}

APUS_WIDE
void apus_pool_mean(const apus_windows *windows, const float *restrict x, float factor, float *restrict y) {
  const apus_windows w = *windows;
  for (int64_t i = 0; i < w.count; i++, x += w.step, y += w.channels) {
    if (w.rows * w.columns > LONGEST) {
      sum_window(&w, x, y);
    } else {
      for (int64_t c = 0; c < w.channels; c++) y[c] = 0.f;
      for (int64_t r = 0; r < w.rows; r++)
        for (int64_t s = 0; s < w.columns; s++) {
          const float *cell = x + r * w.row_stride + s * w.channels;
          for (int64_t c = 0; c < w.channels; c++) y[c] += cell[c];
        }
    }
    for (int64_t c = 0; c < w.channels; c++) y[c] *= factor;
  }
}

// One window's channels, a register at a time. `left` is what is still to be given: the first match takes it. Where a
// window holds a NaN, that is its maximum.
APUS_PART void give_lanes(const apus_windows *w, const float *restrict x, const float *restrict y,
                          const float *restrict dy, float *restrict dx, int overwrites) {
  const lanes maximum = *(const lanes *)y;
  lane_bits left = *(const lane_bits *)dy;
  for (int64_t r = 0; r < w->rows; r++)
    for (int64_t s = 0; s < w->columns; s++) {
      const int64_t cell = r * w->row_stride + s * w->channels;
      const lanes value = *(const lanes *)(x + cell);
      const lane_bits matches = (value == maximum) | (value != value);
      const lanes given = (lanes)(left & matches);
      left &= ~matches;
      *(lanes *)(dx + cell) = overwrites ? given : *(const lanes *)(dx + cell) + given;
    }
}

APUS_PART void give_one(const apus_windows *w, const float *restrict x, float maximum, float left, float *restrict dx,
                        int overwrites) {
  for (int64_t r = 0; r < w->rows; r++)
    for (int64_t s = 0; s < w->columns; s++) {
      const int64_t cell = r * w->row_stride + s * w->channels;
      const int matches = x[cell] == maximum || x[cell] != x[cell];
      dx[cell] = (overwrites ? 0.f : dx[cell]) + (matches ? left : 0.f);
      left = matches ? 0.f : left;
    }
}

APUS_PART void give(const apus_windows *w, const float *restrict x, const float *restrict y, const float *restrict dy,
                    float *restrict dx, int overwrites) {
  for (int64_t i = 0; i < w->count; i++, x += w->step, dx += w->step, y += w->channels, dy += w->channels) {
    int64_t c = 0;
    for (; c + LANES <= w->channels; c += LANES) give_lanes(w, x + c, y + c, dy + c, dx + c, overwrites);
    for (; c < w->channels; c++) give_one(w, x + c, y[c], dy[c], dx + c, overwrites);
  }
}

APUS_WIDE
void apus_pool_maximum_gradient(const apus_windows *windows, const float *restrict x, const float *restrict y,
                                const float *restrict dy, float *restrict dx, int overwrites) {
  const apus_windows w = *windows;
  if (overwrites) {
    give(&w, x, y, dy, dx, 1);
  } else {
    give(&w, x, y, dy, dx, 0);
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
