// The filter gradient by the transpose of F(2x2, 3x3): with the tiles dy of the result's gradient,
//
//   dg = G' [sum over tiles of (A dy A') * (B' d B)] G
//
// The sum is, for each of 16 points, a product of matrices over the tiles. It is computed for blocks of channels and
// filters whose sums stay in the second cache.
#include "winograd.h"

// Channels and filters of a block, and tiles that are transformed together.
enum { BLOCK = 64, CHUNK = 48 };

typedef struct {
  // First channel and filter, and how many there are, with those that fill up registers.
  int64_t channel, filter, channels, filters;
} block_place;

APUS_PART int64_t channel_blocks(const apus_winograd *s) { return (s->channels + BLOCK - 1) / BLOCK; }
APUS_PART int64_t filter_blocks(const apus_winograd *s) { return (s->filters + BLOCK - 1) / BLOCK; }

APUS_PART block_place block_at(const apus_winograd *s, int64_t block) {
  const int64_t channel = block / filter_blocks(s) * BLOCK, filter = block % filter_blocks(s) * BLOCK;
  return (block_place){channel, filter, round_up(smaller(BLOCK, s->channels - channel), LANES),
                       round_up(smaller(BLOCK, s->filters - filter), PANEL)};
}

int64_t apus_winograd_block_count(const apus_winograd *s) { return channel_blocks(s) * filter_blocks(s); }
int64_t apus_winograd_block_size(void) { return POINTS * BLOCK * BLOCK; }
int64_t apus_winograd_gradient_scratch(void) { return 2 * POINTS * point_step(CHUNK, BLOCK); }

// MARK: - Sums over tiles

APUS_PART void transform_chunk(const apus_winograd *s, const block_place *b, const float *image, const float *result,
                               int64_t first, int64_t count, float *v, int64_t v_step, float *u, int64_t u_step) {
  for (int64_t t = 0; t < count; t++) {
    const tile_place place = place_of(s, first + t);
    const float *own = image + place.image * s->height * s->width * s->channels;
    const float *own_result = result + place.image * s->result_height * s->result_width * s->filters;
    for (int64_t c = 0; c < b->channels; c += LANES) {
      lanes d[16];
      load_square(own, s->height, s->width, s->channels, place.row - s->top, place.column - s->left, b->channel + c, 4,
                  d);
      transform_image(d, v + t * b->channels + c, v_step);
    }
    for (int64_t k = 0; k < b->filters; k += LANES) {
      lanes y[4];
      load_square(own_result, s->result_height, s->result_width, s->filters, place.row, place.column, b->filter + k, 2,
                  y);
      transform_gradient(y, u + t * b->filters + k, u_step);
    }
  }
}

// `MULTIPLY(v, channels, u, filters, depth, sums, adds)` is the product of one point.
#define ACCUMULATE(MULTIPLY) \
  const block_place b = block_at(s, block); \
  const int64_t v_step = point_step(CHUNK, b.channels), u_step = point_step(CHUNK, b.filters); \
  float *v = scratch, *u = scratch + POINTS * v_step; \
  for (int64_t done = 0; done < count; done += CHUNK) { \
    const int64_t tiles = smaller(CHUNK, count - done); \
    transform_chunk(s, &b, image, result, first + done, tiles, v, v_step, u, u_step); \
    for (int point = 0; point < POINTS; point++) \
      MULTIPLY(v + point * v_step, b.channels, u + point * u_step, b.filters, tiles, \
               sums + point * b.channels * b.filters, done > 0); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST APUS_PART void multiply_point_wide(const float *v, int64_t channels, const float *u, int64_t filters,
                                               int64_t depth, float *sums, int adds) {
  for (int64_t k = 0; k < filters; k += PANEL)
    for (int64_t c = 0; c < channels; c += 8) {
      float *target = sums + c * filters + k;
      if (adds) {
        multiply_wide(v + c, 1, channels, u + k, filters, depth, target, filters, 8, 1);
      } else {
        multiply_wide(v + c, 1, channels, u + k, filters, depth, target, filters, 8, 0);
      }
    }
}

APUS_WIDEST static void accumulate_wide(const apus_winograd *s, const float *image, const float *result, int64_t block,
                                        int64_t first, int64_t count, float *scratch, float *sums) {
  ACCUMULATE(multiply_point_wide)
}
#endif

APUS_PART void multiply_point_narrow(const float *v, int64_t channels, const float *u, int64_t filters, int64_t depth,
                                     float *sums, int adds) {
  for (int64_t k = 0; k < filters; k += LANES)
    for (int64_t c = 0; c < channels; c += 4)
      multiply_narrow(v + c, 1, channels, u + k, filters, depth, sums + c * filters + k, filters, adds);
}

APUS_WIDE
static void accumulate_narrow(const apus_winograd *s, const float *image, const float *result, int64_t block,
                              int64_t first, int64_t count, float *scratch, float *sums) {
  ACCUMULATE(multiply_point_narrow)
}

void apus_winograd_accumulate(const apus_winograd *s, const float *image, const float *result, int64_t block,
                              int64_t first, int64_t count, float *scratch, float *sums) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers()) return accumulate_wide(s, image, result, block, first, count, scratch, sums);
#endif
  accumulate_narrow(s, image, result, block, first, count, scratch, sums);
}

// MARK: - Result

// G' u G of 16 filters.
APUS_PART void transform_back(const lanes *u, lanes *g) {
  lanes t[12];
  for (int j = 0; j < 4; j++) {
    const lanes even = (u[4 + j] + u[8 + j]) * .5f;
    t[j] = u[j] + even;
    t[4 + j] = (u[4 + j] - u[8 + j]) * .5f;
    t[8 + j] = even + u[12 + j];
  }
  for (int i = 0; i < 3; i++) {
    const lanes *row = t + 4 * i;
    const lanes even = (row[1] + row[2]) * .5f;
    g[3 * i] = row[0] + even;
    g[3 * i + 1] = (row[1] - row[2]) * .5f;
    g[3 * i + 2] = even + row[3];
  }
}

APUS_WIDE
void apus_winograd_finish(const apus_winograd *s, const float *sums, int64_t parts, int64_t first, int64_t end,
                          float *filter) {
  const int64_t blocks = apus_winograd_block_count(s), part_step = blocks * POINTS * BLOCK * BLOCK;
  for (int64_t channel = first; channel < end; channel++)
    for (int64_t k_block = 0; k_block < filter_blocks(s); k_block++) {
      const int64_t block = channel / BLOCK * filter_blocks(s) + k_block;
      const block_place b = block_at(s, block);
      for (int64_t k = 0; k < b.filters && b.filter + k < s->filters; k += LANES) {
        const float *source = sums + block * POINTS * BLOCK * BLOCK + (channel - b.channel) * b.filters + k;
        lanes u[16], g[9];
        for (int point = 0; point < POINTS; point++) {
          u[point] = *(const lanes *)(source + point * b.channels * b.filters);
          for (int64_t part = 1; part < parts; part++)
            u[point] += *(const lanes *)(source + part * part_step + point * b.channels * b.filters);
        }
        transform_back(u, g);
        const int64_t live = smaller(LANES, s->filters - b.filter - k);
        for (int tap = 0; tap < 9; tap++) {
          float *target = filter + (tap * s->channels + channel) * s->filters + b.filter + k;
          if (live == LANES) {
            *(lanes *)target = g[tap];
          } else {
            for (int64_t i = 0; i < live; i++) target[i] = g[tap][i];
          }
        }
      }
    }
}
