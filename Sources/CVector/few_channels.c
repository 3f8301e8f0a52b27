// Direct convolution of images with few channels: the first layer of a network.
//
//   y[q, k] = sum over r, d of lines[r][q * stride * channels + d] * filter[r, d, k]
//
// where `d` runs over columns and channels of a filter's row, which are as close together in the image as they are in
// the filter. A block of results, some pixels times all filters, stays in registers while the whole window is summed.
#include "apus_few_channels.h"

#include "vector.h"

#include <string.h>

enum {
  // Pixels of a block; a row ends with a smaller block, which may compute a few pixels again.
  PIXELS = 12,
  MOST_LINES = 16,
};

int apus_few_channels_suits(const apus_few_channels *s) {
  return (s->filters == LANES || s->filters == 2 * LANES) && s->result_width >= PIXELS &&
         s->filter_height <= MOST_LINES;
}

static int64_t line_length(const apus_few_channels *s) {
  return ((s->result_width - 1) * s->stride_x + s->filter_width) * s->channels;
}

int64_t apus_few_channels_scratch(const apus_few_channels *s) { return s->filter_height * line_length(s); }

// The rows of the image under a row of windows; those that padding is part of are put together in `scratch`.
static void lines_under(const apus_few_channels *s, const float *image, int64_t row, float *scratch,
                        const float **lines) {
  const int64_t length = line_length(s), before = s->left * s->channels, whole = s->width * s->channels;
  for (int64_t r = 0; r < s->filter_height; r++) {
    const int64_t y = row * s->stride_y + r - s->top;
    if (y >= 0 && y < s->height && before == 0 && length <= whole) {
      lines[r] = image + y * whole;
      continue;
    }
    float *line = scratch + r * length;
    lines[r] = line;
    memset(line, 0, length * sizeof(float));
    const int64_t room = length - before;
    if (y >= 0 && y < s->height && room > 0) {
      memcpy(line + before, image + y * whole, (room < whole ? room : whole) * sizeof(float));
    }
  }
}

// `pixels` x `registers` * 16 results.
APUS_PART void sum_block(const apus_few_channels *s, const float *const *lines, int64_t first, const float *filter,
                         const float *bias, int relu, float *result, const int pixels, const int registers) {
  const int64_t step = s->stride_x * s->channels, depth = s->filter_width * s->channels;
  lanes sums[PIXELS][2];
  APUS_UNROLL for (int j = 0; j < registers; j++) {
    const lanes start = bias ? *(const lanes *)(bias + j * LANES) : (lanes){0};
    APUS_UNROLL for (int i = 0; i < pixels; i++) sums[i][j] = start;
  }
  for (int64_t r = 0; r < s->filter_height; r++) {
    const float *line = lines[r] + first * step;
    for (int64_t d = 0; d < depth; d++, filter += s->filters) {
      lanes taps[2];
      APUS_UNROLL for (int j = 0; j < registers; j++) taps[j] = *(const lanes *)(filter + j * LANES);
      APUS_UNROLL for (int i = 0; i < pixels; i++) {
        const float factor = line[i * step + d];
        APUS_UNROLL for (int j = 0; j < registers; j++) sums[i][j] += factor * taps[j];
      }
    }
  }
  const lane_bits cuts = (lane_bits){0} - (relu != 0);
  APUS_UNROLL for (int i = 0; i < pixels; i++)
    APUS_UNROLL for (int j = 0; j < registers; j++) {
      // Where a comparison with a NaN fails, the NaN stays.
      const lane_bits kept = (lane_bits)sums[i][j] & ~((sums[i][j] < 0.f) & cuts);
      *(lanes *)(result + (first + i) * s->filters + j * LANES) = (lanes)kept;
    }
}

#ifdef APUS_WIDEST
// Blocks of 12 pixels, then one that is just large enough for the rest and ends with the row.
APUS_WIDEST APUS_PART void sum_row(const apus_few_channels *s, const float *const *lines, const float *filter,
                                   const float *bias, int relu, float *result, const int registers) {
  const int64_t end = s->result_width, whole = end / PIXELS * PIXELS, rest = end - whole;
  for (int64_t q = 0; q < whole; q += PIXELS) sum_block(s, lines, q, filter, bias, relu, result, PIXELS, registers);
  if (rest > 8) {
    sum_block(s, lines, end - PIXELS, filter, bias, relu, result, PIXELS, registers);
  } else if (rest > 4) {
    sum_block(s, lines, end - 8, filter, bias, relu, result, 8, registers);
  } else if (rest > 0) {
    sum_block(s, lines, end - 4, filter, bias, relu, result, 4, registers);
  }
}

APUS_WIDEST static void row_wide(const apus_few_channels *s, const float *const *lines, const float *filter,
                                 const float *bias, int relu, float *result) {
  if (s->filters == LANES) {
    sum_row(s, lines, filter, bias, relu, result, 1);
  } else {
    sum_row(s, lines, filter, bias, relu, result, 2);
  }
}
#endif

APUS_WIDE
static void row_narrow(const apus_few_channels *s, const float *const *lines, const float *filter, const float *bias,
                       int relu, float *result) {
  for (int64_t k = 0; k < s->filters; k += LANES)
    for (int64_t q = 0; q < s->result_width; q += 4) {
      const int64_t first = q + 4 <= s->result_width ? q : s->result_width - 4;
      sum_block(s, lines, first, filter + k, bias ? bias + k : NULL, relu, result + k, 4, 1);
    }
}

void apus_few_channels_row(const apus_few_channels *s, const float *image, const float *filter, const float *bias,
                           int relu, int64_t row, float *scratch, float *result) {
  const float *lines[MOST_LINES];
  lines_under(s, image, row, scratch, lines);
#ifdef APUS_WIDEST
  if (apus_has_wide_registers()) return row_wide(s, lines, filter, bias, relu, result);
#endif
  row_narrow(s, lines, filter, bias, relu, result);
}
