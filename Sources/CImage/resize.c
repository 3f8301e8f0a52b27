#include "CImage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Weights are whole numbers of 2^-22: with 8 bits of a pixel they fill 30 of 32 bits.
enum { PRECISION = 22, HALF = 1 << (PRECISION - 1) };

// Of each output position along an axis: the first input position that it takes from, their number, and the weights.
typedef struct {
  uint32_t *firsts, *counts;
  int32_t *weights;
  uint32_t most; // room for the weights of one position
} filter;

static void free_filter(filter *axis) {
  free(axis->firsts);
  free(axis->counts);
  free(axis->weights);
}

// A triangle as wide as two pixels of the coarser of the two grids, around the middle of each output pixel.
static bool make_filter(filter *axis, double start, double length, uint32_t input, uint32_t output) {
  const double scale = length / output, radius = scale > 1 ? scale : 1;
  axis->most = (uint32_t)ceil(radius) * 2 + 1;
  axis->firsts = malloc(output * sizeof *axis->firsts);
  axis->counts = malloc(output * sizeof *axis->counts);
  axis->weights = calloc((size_t)output * axis->most, sizeof *axis->weights);
  double *raw = malloc(axis->most * sizeof *raw);
  if (!axis->firsts || !axis->counts || !axis->weights || !raw) {
    free(raw);
    return false;
  }
  for (uint32_t position = 0; position < output; position++) {
    const double center = start + (position + 0.5) * scale;
    const double low = center - radius + 0.5, high = center + radius + 0.5;
    uint32_t first = low < 0 ? 0 : (uint32_t)low;
    if (first >= input) first = input - 1;
    uint32_t last = high > input ? input : (uint32_t)high;
    if (last <= first) last = first + 1;
    double total = 0;
    for (uint32_t k = first; k < last; k++) {
      const double distance = fabs(k + 0.5 - center) / radius;
      total += raw[k - first] = distance < 1 ? 1 - distance : 0;
    }
    if (total <= 0) {
      // One pixel at the edge.
      raw[0] = total = 1;
      last = first + 1;
    }
    axis->firsts[position] = first;
    axis->counts[position] = last - first;
    for (uint32_t k = 0; k < last - first; k++)
      axis->weights[(size_t)position * axis->most + k] = (int32_t)(raw[k] / total * (1 << PRECISION) + 0.5);
  }
  free(raw);
  return true;
}

static inline uint8_t rounded(int32_t sum) {
  const int32_t value = sum >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static void narrow_row(const uint8_t *row, uint32_t channels, const filter *columns, uint32_t output, uint8_t *out) {
  for (uint32_t x = 0; x < output; x++) {
    const uint8_t *pixel = row + (size_t)columns->firsts[x] * channels;
    const int32_t *weights = columns->weights + (size_t)x * columns->most;
    const uint32_t count = columns->counts[x];
    if (channels == 3) {
      int32_t red = HALF, green = HALF, blue = HALF;
      for (uint32_t k = 0; k < count; k++, pixel += 3) {
        red += weights[k] * pixel[0];
        green += weights[k] * pixel[1];
        blue += weights[k] * pixel[2];
      }
      *out++ = rounded(red);
      *out++ = rounded(green);
      *out++ = rounded(blue);
    } else {
      int32_t grey = HALF;
      for (uint32_t k = 0; k < count; k++) grey += weights[k] * pixel[k];
      *out++ = rounded(grey);
    }
  }
}

bool apus_image_resize(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, apus_image_box box,
                       uint8_t *out, uint32_t out_width, uint32_t out_height) {
  const size_t row_count = (size_t)out_width * channels;
  filter columns = {0}, rows = {0};
  // A row of the input at a time is narrowed and added to the rows that take from it: a tall picture needs no room.
  uint8_t *narrowed = malloc(row_count);
  int32_t *sums = malloc(row_count * out_height * sizeof *sums);
  const bool has_room = make_filter(&columns, box.left, box.width, width, out_width) &&
                        make_filter(&rows, box.top, box.height, height, out_height) && narrowed && sums;
  if (has_room) {
    for (size_t i = 0; i < row_count * out_height; i++) sums[i] = HALF;
    uint32_t first = 0; // the first row that takes from what is still to come
    for (uint32_t y = rows.firsts[0]; first < out_height && y < height; y++) {
      narrow_row(pixels + (size_t)y * width * channels, channels, &columns, out_width, narrowed);
      for (uint32_t row = first; row < out_height && rows.firsts[row] <= y; row++) {
        if (y - rows.firsts[row] >= rows.counts[row]) continue;
        const int32_t weight = rows.weights[(size_t)row * rows.most + (y - rows.firsts[row])];
        int32_t *sum = sums + row_count * row;
        for (size_t i = 0; i < row_count; i++) sum[i] += weight * narrowed[i];
      }
      while (first < out_height && rows.firsts[first] + rows.counts[first] <= y + 1) first++;
    }
    for (size_t i = 0; i < row_count * out_height; i++) out[i] = rounded(sums[i]);
  }
  free_filter(&columns);
  free_filter(&rows);
  free(narrowed);
  free(sums);
  return has_room;
}
