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
  // Elements of a transformed tile.
  POINTS = 16,
  // Filters of a panel, whose products are computed one panel after the other.
  PANEL = 32,
};

APUS_PART int64_t round_up(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }
APUS_PART int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// MARK: - Layout
//
// There is a product of matrices for each point. A register holds 16 filters of one point; where these would leave many
// lanes empty, it holds 4 filters of each of four points. These points are a unit, of 4 or else of 1: a matrix has them
// side by side for each channel or filter, and there are POINTS / unit matrices.
//
// Channels and filters come in blocks of 16. With a unit of 4, those of a block are in the order that `exchange_fours`
// gives: where a block has `n` fours of them (4, but for the last block), number 4 L + q is at place q n + L.

APUS_PART int unit_for(int64_t filters) { return round_up(filters, PANEL) * 10 > filters * 11 ? 4 : 1; }

// Floats of a row of transformed tiles. A line more than its channels take: at a power of two all rows would fall into
// the same few lines of the cache, and blocks are written as if they were full.
APUS_PART int64_t row_size(int64_t channels, const int unit) { return round_up(channels, 4) * unit + LANES; }

// Floats from one matrix to the next one.
APUS_PART int64_t matrix_size(int64_t rows, int64_t row) { return rows * row + LANES; }

// Registers that `filters` of them take.
APUS_PART int64_t registers_for(int64_t filters, const int unit) { return (filters * unit + LANES - 1) / LANES; }

// Fours of the block of 16 channels that begins at `first`.
APUS_PART int64_t fours_of(int64_t channels, int64_t first) { return smaller(4, (channels - first + 3) / 4); }

APUS_PART int64_t place_of_channel(int64_t channels, int64_t channel, const int unit) {
  const int64_t first = channel / LANES * LANES, own = channel - first;
  return unit == 1 ? channel : first + own % 4 * fours_of(channels, first) + own / 4;
}

APUS_PART int64_t channel_at_place(int64_t channels, int64_t place, const int unit) {
  const int64_t first = place / LANES * LANES, own = place - first, fours = fours_of(channels, first);
  return unit == 1 ? place : first + own % fours * 4 + own / fours;
}

// Where the four points of a row of a tile are, for the block of 16 channels that begins at `first`: floats from one
// row to the next, and from one register to the next.
typedef struct {
  int64_t row, next;
} point_steps;

APUS_PART point_steps steps_of(int64_t channels, int64_t first, int64_t matrix, const int unit) {
  return unit == 1 ? (point_steps){4 * matrix, matrix} : (point_steps){matrix, fours_of(channels, first) * 4};
}

// Exchanges the element of a register's four with the number of the register: of 16 channels of each of 4 points it
// makes 4 points of each of 4 channels, and back.
APUS_PART void exchange_fours(lanes *x) {
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
  const lanes low = LOW(x[0], x[1]), high = HIGH(x[0], x[1]);
  const lanes next_low = LOW(x[2], x[3]), next_high = HIGH(x[2], x[3]);
  x[0] = LOW_PAIRS(low, next_low);
  x[1] = HIGH_PAIRS(low, next_low);
  x[2] = LOW_PAIRS(high, next_high);
  x[3] = HIGH_PAIRS(high, next_high);
#undef LOW
#undef HIGH
#undef LOW_PAIRS
#undef HIGH_PAIRS
}

// A row's four points of 16 channels.
APUS_PART void store_points(lanes *x, point_steps steps, const int unit, float *target) {
  if (unit == 4) exchange_fours(x);
  APUS_UNROLL for (int q = 0; q < 4; q++) *(lanes *)(target + q * steps.next) = x[q];
}

// MARK: - Tiles

// Where a 2x2 tile of results is, and the 4x4 tile of the image under it.
typedef struct {
  int64_t image, row, column;
} tile_place;

APUS_PART tile_place place_of(const apus_winograd *s, int64_t tile) {
  const int64_t across = (s->result_width + 1) / 2, down = (s->result_height + 1) / 2;
  return (tile_place){tile / (across * down), tile / across % down * 2, tile % across * 2};
}

APUS_PART tile_place place_after(const apus_winograd *s, tile_place place) {
  place.column += 2;
  if (place.column < s->result_width) return place;
  place.column = 0;
  place.row += 2;
  if (place.row < s->result_height) return place;
  return (tile_place){place.image + 1, 0, 0};
}

typedef float four __attribute__((vector_size(4 * sizeof(float)), aligned(4)));

// Sets all lanes but the first `live` to 0.
APUS_PART void keep_live(lanes *value, int64_t live) {
  const lane_bits number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  *value = (lanes)((lane_bits)*value & (number < (int32_t)smaller(live, LANES)));
}

// Up to 16 floats, of which there are `live`; the others are 0. They are read where the array goes on to `end`.
APUS_PART void load_live(const float *x, int64_t live, const float *end, lanes *value) {
  if (x + LANES <= end) {
    *value = *(const lanes *)x;
    if (live < LANES) keep_live(value, live);
  } else {
    float floats[LANES] = {0};
    for (int64_t i = 0; i < smaller(live, LANES); i++) floats[i] = x[i];
    memcpy(value, floats, sizeof floats);
  }
}

APUS_PART void store_live(const lanes *value, int64_t live, float *x) {
  if (live >= LANES) {
    *(lanes *)x = *value;
    return;
  }
  const lanes all = *value;
  typedef float eight __attribute__((vector_size(8 * sizeof(float)), aligned(4)));
  if (live >= 8) *(eight *)x = __builtin_shufflevector(all, all, 0, 1, 2, 3, 4, 5, 6, 7);
  if (live >= 12) *(four *)(x + 8) = __builtin_shufflevector(all, all, 8, 9, 10, 11);
  if (live >= 4 && live < 8) *(four *)x = __builtin_shufflevector(all, all, 0, 1, 2, 3);
  for (int64_t i = live / 4 * 4; i < live; i++) x[i] = (*value)[i];
}

// A square of `size` x `size` cells of images NHWC from (row, column) of one of them on, one register of channels of
// each. Cells outside of the image and channels that it does not have are 0.
APUS_PART void load_square(const float *images, int64_t count, tile_place place, int64_t height, int64_t width,
                           int64_t channels, int64_t channel, const int size, lanes *cells) {
  const int64_t live = channels - channel, row = place.row, column = place.column;
  const float *end = images + count * height * width * channels;
  const float *first = images + ((place.image * height + row) * width + column) * channels + channel;
  if (row >= 0 && column >= 0 && row + size <= height && column + size <= width &&
      first + ((size - 1) * width + size - 1) * channels + LANES <= end) {
    for (int r = 0; r < size; r++)
      for (int s = 0; s < size; s++) cells[r * size + s] = *(const lanes *)(first + (r * width + s) * channels);
    if (live < LANES && live % 4 != 0)
      for (int i = 0; i < size * size; i++) keep_live(&cells[i], live);
    return;
  }
  for (int r = 0; r < size; r++)
    for (int s = 0; s < size; s++) {
      lanes *cell = &cells[r * size + s];
      if (row + r >= 0 && row + r < height && column + s >= 0 && column + s < width) {
        load_live(first + (r * width + s) * channels, live, end, cell);
      } else {
        *cell = (lanes){0};
      }
    }
}

// B' d B of a 4x4 tile: row i goes to `v + i * steps.row`.
APUS_PART void transform_image(const lanes *d, point_steps steps, const int unit, float *v) {
  lanes t[16];
  for (int j = 0; j < 4; j++) {
    t[j] = d[j] - d[8 + j];
    t[4 + j] = d[4 + j] + d[8 + j];
    t[8 + j] = d[8 + j] - d[4 + j];
    t[12 + j] = d[4 + j] - d[12 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 4 * i;
    lanes points[4] = {row[0] - row[2], row[1] + row[2], row[2] - row[1], row[1] - row[3]};
    store_points(points, steps, unit, v + i * steps.row);
  }
}

// A dy A' of a 2x2 tile: row i goes to `u + i * steps.row`.
APUS_PART void transform_gradient(const lanes *y, point_steps steps, const int unit, float *u) {
  lanes t[8];
  for (int j = 0; j < 2; j++) {
    t[j] = y[j];
    t[2 + j] = y[j] + y[2 + j];
    t[4 + j] = y[j] - y[2 + j];
    t[6 + j] = -y[2 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 2 * i;
    lanes points[4] = {row[0], row[0] + row[1], row[0] - row[1], -row[1]};
    store_points(points, steps, unit, u + i * steps.row);
  }
}

// MARK: - Products

// A channel's points, once for each filter of a register.
#define FOUR_TIMES(x) __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3)
#define FACTOR(x, unit) ((unit) == 1 ? *(x) - (lanes){0} : FOUR_TIMES(*(const four *)(x)))

// c = (adds ? c : 0) + sum over d of a[i * a_row + d * a_depth] * b[d * b_row + j], point by point: 4 rows, one
// register. What is added joins a finished sum: many sums added up keep more digits than one long one.
APUS_PART void multiply_narrow(const float *restrict a, int64_t a_row, int64_t a_depth, const float *restrict b,
                               int64_t b_row, int64_t depth, float *restrict c, int64_t c_row, const int unit,
                               const int adds) {
  lanes sums[4];
  APUS_UNROLL for (int i = 0; i < 4; i++) sums[i] = (lanes){0};
  for (int64_t d = 0; d < depth; d++) {
    const lanes line = *(const lanes *)(b + d * b_row);
    APUS_UNROLL for (int i = 0; i < 4; i++) sums[i] += FACTOR(a + i * a_row + d * a_depth, unit) * line;
  }
  APUS_UNROLL for (int i = 0; i < 4; i++) {
    lanes *target = (lanes *)(c + i * c_row);
    *target = adds ? *target + sums[i] : sums[i];
  }
}

// The same for `rows`, a multiple of 4, and `registers`.
APUS_PART void multiply_rows_narrow(const float *a, int64_t a_row, int64_t a_depth, int64_t rows, const float *b,
                                    int64_t b_row, int64_t registers, int64_t depth, float *c, int64_t c_row,
                                    const int unit, const int adds) {
  for (int64_t t = 0; t < rows; t += 4)
    for (int64_t k = 0; k < registers * LANES; k += LANES)
      multiply_narrow(a + t * a_row, a_row, a_depth, b + k, b_row, depth, c + t * c_row + k, c_row, unit, adds);
}

#ifdef APUS_WIDEST
// The same for `rows` (up to 12) rows and `registers` (1 or 2): with two lines of `b` and a factor, 27 registers.
APUS_WIDEST APUS_PART void multiply_wide(const float *restrict a, int64_t a_row, int64_t a_depth,
                                         const float *restrict b, int64_t b_row, int64_t depth, float *restrict c,
                                         int64_t c_row, const int rows, const int registers, const int unit,
                                         const int adds) {
  lanes sums[12][2];
  APUS_UNROLL for (int i = 0; i < rows; i++)
    APUS_UNROLL for (int j = 0; j < registers; j++) sums[i][j] = (lanes){0};
  for (int64_t d = 0; d < depth; d++) {
    lanes line[2];
    APUS_UNROLL for (int j = 0; j < registers; j++) line[j] = *(const lanes *)(b + d * b_row + j * LANES);
    APUS_UNROLL for (int i = 0; i < rows; i++) {
      const lanes factor = FACTOR(a + i * a_row + d * a_depth, unit);
      APUS_UNROLL for (int j = 0; j < registers; j++) sums[i][j] += factor * line[j];
      // Keeps the compiler from loading all factors first, for which there are no registers left.
      APUS_UNROLL for (int j = 0; j < registers; j++) __asm__("" : "+v"(sums[i][j]) : : "memory");
    }
  }
  APUS_UNROLL for (int i = 0; i < rows; i++)
    APUS_UNROLL for (int j = 0; j < registers; j++) {
      lanes *target = (lanes *)(c + i * c_row + j * LANES);
      *target = adds ? *target + sums[i][j] : sums[i][j];
    }
}

APUS_WIDEST APUS_PART void multiply_rows_wide(const float *a, int64_t a_row, int64_t a_depth, int64_t rows,
                                              const float *b, int64_t b_row, int64_t registers, int64_t depth,
                                              float *c, int64_t c_row, const int unit, const int adds) {
#define ROWS(count) \
  for (; t + count <= rows; t += count) { \
    const float *own = a + t * a_row; \
    float *target = c + t * c_row; \
    int64_t k = 0; \
    for (; k + 2 * LANES <= registers * LANES; k += 2 * LANES) \
      multiply_wide(own, a_row, a_depth, b + k, b_row, depth, target + k, c_row, count, 2, unit, adds); \
    if (k < registers * LANES) \
      multiply_wide(own, a_row, a_depth, b + k, b_row, depth, target + k, c_row, count, 1, unit, adds); \
  }
  int64_t t = 0;
  ROWS(12)
  ROWS(8)
  ROWS(4)
#undef ROWS
}
#endif

#endif
