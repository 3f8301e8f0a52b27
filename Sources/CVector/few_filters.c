// Direct convolution with few filters: the last layer of a network that colours pixels, and the gradient of the images
// of a first layer. Filters are too few for the lanes of a register; channels fill them.
#include "apus_few_filters.h"

#include "vector.h"

#include <string.h>

enum {
  MOST_FILTERS = 4,
  MOST_LINES = 16,
  // Of a row of the filter, for the filter gradient; rows of results that are worked on together.
  MOST_TAPS = 12,
  CHUNK = 32,
  // Pixels whose products are summed in registers before they join the others.
  LONGEST = 512,
};

int apus_few_filters_suits(const apus_few_filters *s) {
  return s->filters <= MOST_FILTERS && s->channels % LANES == 0 && s->filter_height <= MOST_LINES &&
         s->result_width >= LANES / s->filters && s->filter_width * s->filters <= MOST_TAPS &&
         s->left >= 0 && s->left < s->filter_width;
}

// MARK: - Filters

int64_t apus_few_filters_count(const apus_few_filters *s) {
  return s->filter_height * s->filter_width * s->filters * s->channels;
}

void apus_few_filters_lay_out(const apus_few_filters *s, const apus_few_filters_layout *l, float *filters) {
  const int64_t taps = s->filter_height * s->filter_width;
  for (int64_t r = 0; r < s->filter_height; r++)
    for (int64_t k = 0; k < s->filters; k++)
      for (int64_t column = 0; column < s->filter_width; column++) {
        const int64_t tap = r * s->filter_width + column;
        const float *source = l->data + (l->turned ? taps - 1 - tap : tap) * l->tap + k * l->filter;
        for (int64_t c = 0; c < s->channels; c++) *filters++ = source[c * l->channel];
      }
}

// MARK: - Rows of results

static int64_t line_length(const apus_few_filters *s) {
  return (s->result_width + s->filter_width - 1) * s->channels;
}

int64_t apus_few_filters_scratch(const apus_few_filters *s) { return s->filter_height * line_length(s); }

// A row of the image with its padding.
static void copy_line(const apus_few_filters *s, const float *image, int64_t y, float *line) {
  const int64_t length = line_length(s), before = s->left * s->channels, whole = s->width * s->channels;
  const int64_t room = length - before, count = y < 0 || y >= s->height ? 0 : room < whole ? room : whole;
  memset(line, 0, before * sizeof(float));
  memcpy(line + before, image + y * whole, count * sizeof(float));
  memset(line + before + count, 0, (room - count) * sizeof(float));
}

// Lane i of the result is the sum of the lanes of `x[i]`.
APUS_PART void sum_lanes(lanes *x) {
#define PAIR(a, b, ...) (__builtin_shufflevector(a, b, __VA_ARGS__))
  APUS_UNROLL for (int i = 0; i < 8; i++)
    x[i] = PAIR(x[2 * i], x[2 * i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
           PAIR(x[2 * i], x[2 * i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  APUS_UNROLL for (int i = 0; i < 4; i++)
    x[i] = PAIR(x[2 * i], x[2 * i + 1], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           PAIR(x[2 * i], x[2 * i + 1], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  APUS_UNROLL for (int i = 0; i < 2; i++)
    x[i] = PAIR(x[2 * i], x[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           PAIR(x[2 * i], x[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  x[0] = PAIR(x[0], x[1], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         PAIR(x[0], x[1], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
#undef PAIR
}

// As many pixels as have 16 results, or a few less, which lie side by side; `step` pixels at a time.
APUS_PART void sum_pixels(const apus_few_filters *s, const float *const *lines, int64_t first, const float *filters,
                          const float *offsets, int relu, float *result, const int count, const int step) {
  const int pixels = LANES / count;
  lanes sums[LANES] = {0};
  // A row of the filter is as long in the image: its columns and channels are one axis.
  const int64_t depth = s->filter_width * s->channels;
  APUS_UNROLL for (int start = 0; start < pixels; start += step) {
    const float *own = filters;
    for (int64_t r = 0; r < s->filter_height; r++, own += count * depth) {
      const float *cells = lines[r] + (first + start) * s->channels;
      for (int64_t d = 0; d < depth; d += LANES) {
        lanes taps[MOST_FILTERS];
        APUS_UNROLL for (int k = 0; k < count; k++) taps[k] = *(const lanes *)(own + k * depth + d);
        APUS_UNROLL for (int i = 0; i < step; i++) {
          const lanes cell = *(const lanes *)(cells + i * s->channels + d);
          APUS_UNROLL for (int k = 0; k < count; k++) sums[(start + i) * count + k] += cell * taps[k];
        }
      }
    }
  }
  sum_lanes(sums);
  lanes value = sums[0] + *(const lanes *)offsets;
  // Where a comparison with a NaN fails, the NaN stays.
  if (relu) value = (lanes)((lane_bits)value & ~(value < 0.f));
  memcpy(result + first * count, &value, pixels * count * sizeof(float));
}

APUS_PART void rows(const apus_few_filters *s, const float *images, const float *filters, const float *bias, int relu,
                    int64_t first, int64_t end, float *scratch, float *results, const int count, const int step) {
  const int64_t pixels = LANES / count, height = s->filter_height;
  float offsets[LANES] = {0};
  for (int64_t i = 0; i < pixels * count && bias; i++) offsets[i] = bias[i % count];
  // Rows of windows share lines of the image: a line stays where it is until a later one takes its place.
  int64_t held[MOST_LINES];
  for (int64_t r = 0; r < height; r++) held[r] = -1;
  for (int64_t row = first; row < end; row++) {
    const int64_t image = row / s->result_height, p = row % s->result_height;
    const float *lines[MOST_LINES];
    for (int64_t r = 0; r < height; r++) {
      const int64_t name = image * (s->result_height + height) + p + r, slot = name % height;
      float *line = scratch + slot * line_length(s);
      lines[r] = line;
      if (held[slot] == name) continue;
      copy_line(s, images + image * s->height * s->width * s->channels, p + r - s->top, line);
      held[slot] = name;
    }
    float *result = results + row * s->result_width * count;
    for (int64_t q = 0; q < s->result_width; q += pixels) {
      // The last pixels of a row may be computed again.
      const int64_t start = q + pixels <= s->result_width ? q : s->result_width - pixels;
      sum_pixels(s, lines, start, filters, offsets, relu, result, count, step);
    }
  }
}

#define ROWS(step) \
  switch (s->filters) { \
  case 1: rows(s, images, filters, bias, relu, first, end, scratch, results, 1, step(1)); break; \
  case 2: rows(s, images, filters, bias, relu, first, end, scratch, results, 2, step(2)); break; \
  case 3: rows(s, images, filters, bias, relu, first, end, scratch, results, 3, step(3)); break; \
  default: rows(s, images, filters, bias, relu, first, end, scratch, results, 4, step(4)); \
  }

#ifdef APUS_WIDEST
#define ALL(count) (LANES / (count))
APUS_WIDEST static void rows_wide(const apus_few_filters *s, const float *images, const float *filters,
                                  const float *bias, int relu, int64_t first, int64_t end, float *scratch,
                                  float *results) {
  ROWS(ALL)
}
#endif

#define ONE(count) 1
APUS_WIDE
static void rows_narrow(const apus_few_filters *s, const float *images, const float *filters, const float *bias,
                        int relu, int64_t first, int64_t end, float *scratch, float *results) {
  ROWS(ONE)
}

void apus_few_filters_rows(const apus_few_filters *s, const float *images, const float *filters, const float *bias,
                           int relu, int64_t first, int64_t end, float *scratch, float *results) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers()) return rows_wide(s, images, filters, bias, relu, first, end, scratch, results);
#endif
  rows_narrow(s, images, filters, bias, relu, first, end, scratch, results);
}

// MARK: - Filter gradient
//
// A cell of the image gives to the taps of a row of the filter what it is, times the gradients of the results beside
// it, which lie side by side: taps from right to left, the filters of each.

// A row of results' gradients with zeros around it: cell `j` of the image begins with that of its rightmost tap.
static int64_t result_line(const apus_few_filters *s) { return (s->width + s->filter_width) * s->filters + MOST_TAPS; }

int64_t apus_few_filters_gradient_scratch(const apus_few_filters *s) {
  return CHUNK * result_line(s) + s->filter_height * s->channels * MOST_TAPS;
}

static void copy_results(const apus_few_filters *s, const float *results, int64_t row, float *line) {
  const int64_t before = s->filter_width - 1 - s->left, room = s->width + s->left;
  memset(line, 0, result_line(s) * sizeof(float));
  memcpy(line + before * s->filters, results + row * s->result_width * s->filters,
         (room < s->result_width ? room : s->result_width) * s->filters * sizeof(float));
}

// Adds `count` rows of windows to the sums of one row of the filter: `taps` x `registers` * 16 channels.
APUS_PART void add_windows(const apus_few_filters *s, const float *image, int64_t y, int64_t count, const float *lines,
                           float *sums, const int taps, const int registers) {
  lanes all[MOST_TAPS][2];
  APUS_UNROLL for (int t = 0; t < taps; t++)
    APUS_UNROLL for (int j = 0; j < registers; j++) all[t][j] = (lanes){0};
  for (int64_t i = 0; i < count; i++, y++) {
    if (y < 0 || y >= s->height) continue;
    const float *cell = image + y * s->width * s->channels, *gradients = lines + i * result_line(s);
    for (int64_t x = 0; x < s->width; x++, cell += s->channels, gradients += s->filters) {
      lanes channels[2];
      APUS_UNROLL for (int j = 0; j < registers; j++) channels[j] = *(const lanes *)(cell + j * LANES);
      APUS_UNROLL for (int t = 0; t < taps; t++)
        APUS_UNROLL for (int j = 0; j < registers; j++) all[t][j] += gradients[t] * channels[j];
    }
  }
  APUS_UNROLL for (int t = 0; t < taps; t++)
    APUS_UNROLL for (int j = 0; j < registers; j++) *(lanes *)(sums + (t * registers + j) * LANES) += all[t][j];
}

APUS_PART void gradient_part(const apus_few_filters *s, const float *images, const float *results, int64_t first,
                             int64_t end, float *scratch, float *gradient, const int taps, const int registers) {
  float *lines = scratch, *sums = scratch + CHUNK * result_line(s);
  const int64_t width = registers * LANES, own = taps * width, blocks = s->channels / width;
  const int64_t step = s->width < LONGEST ? LONGEST / s->width : 1;
  memset(sums, 0, s->filter_height * blocks * own * sizeof(float));
  for (int64_t row = first, count; row < end; row += count) {
    const int64_t p = row % s->result_height;
    count = s->result_height - p < CHUNK ? s->result_height - p : CHUNK;
    if (count > end - row) count = end - row;
    for (int64_t i = 0; i < count; i++) copy_results(s, results, row + i, lines + i * result_line(s));
    const float *image = images + row / s->result_height * s->height * s->width * s->channels;
    for (int64_t block = 0; block < blocks; block++)
      for (int64_t r = 0; r < s->filter_height; r++)
        for (int64_t i = 0; i < count; i += step)
          add_windows(s, image + block * width, p + i + r - s->top, count - i < step ? count - i : step,
                      lines + i * result_line(s), sums + (r * blocks + block) * own, taps, registers);
  }
  for (int64_t r = 0; r < s->filter_height; r++)
    for (int64_t column = 0; column < s->filter_width; column++)
      for (int64_t c = 0; c < s->channels; c++)
        for (int64_t k = 0; k < s->filters; k++) {
          const int64_t tap = (s->filter_width - 1 - column) * s->filters + k;
          *gradient++ = sums[(r * blocks + c / width) * own + tap * width + c % width];
        }
}

// As many taps as there are, or a few more, whose sums nobody reads.
#define GRADIENT(registers) \
  const int64_t taps = s->filter_width * s->filters; \
  if (taps <= 3) return gradient_part(s, images, results, first, end, scratch, gradient, 3, registers); \
  if (taps <= 6) return gradient_part(s, images, results, first, end, scratch, gradient, 6, registers); \
  if (taps <= 9) return gradient_part(s, images, results, first, end, scratch, gradient, 9, registers); \
  gradient_part(s, images, results, first, end, scratch, gradient, MOST_TAPS, registers);

#ifdef APUS_WIDEST
APUS_WIDEST static void gradient_wide(const apus_few_filters *s, const float *images, const float *results,
                                      int64_t first, int64_t end, float *scratch, float *gradient) {
  GRADIENT(2)
}
#endif

APUS_WIDE
static void gradient_narrow(const apus_few_filters *s, const float *images, const float *results, int64_t first,
                            int64_t end, float *scratch, float *gradient) {
  GRADIENT(1)
}

void apus_few_filters_gradient(const apus_few_filters *s, const float *images, const float *results, int64_t first,
                               int64_t end, float *scratch, float *gradient) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers() && s->channels % (2 * LANES) == 0)
    return gradient_wide(s, images, results, first, end, scratch, gradient);
#endif
  gradient_narrow(s, images, results, first, end, scratch, gradient);
}
