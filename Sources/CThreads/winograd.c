#include "winograd.h"

// MARK: - Sizes

int64_t apus_winograd_tile_count(const apus_winograd *s) {
  return s->images * ((s->result_height + 1) / 2) * ((s->result_width + 1) / 2);
}

int64_t apus_winograd_panel_count(const apus_winograd *s) { return (s->filters + PANEL - 1) / PANEL; }

int64_t apus_winograd_filter_count(const apus_winograd *s) {
  return apus_winograd_panel_count(s) * POINTS * s->channels * PANEL;
}

// Rows of tiles that a block of registers covers are 4, 8 or 12.
static int64_t padded_rows(int64_t tiles) { return round_up(tiles, 4); }

int64_t apus_winograd_scratch(const apus_winograd *s, int64_t count) {
  const int64_t rows = padded_rows(count);
  return POINTS * (point_step(rows, round_up(s->channels, LANES)) + point_step(rows, PANEL));
}

// MARK: - Filters

// G g G' of 16 filters; point p goes to `u + p * step`.
APUS_PART void transform_filter(const lanes *g, float *u, int64_t step) {
  lanes t[12];
  for (int j = 0; j < 3; j++) {
    t[j] = g[j];
    t[3 + j] = (g[j] + g[3 + j] + g[6 + j]) * .5f;
    t[6 + j] = (g[j] - g[3 + j] + g[6 + j]) * .5f;
    t[9 + j] = g[6 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 3 * i;
    float *target = u + 4 * i * step;
    *(lanes *)target = row[0];
    *(lanes *)(target + step) = (row[0] + row[1] + row[2]) * .5f;
    *(lanes *)(target + 2 * step) = (row[0] - row[1] + row[2]) * .5f;
    *(lanes *)(target + 3 * step) = row[2];
  }
}

// [panel][point][channel][32]; filters that there are not are 0.
APUS_WIDE
void apus_winograd_transform_filters(const apus_winograd *s, const apus_winograd_filters *f, int64_t first,
                                     int64_t end, float *transformed) {
  const int64_t step = s->channels * PANEL;
  for (int64_t panel = first; panel < end; panel++)
    for (int64_t c = 0; c < s->channels; c++)
      for (int64_t k = panel * PANEL; k < (panel + 1) * PANEL; k += LANES) {
        const int64_t live = smaller(LANES, s->filters - k);
        lanes g[9];
        for (int tap = 0; tap < 9; tap++) {
          const float *source = f->data + (f->turned ? 8 - tap : tap) * f->tap + c * f->channel + k * f->filter;
          if (live == LANES && f->filter == 1) {
            g[tap] = *(const lanes *)source;
          } else {
            float taps[LANES] = {0};
            for (int64_t i = 0; i < live; i++) taps[i] = source[i * f->filter];
            memcpy(&g[tap], taps, sizeof taps);
          }
        }
        transform_filter(g, transformed + panel * POINTS * step + c * PANEL + k % PANEL, step);
      }
}

// MARK: - Forward

// A' m A of one tile and 16 filters.
APUS_PART void transform_result(const float *m, int64_t step, lanes *y) {
  lanes t[8];
  for (int j = 0; j < 4; j++) {
    const lanes m0 = *(const lanes *)(m + j * step), m1 = *(const lanes *)(m + (4 + j) * step);
    const lanes m2 = *(const lanes *)(m + (8 + j) * step), m3 = *(const lanes *)(m + (12 + j) * step);
    t[j] = m0 + m1 + m2;
    t[4 + j] = m1 - m2 - m3;
  }
  for (int i = 0; i < 2; i++) {
    const lanes *row = t + 4 * i;
    y[2 * i] = row[0] + row[1] + row[2];
    y[2 * i + 1] = row[1] - row[2] - row[3];
  }
}

APUS_PART void write_tile(const apus_winograd *s, tile_place place, int64_t k, lanes *y, const float *bias,
                          const float *addend, int relu, float *result) {
  const int64_t live = smaller(LANES, s->filters - k);
  float offsets[LANES] = {0};
  if (bias && live == LANES) memcpy(offsets, bias + k, sizeof offsets);
  else if (bias) for (int64_t i = 0; i < live; i++) offsets[i] = bias[k + i];
  for (int cell = 0; cell < 4; cell++) {
    const int64_t row = place.row + cell / 2, column = place.column + cell % 2;
    if (row >= s->result_height || column >= s->result_width) continue;
    const int64_t index = ((place.image * s->result_height + row) * s->result_width + column) * s->filters + k;
    lanes value = y[cell] + *(const lanes *)offsets;
    if (addend && live == LANES) value += *(const lanes *)(addend + index);
    else if (addend) for (int64_t i = 0; i < live; i++) value[i] += addend[index + i];
    // Where a comparison with a NaN fails, the NaN stays.
    if (relu) value = (lanes)((lane_bits)value & ~(value < 0.f));
    float *target = result + index;
    if (live == LANES) {
      *(lanes *)target = value;
    } else {
      for (int64_t i = 0; i < live; i++) target[i] = value[i];
    }
  }
}

APUS_PART void transform_tiles(const apus_winograd *s, const float *image, int64_t first, int64_t count, float *v,
                               int64_t v_step, int64_t depth) {
  for (int64_t t = 0; t < count; t++) {
    const tile_place place = place_of(s, first + t);
    const float *own = image + place.image * s->height * s->width * s->channels;
    for (int64_t c = 0; c < s->channels; c += LANES) {
      lanes d[16];
      load_square(own, s->height, s->width, s->channels, place.row - s->top, place.column - s->left, c, 4, d);
      transform_image(d, v + t * depth + c, v_step);
    }
  }
}

APUS_PART void write_tiles(const apus_winograd *s, int64_t panel, const float *m, int64_t m_step, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, float *result) {
  for (int64_t t = 0; t < count; t++)
    for (int64_t k = 0; k < PANEL && panel * PANEL + k < s->filters; k += LANES) {
      lanes y[4];
      transform_result(m + t * PANEL + k, m_step, y);
      write_tile(s, place_of(s, first + t), panel * PANEL + k, y, bias, addend, relu, result);
    }
}

// `MULTIPLY(v, filters, m)` is the product of one point.
#define FORWARD(MULTIPLY) \
  const int64_t rows = round_up(count, 4), depth = round_up(s->channels, LANES); \
  const int64_t v_step = point_step(rows, depth), m_step = point_step(rows, PANEL); \
  float *v = scratch, *m = scratch + POINTS * v_step; \
  transform_tiles(s, image, first, count, v, v_step, depth); \
  for (int64_t panel = 0; panel < (s->filters + PANEL - 1) / PANEL; panel++) { \
    const float *filters = transformed + panel * POINTS * s->channels * PANEL; \
    for (int point = 0; point < POINTS; point++) \
      MULTIPLY(v + point * v_step, depth, rows, filters + point * s->channels * PANEL, s->channels, \
               m + point * m_step); \
    write_tiles(s, panel, m, m_step, bias, addend, relu, first, count, result); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST static void forward_wide(const apus_winograd *s, const float *image, const float *transformed,
                                     const float *bias, const float *addend, int relu, int64_t first, int64_t count,
                                     float *scratch, float *result) {
  FORWARD(multiply_panel_wide)
}
#endif

APUS_WIDE
static void forward_narrow(const apus_winograd *s, const float *image, const float *transformed, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, float *scratch,
                           float *result) {
  FORWARD(multiply_panel_narrow)
}

void apus_winograd_forward(const apus_winograd *s, const float *image, const float *transformed, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, float *scratch,
                           float *result) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers())
    return forward_wide(s, image, transformed, bias, addend, relu, first, count, scratch, result);
#endif
  forward_narrow(s, image, transformed, bias, addend, relu, first, count, scratch, result);
}
