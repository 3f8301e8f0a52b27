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
  return (block_place){channel, filter, round_up(smaller(BLOCK, s->channels - channel), 4),
                       round_up(smaller(BLOCK, s->filters - filter), LANES / unit_for(s->filters))};
}

int64_t apus_winograd_block_count(const apus_winograd *s) { return channel_blocks(s) * filter_blocks(s); }
int64_t apus_winograd_block_size(void) { return POINTS * BLOCK * BLOCK; }
int64_t apus_winograd_gradient_scratch(void) { return 2 * POINTS * matrix_size(CHUNK, row_size(BLOCK, 1)); }

// MARK: - Sums over tiles

APUS_PART void transform_chunk(const apus_winograd *s, const block_place *b, const float *image, const float *result,
                               int64_t first, int64_t count, float *v, int64_t v_row, int64_t v_matrix, float *u,
                               int64_t u_row, int64_t u_matrix, const int unit) {
  tile_place place = place_of(s, first);
  for (int64_t t = 0; t < count; t++, place = place_after(s, place)) {
    const tile_place square = {place.image, place.row - s->top, place.column - s->left};
    for (int64_t c = 0; c < b->channels; c += LANES) {
      lanes d[16];
      load_square(image, s->images, square, s->height, s->width, s->channels, b->channel + c, 4, d);
      transform_image(d, steps_of(b->channels, c, v_matrix, unit), unit, v + t * v_row + c * unit);
    }
    for (int64_t k = 0; k < b->filters; k += LANES) {
      lanes y[4];
      load_square(result, s->images, place, s->result_height, s->result_width, s->filters, b->filter + k, 2, y);
      transform_gradient(y, steps_of(b->filters, k, u_matrix, unit), unit, u + t * u_row + k * unit);
    }
  }
}

// `MULTIPLY(...)` is the product of one matrix.
#define ACCUMULATE(MULTIPLY, unit) \
  const block_place b = block_at(s, block); \
  const int64_t v_row = row_size(b.channels, unit), u_row = row_size(b.filters, unit); \
  const int64_t v_matrix = matrix_size(CHUNK, v_row), u_matrix = matrix_size(CHUNK, u_row); \
  float *v = scratch, *u = scratch + POINTS / unit * v_matrix; \
  const int64_t sum_row = b.filters * unit; \
  for (int64_t done = 0; done < count; done += CHUNK) { \
    const int64_t tiles = smaller(CHUNK, count - done); \
    transform_chunk(s, &b, image, result, first + done, tiles, v, v_row, v_matrix, u, u_row, u_matrix, unit); \
    for (int i = 0; i < POINTS / unit; i++) \
      MULTIPLY(v + i * v_matrix, unit, v_row, b.channels, u + i * u_matrix, u_row, registers_for(b.filters, unit), \
               tiles, sums + i * b.channels * sum_row, sum_row, unit, done > 0); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST static void accumulate_wide(const apus_winograd *s, const float *image, const float *result, int64_t block,
                                        int64_t first, int64_t count, float *scratch, float *sums) {
  if (unit_for(s->filters) == 1) {
    ACCUMULATE(multiply_rows_wide, 1)
  } else {
    ACCUMULATE(multiply_rows_wide, 4)
  }
}
#endif

APUS_WIDE
static void accumulate_narrow(const apus_winograd *s, const float *image, const float *result, int64_t block,
                              int64_t first, int64_t count, float *scratch, float *sums) {
  if (unit_for(s->filters) == 1) {
    ACCUMULATE(multiply_rows_narrow, 1)
  } else {
    ACCUMULATE(multiply_rows_narrow, 4)
  }
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
APUS_PART void transform_back(lanes *u, const int unit, lanes *g) {
  lanes t[12];
  for (int i = 0; i < 4 && unit == 4; i++) exchange_fours(u + 4 * i);
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

APUS_PART void finish(const apus_winograd *s, const float *sums, int64_t parts, int64_t first, int64_t end,
                      const int unit, float *filter) {
  const int64_t blocks = apus_winograd_block_count(s), size = apus_winograd_block_size();
  for (int64_t channel = first; channel < end; channel++)
    for (int64_t k_block = 0; k_block < filter_blocks(s); k_block++) {
      const int64_t block = channel / BLOCK * filter_blocks(s) + k_block;
      const block_place b = block_at(s, block);
      const int64_t place = place_of_channel(b.channels, channel - b.channel, unit);
      for (int64_t k = 0; k < b.filters; k += LANES) {
        const float *own = sums + block * size + (place * b.filters + k) * unit;
        const point_steps steps = steps_of(b.filters, k, b.channels * b.filters * unit, unit);
        lanes u[16], g[9];
        for (int i = 0; i < 16; i++) {
          const float *source = own + i / 4 * steps.row + i % 4 * steps.next;
          u[i] = *(const lanes *)source;
          for (int64_t part = 1; part < parts; part++) u[i] += *(const lanes *)(source + part * blocks * size);
        }
        transform_back(u, unit, g);
        for (int tap = 0; tap < 9; tap++)
          store_live(&g[tap], s->filters - b.filter - k,
                     filter + (tap * s->channels + channel) * s->filters + b.filter + k);
      }
    }
}

APUS_WIDE
void apus_winograd_finish(const apus_winograd *s, const float *sums, int64_t parts, int64_t first, int64_t end,
                          float *filter) {
  if (unit_for(s->filters) == 1) {
    finish(s, sums, parts, first, end, 1, filter);
  } else {
    finish(s, sums, parts, first, end, 4, filter);
  }
}
