// Depthwise convolution with stride 1, forward and filter gradient.
//
//   y[p, i] = sum over r, s of x[p + r - top, i + (s - left) * channels] * filter[r, s, i mod channels]
//
// where `i` runs over the pixels and channels of a row, so that vectors are full for any number of channels; the
// filter's taps are laid out with what follows them cyclically. A vector goes down the rows with its part of the filter
// in registers: each value of x is loaded once for every column of the filter.
#include "apus_depthwise.h"

#include "vector.h"

#include <string.h>

enum {
  MOST_WINDOW = 5,
  MOST_ROWS = 16,
  MOST_LINES = MOST_ROWS + MOST_WINDOW - 1,
  // Vectors side by side that go down the rows one after the other, and then those of the next pixel, which read the
  // same values.
  BLOCK = 4,
};

#define LOAD(pointer) (*(const lanes *)(pointer))

static int64_t line_length(const apus_depthwise *s) { return s->width * s->channels; }
static int64_t row_length(const apus_depthwise *s) { return s->result_width * s->channels; }
// Of a tap's values for all channels, and what follows cyclically.
static int64_t tap_length(const apus_depthwise *s) { return s->channels + LANES - 1; }

int apus_depthwise_suits(const apus_depthwise *s) {
  return (s->window == 3 || s->window == 5) && line_length(s) >= LANES && row_length(s) >= LANES &&
         s->result_height >= s->window - 1;
}

int64_t apus_depthwise_filter_count(const apus_depthwise *s) { return (s->window * s->window + 1) * tap_length(s); }

// `to` = `values` and what follows them cyclically.
static void repeat(const float *values, int64_t count, float *to) {
  memcpy(to, values, count * sizeof(float));
  for (int64_t i = 0; i < LANES - 1; i++) to[count + i] = to[i];
}

void apus_depthwise_lay_out(const apus_depthwise *s, const float *filter, int turned, const float *bias,
                            float *laid_out) {
  const int64_t taps = s->window * s->window, length = tap_length(s);
  for (int64_t tap = 0; tap < taps; tap++)
    repeat(filter + (turned ? taps - 1 - tap : tap) * s->channels, s->channels, laid_out + tap * length);
  if (bias) {
    repeat(bias, s->channels, laid_out + taps * length);
  } else {
    memset(laid_out + taps * length, 0, length * sizeof(float));
  }
}

int64_t apus_depthwise_most_rows(const apus_depthwise *s) {
  // Rows that lie multiples of 2 KB apart share a few sets of the first cache.
  return line_length(s) % 512 == 0 ? MOST_ROWS / 2 : MOST_ROWS;
}

// Three lines with room for a vector on either side: one of zeros, and copies of the first and last line of an image.
static int64_t padded_length(const apus_depthwise *s) { return line_length(s) + 2 * LANES; }
int64_t apus_depthwise_scratch(const apus_depthwise *s) { return 3 * padded_length(s); }

// The image's rows under rows of the result, a line of zeros where there is none. Vectors may reach over the ends of
// each of them.
static void lines_under(const apus_depthwise *s, const float *image, int64_t first, int64_t rows, float *scratch,
                        const float **lines) {
  const int64_t begin = first - s->top, count = rows + s->window - 1;
  if (begin < 0 || begin + count > s->height) memset(scratch, 0, padded_length(s) * sizeof(float));
  for (int64_t j = 0; j < count; j++) {
    const int64_t y = begin + j;
    const float *line = image + y * line_length(s);
    lines[j] = scratch + LANES;
    if (y < 0 || y >= s->height) continue;
    lines[j] = line;
    if (s->channels % LANES == 0 || (y > 0 && y < s->height - 1)) continue;
    float *copy = scratch + (y == 0 ? 1 : 2) * padded_length(s) + LANES;
    memcpy(copy, line, line_length(s) * sizeof(float));
    lines[j] = copy;
  }
}

// One vector of a result's row, and where it finds its operands.
typedef struct {
  int64_t first;
  int64_t channel;
  // For each column of the filter where its values of x begin in their line, and which of them are not padding.
  int64_t begins[MOST_WINDOW];
  lane_bits inside[MOST_WINDOW];
  // Lanes that no other vector has.
  lane_bits own;
} vector_place;

// Lanes `begin ..< end`.
APUS_PART void set_lanes(lane_bits *bits, int64_t begin, int64_t end) {
  static const int32_t ones[3 * LANES] = {[LANES ... 2 * LANES - 1] = -1};
  begin = begin < 0 ? 0 : begin < LANES ? begin : LANES;
  end = end < 0 ? 0 : end < LANES ? end : LANES;
  *bits = *(const lane_bits *)(ones + LANES - begin) & *(const lane_bits *)(ones + 2 * LANES - end);
}

// Of the vector `index`; the last one ends with the row. `is_inner` says whether the place is one without padding, and
// becomes whether it is.
APUS_PART void find_place(const apus_depthwise *s, int64_t index, vector_place *place, int *is_inner,
                          const int window) {
  const int64_t begin = index * LANES, row = row_length(s), line = line_length(s), channels = s->channels;
  const int64_t first = begin + LANES <= row ? begin : row - LANES, x = first - s->left * channels;
  place->first = first;
  place->channel = first % channels;
  APUS_UNROLL for (int c = 0; c < window; c++) place->begins[c] = x + c * channels;
  const int inner = first == begin && x >= 0 && x + (window - 1) * channels + LANES <= line;
  if (inner && *is_inner) return;
  *is_inner = inner;
  set_lanes(&place->own, begin - first, LANES);
  for (int c = 0; c < window; c++) {
    const int64_t from = place->begins[c];
    set_lanes(&place->inside[c], -from, line - from);
    if (from <= -LANES || from >= line) place->begins[c] = 0;
  }
}

#define LOAD_INSIDE(line, place, column) \
  ((lanes)((lane_bits)LOAD((line) + (place)->begins[column]) & (place)->inside[column]))

// Adds the products of one line to the sums of the rows of the result that it meets with rows `begin ..< end` of the
// filter: sums[r] becomes the sum of the one that meets row r.
APUS_PART void add_line(const float *line, const vector_place *place, const lanes taps[MOST_WINDOW][MOST_WINDOW],
                        const lanes *bias, lanes sums[MOST_WINDOW], const int begin, const int end, const int window) {
  lanes x[MOST_WINDOW], before[MOST_WINDOW];
  APUS_UNROLL for (int c = 0; c < window; c++) x[c] = LOAD_INSIDE(line, place, c);
  APUS_UNROLL for (int r = begin; r < end; r++) before[r] = r > 0 ? sums[r - 1] : *bias;
  APUS_UNROLL for (int r = begin; r < end; r++) {
    sums[r] = before[r];
    APUS_UNROLL for (int c = 0; c < window; c++) sums[r] += x[c] * taps[r][c];
  }
}

// Where a comparison with a NaN fails, the NaN stays.
APUS_PART void store(const lanes *sum, const lane_bits *cuts, float *to) {
  *(lanes *)to = (lanes)((lane_bits)*sum & ~((*sum < 0.f) & *cuts));
}

typedef struct {
  const float *laid_out;
  int relu;
  float *result;
} forward_work;

APUS_PART void sweep(const apus_depthwise *s, const float *const *lines, int64_t rows, const vector_place *place,
                     const forward_work *work, const int window) {
  lanes taps[MOST_WINDOW][MOST_WINDOW], sums[MOST_WINDOW];
  const float *filter = work->laid_out + place->channel;
  APUS_UNROLL for (int r = 0; r < window; r++)
    APUS_UNROLL for (int c = 0; c < window; c++) taps[r][c] = LOAD(filter + (r * window + c) * tap_length(s));
  const lanes bias = LOAD(filter + window * window * tap_length(s));
  const lane_bits cuts = (lane_bits){0} - (work->relu != 0);
  const int last = window - 1;
  const int64_t step = row_length(s);
  float *to = work->result + place->first;
  APUS_UNROLL for (int row = 0; row < last; row++) add_line(lines[row], place, taps, &bias, sums, 0, row + 1, window);
  for (int64_t row = last; row < rows; row++, to += step) {
    add_line(lines[row], place, taps, &bias, sums, 0, window, window);
    store(&sums[last], &cuts, to);
  }
  APUS_UNROLL for (int row = 0; row < last; row++, to += step) {
    add_line(lines[rows + row], place, taps, &bias, sums, row + 1, window, window);
    store(&sums[last], &cuts, to);
  }
}

// Adds up the products of one line with the rows of the gradient that it meets with rows `begin ..< end` of the filter.
APUS_PART void add_products(const float *line, const vector_place *place, const lanes dy[MOST_WINDOW],
                            lanes products[MOST_WINDOW][MOST_WINDOW], const int begin, const int end,
                            const int window) {
  APUS_UNROLL for (int c = 0; c < window; c++) {
    const lanes x = LOAD_INSIDE(line, place, c);
    APUS_UNROLL for (int r = begin; r < end; r++) products[r][c] += x * dy[r];
  }
}

// dy[r] becomes the row that meets row r of the filter one line further down.
APUS_PART void move_down(lanes dy[MOST_WINDOW], const int window) {
  lanes before[MOST_WINDOW];
  APUS_UNROLL for (int r = 0; r < window; r++) before[r] = dy[r];
  APUS_UNROLL for (int r = 1; r < window; r++) dy[r] = before[r - 1];
}

typedef struct {
  const float *result;
  float *sums;
} gradient_work;

APUS_PART void sweep_gradient(const apus_depthwise *s, const float *const *lines, int64_t rows,
                              const vector_place *place, const gradient_work *work, const int window) {
  lanes products[MOST_WINDOW][MOST_WINDOW], dy[MOST_WINDOW];
  APUS_UNROLL for (int r = 0; r < window; r++) {
    dy[r] = (lanes){0};
    APUS_UNROLL for (int c = 0; c < window; c++) products[r][c] = (lanes){0};
  }
  const int last = window - 1;
  const float *from = work->result + place->first;
  APUS_UNROLL for (int row = 0; row < last; row++, from += row_length(s)) {
    move_down(dy, window);
    dy[0] = (lanes)((lane_bits)LOAD(from) & place->own);
    add_products(lines[row], place, dy, products, 0, row + 1, window);
  }
  for (int64_t row = last; row < rows; row++, from += row_length(s)) {
    move_down(dy, window);
    dy[0] = (lanes)((lane_bits)LOAD(from) & place->own);
    add_products(lines[row], place, dy, products, 0, window, window);
  }
  APUS_UNROLL for (int row = 1; row <= last; row++) {
    move_down(dy, window);
    add_products(lines[rows + row - 1], place, dy, products, row, window, window);
  }
  float *to = work->sums + place->channel;
  APUS_UNROLL for (int r = 0; r < window; r++)
    APUS_UNROLL for (int c = 0; c < window; c++) {
      lanes *sum = (lanes *)(to + (r * window + c) * tap_length(s));
      *sum += products[r][c];
    }
}

// One kind of work, the other is `NULL`, for all vectors of a row: blocks of channels, pixel by pixel.
APUS_PART void sweep_all(const apus_depthwise *s, const float *const *lines, int64_t rows, const forward_work *forward,
                         const gradient_work *gradient, const int window) {
  const int64_t vectors = (row_length(s) + LANES - 1) / LANES;
  const int64_t pixel = s->channels > BLOCK * LANES ? (s->channels + LANES / 2) / LANES : vectors;
  vector_place place;
  int is_inner = 0;
  for (int64_t block = 0; block < pixel; block += BLOCK)
    for (int64_t begin = block; begin < vectors; begin += pixel)
      for (int64_t i = begin; i < begin + BLOCK && i < begin - block + pixel && i < vectors; i++) {
        find_place(s, i, &place, &is_inner, window);
        if (forward) {
          sweep(s, lines, rows, &place, forward, window);
        } else {
          sweep_gradient(s, lines, rows, &place, gradient, window);
        }
      }
}

APUS_WIDE
static void sweep_forward(const apus_depthwise *s, const float *const *lines, int64_t rows, const forward_work *work) {
  if (s->window == 3) {
    sweep_all(s, lines, rows, work, NULL, 3);
  } else {
    sweep_all(s, lines, rows, work, NULL, 5);
  }
}

APUS_WIDE
static void sweep_gradients(const apus_depthwise *s, const float *const *lines, int64_t rows,
                            const gradient_work *work) {
  if (s->window == 3) {
    sweep_all(s, lines, rows, NULL, work, 3);
  } else {
    sweep_all(s, lines, rows, NULL, work, 5);
  }
}

void apus_depthwise_forward(const apus_depthwise *s, const float *image, const float *laid_out, int relu,
                            int64_t first, int64_t rows, float *scratch, float *result) {
  const float *lines[MOST_LINES];
  lines_under(s, image, first, rows, scratch, lines);
  const forward_work work = {laid_out, relu, result + first * row_length(s)};
  sweep_forward(s, lines, rows, &work);
}

int64_t apus_depthwise_sum_count(const apus_depthwise *s) { return s->window * s->window * tap_length(s); }

void apus_depthwise_accumulate(const apus_depthwise *s, const float *image, const float *result, int64_t first,
                               int64_t rows, float *scratch, float *sums) {
  const float *lines[MOST_LINES];
  lines_under(s, image, first, rows, scratch, lines);
  const gradient_work work = {result + first * row_length(s), sums};
  sweep_gradients(s, lines, rows, &work);
}

void apus_depthwise_finish(const apus_depthwise *s, const float *sums, int64_t parts, float *filter) {
  const int64_t length = tap_length(s), channels = s->channels;
  for (int64_t tap = 0; tap < s->window * s->window; tap++) {
    float *to = filter + tap * channels;
    memset(to, 0, channels * sizeof(float));
    for (int64_t part = 0; part < parts; part++) {
      const float *from = sums + part * apus_depthwise_sum_count(s) + tap * length;
      for (int64_t begin = 0; begin < length; begin += channels)
        for (int64_t i = 0; i < channels && begin + i < length; i++) to[i] += from[begin + i];
    }
  }
}
