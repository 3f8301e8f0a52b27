// Winograd's minimal filtering F(2x2, 3x3): a 2x2 tile of the result from a 4x4 tile of the image with 16 products
// instead of 36 (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016).
//
//   Y = A' [(G g G') * (B' d B)] A        * is the product of elements, ' transposes
//
// All three matrices hold only 0, 1, -1 and 1/2: the error is that of direct sums. F(4x4, 3x3) would save as much
// again; its error was measured as 20 to 40 times larger.
#ifndef APUS_WINOGRAD_PARTS_H
#define APUS_WINOGRAD_PARTS_H

#include "apus_winograd.h"
#include "vector.h"

#include <string.h>

enum {
  // Columns of a matrix that lie side by side: the width of a block of registers.
  PANEL = 32,
  // Elements of a transformed tile.
  POINTS = 16,
};

APUS_PART int64_t round_up(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }
APUS_PART int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Floats from one point's matrix to the next one's. A line more than the matrix: at a power of two all points would
// fall into the same few lines of the cache.
APUS_PART int64_t point_step(int64_t rows, int64_t columns) { return rows * columns + LANES; }

// MARK: - Tiles

// Where a 2x2 tile of results is, and the 4x4 tile of the image under it.
typedef struct {
  int64_t image, row, column;
} tile_place;

APUS_PART tile_place place_of(const apus_winograd *s, int64_t tile) {
  const int64_t across = (s->result_width + 1) / 2, down = (s->result_height + 1) / 2;
  return (tile_place){tile / (across * down), tile / across % down * 2, tile % across * 2};
}

// A square of `size` x `size` cells of an image NHWC from (row, column) on, one register of channels of each. Cells
// outside of the image and channels that it does not have are 0.
APUS_PART void load_square(const float *image, int64_t height, int64_t width, int64_t channels, int64_t row,
                           int64_t column, int64_t channel, const int size, lanes *cells) {
  const int64_t live = smaller(LANES, channels - channel);
  const float *first = image + (row * width + column) * channels + channel;
  if (row >= 0 && column >= 0 && row + size <= height && column + size <= width && live == LANES) {
    for (int r = 0; r < size; r++)
      for (int s = 0; s < size; s++) cells[r * size + s] = *(const lanes *)(first + (r * width + s) * channels);
    return;
  }
  for (int r = 0; r < size; r++)
    for (int s = 0; s < size; s++) {
      float cell[LANES] = {0};
      if (row + r >= 0 && row + r < height && column + s >= 0 && column + s < width) {
        const float *source = first + (r * width + s) * channels;
        if (live == LANES) {
          memcpy(cell, source, sizeof cell);
        } else {
          for (int64_t i = 0; i < live; i++) cell[i] = source[i];
        }
      }
      memcpy(&cells[r * size + s], cell, sizeof cell);
    }
}

// B' d B of a 4x4 tile: point p goes to `v + p * step`.
APUS_PART void transform_image(const lanes *d, float *v, int64_t step) {
  lanes t[16];
  for (int j = 0; j < 4; j++) {
    t[j] = d[j] - d[8 + j];
    t[4 + j] = d[4 + j] + d[8 + j];
    t[8 + j] = d[8 + j] - d[4 + j];
    t[12 + j] = d[4 + j] - d[12 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 4 * i;
    float *target = v + 4 * i * step;
    *(lanes *)target = row[0] - row[2];
    *(lanes *)(target + step) = row[1] + row[2];
    *(lanes *)(target + 2 * step) = row[2] - row[1];
    *(lanes *)(target + 3 * step) = row[1] - row[3];
  }
}

// A dy A' of a 2x2 tile: point p goes to `u + p * step`.
APUS_PART void transform_gradient(const lanes *y, float *u, int64_t step) {
  lanes t[8];
  for (int j = 0; j < 2; j++) {
    t[j] = y[j];
    t[2 + j] = y[j] + y[2 + j];
    t[4 + j] = y[j] - y[2 + j];
    t[6 + j] = -y[2 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 2 * i;
    float *target = u + 4 * i * step;
    *(lanes *)target = row[0];
    *(lanes *)(target + step) = row[0] + row[1];
    *(lanes *)(target + 2 * step) = row[0] - row[1];
    *(lanes *)(target + 3 * step) = -row[1];
  }
}

// MARK: - Products

// c = (adds ? c : 0) + sum over d of a[i * a_row + d * a_depth] * b[d * b_row + j]: 4 rows, 16 columns.
APUS_PART void multiply_narrow(const float *restrict a, int64_t a_row, int64_t a_depth, const float *restrict b,
                               int64_t b_row, int64_t depth, float *restrict c, int64_t c_row, const int adds) {
  lanes sums[4];
  APUS_UNROLL for (int i = 0; i < 4; i++) sums[i] = adds ? *(const lanes *)(c + i * c_row) : (lanes){0};
  for (int64_t d = 0; d < depth; d++) {
    const lanes line = *(const lanes *)(b + d * b_row);
    APUS_UNROLL for (int i = 0; i < 4; i++) sums[i] += a[i * a_row + d * a_depth] * line;
  }
  APUS_UNROLL for (int i = 0; i < 4; i++) *(lanes *)(c + i * c_row) = sums[i];
}

#ifdef APUS_WIDEST
// The same for `rows` (up to 12) rows and 32 columns: with two lines of `b` and a factor, 27 registers.
APUS_WIDEST APUS_PART void multiply_wide(const float *restrict a, int64_t a_row, int64_t a_depth,
                                         const float *restrict b, int64_t b_row, int64_t depth, float *restrict c,
                                         int64_t c_row, const int rows, const int adds) {
  lanes left[12], right[12];
  APUS_UNROLL for (int i = 0; i < rows; i++) {
    left[i] = adds ? *(const lanes *)(c + i * c_row) : (lanes){0};
    right[i] = adds ? *(const lanes *)(c + i * c_row + LANES) : (lanes){0};
  }
  for (int64_t d = 0; d < depth; d++) {
    const lanes line = *(const lanes *)(b + d * b_row), next = *(const lanes *)(b + d * b_row + LANES);
    APUS_UNROLL for (int i = 0; i < rows; i++) {
      const float factor = a[i * a_row + d * a_depth];
      left[i] += factor * line;
      right[i] += factor * next;
      // Keeps the compiler from loading all factors first, for which there are no registers left.
      __asm__("" : "+v"(left[i]), "+v"(right[i]) : : "memory");
    }
  }
  APUS_UNROLL for (int i = 0; i < rows; i++) {
    *(lanes *)(c + i * c_row) = left[i];
    *(lanes *)(c + i * c_row + LANES) = right[i];
  }
}

// c [rows, 32] = a [rows, depth] * b [depth, 32]; `rows` is a multiple of 4.
APUS_WIDEST APUS_PART void multiply_panel_wide(const float *a, int64_t a_row, int64_t rows, const float *b,
                                               int64_t depth, float *c) {
  int64_t t = 0;
  for (; t + 12 <= rows; t += 12) multiply_wide(a + t * a_row, a_row, 1, b, PANEL, depth, c + t * PANEL, PANEL, 12, 0);
  for (; t + 8 <= rows; t += 8) multiply_wide(a + t * a_row, a_row, 1, b, PANEL, depth, c + t * PANEL, PANEL, 8, 0);
  for (; t < rows; t += 4) multiply_wide(a + t * a_row, a_row, 1, b, PANEL, depth, c + t * PANEL, PANEL, 4, 0);
}

#endif

APUS_PART void multiply_panel_narrow(const float *a, int64_t a_row, int64_t rows, const float *b, int64_t depth,
                                     float *c) {
  for (int64_t t = 0; t < rows; t += 4)
    for (int64_t k = 0; k < PANEL; k += LANES)
      multiply_narrow(a + t * a_row, a_row, 1, b + k, PANEL, depth, c + t * PANEL + k, PANEL, 0);
}

#endif
