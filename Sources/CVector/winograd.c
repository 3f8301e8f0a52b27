#include "winograd.h"

// MARK: - Sizes

int64_t apus_winograd_tile_count(const apus_winograd *s) {
  return s->images * ((s->result_height + 1) / 2) * ((s->result_width + 1) / 2);
}

int64_t apus_winograd_panel_count(const apus_winograd *s) { return (s->filters + PANEL - 1) / PANEL; }

int64_t apus_winograd_filter_count(const apus_winograd *s) {
  return apus_winograd_panel_count(s) * POINTS * PANEL * round_up(s->channels, 4);
}

double apus_winograd_filling(const apus_winograd *s) {
  const int unit = unit_for(s->filters);
  return (double)(s->filters * unit) / (double)(registers_for(s->filters, unit) * LANES);
}

// Rows of tiles that a block of registers covers are 4, 8 or 12.
static int64_t padded_rows(int64_t tiles) { return round_up(tiles, 4); }

int64_t apus_winograd_scratch(const apus_winograd *s, int64_t count) {
  const int unit = unit_for(s->filters);
  const int64_t rows = padded_rows(count);
  return POINTS / unit * (matrix_size(rows, row_size(s->channels, unit)) + matrix_size(rows, PANEL * unit));
}

// MARK: - Filters

// G g G' of 16 filters: row i goes to `u + i * steps.row`.
APUS_PART void transform_filter(const lanes *g, point_steps steps, const int unit, float *u) {
  lanes t[12];
  for (int j = 0; j < 3; j++) {
    t[j] = g[j];
    t[3 + j] = (g[j] + g[3 + j] + g[6 + j]) * .5f;
    t[6 + j] = (g[j] - g[3 + j] + g[6 + j]) * .5f;
    t[9 + j] = g[6 + j];
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 3 * i;
    lanes points[4] = {row[0], (row[0] + row[1] + row[2]) * .5f, (row[0] - row[1] + row[2]) * .5f, row[2]};
    store_points(points, steps, unit, u + i * steps.row);
  }
}

APUS_PART void transform_panels(const apus_winograd *s, const apus_winograd_filters *f, int64_t first, int64_t end,
                                const int unit, float *transformed) {
  const int64_t depth = round_up(s->channels, 4), matrix = depth * PANEL * unit;
  for (int64_t panel = first; panel < end; panel++)
    for (int64_t place = 0; place < depth; place++)
      for (int64_t k = panel * PANEL; k < (panel + 1) * PANEL && k < s->filters; k += LANES) {
        const int64_t c = channel_at_place(s->channels, place, unit), live = smaller(LANES, s->filters - k);
        lanes g[9] = {0};
        for (int tap = 0; tap < 9 && c < s->channels; tap++) {
          const float *source = f->data + (f->turned ? 8 - tap : tap) * f->tap + c * f->channel + k * f->filter;
          if (live == LANES && f->filter == 1) {
            g[tap] = *(const lanes *)source;
          } else {
            float taps[LANES] = {0};
            for (int64_t i = 0; i < live; i++) taps[i] = source[i * f->filter];
            memcpy(&g[tap], taps, sizeof taps);
          }
        }
        transform_filter(g, steps_of(s->filters, k, matrix, unit), unit,
                         transformed + panel * POINTS * PANEL * depth + (place * PANEL + k % PANEL) * unit);
      }
}

// [panel][matrix][channel][32 filters][unit]; channels and filters that fill up fours are 0.
APUS_WIDE
void apus_winograd_transform_filters(const apus_winograd *s, const apus_winograd_filters *f, int64_t first,
                                     int64_t end, float *transformed) {
  if (unit_for(s->filters) == 1) {
    transform_panels(s, f, first, end, 1, transformed);
  } else {
    transform_panels(s, f, first, end, 4, transformed);
  }
}

// MARK: - Forward

// A' m A of one tile and 16 filters, of which row i is at `m + i * steps.row`.
APUS_PART void transform_result(const float *m, point_steps steps, const int unit, lanes *y) {
  lanes t[8];
  for (int q = 0; q < 4; q++) {
    const float *own = m + q * steps.next;
    const lanes m0 = *(const lanes *)own, m1 = *(const lanes *)(own + steps.row);
    const lanes m2 = *(const lanes *)(own + 2 * steps.row), m3 = *(const lanes *)(own + 3 * steps.row);
    t[q] = m0 + m1 + m2;
    t[4 + q] = m1 - m2 - m3;
  }
  for (int i = 0; i < 2; i++) {
    lanes *row = t + 4 * i;
    if (unit == 4) exchange_fours(row);
    y[2 * i] = row[0] + row[1] + row[2];
    y[2 * i + 1] = row[1] - row[2] - row[3];
  }
}

APUS_PART void write_tile(const apus_winograd *s, tile_place place, int64_t k, const lanes *y, const lanes *offsets,
                          const float *addend, int relu, float *result) {
  const int64_t live = s->filters - k;
  const int64_t count = s->images * s->result_height * s->result_width * s->filters;
  for (int cell = 0; cell < 4; cell++) {
    const int64_t row = place.row + cell / 2, column = place.column + cell % 2;
    if (row >= s->result_height || column >= s->result_width) continue;
    const int64_t index = ((place.image * s->result_height + row) * s->result_width + column) * s->filters + k;
    lanes value = y[cell] + *offsets, added;
    if (addend) {
      load_live(addend + index, live, addend + count, &added);
      value += added;
    }
    // Where a comparison with a NaN fails, the NaN stays.
    if (relu) value = (lanes)((lane_bits)value & ~(value < 0.f));
    store_live(&value, live, result + index);
  }
}

APUS_PART void transform_tiles(const apus_winograd *s, const float *image, int64_t first, int64_t count, float *v,
                               int64_t v_row, int64_t v_matrix, const int unit) {
  tile_place place = place_of(s, first);
  for (int64_t t = 0; t < count; t++, place = place_after(s, place)) {
    const tile_place square = {place.image, place.row - s->top, place.column - s->left};
    for (int64_t c = 0; c < s->channels; c += LANES) {
      lanes d[16];
      load_square(image, s->images, square, s->height, s->width, s->channels, c, 4, d);
      transform_image(d, steps_of(s->channels, c, v_matrix, unit), unit, v + t * v_row + c * unit);
    }
  }
}

APUS_PART void write_tiles(const apus_winograd *s, int64_t panel, const float *m, int64_t m_matrix, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, const int unit,
                           float *result) {
  lanes offsets[PANEL / LANES] = {0};
  for (int64_t k = 0; k < PANEL && panel * PANEL + k < s->filters && bias; k += LANES)
    load_live(bias + panel * PANEL + k, s->filters - panel * PANEL - k, bias + s->filters, &offsets[k / LANES]);
  tile_place place = place_of(s, first);
  for (int64_t t = 0; t < count; t++, place = place_after(s, place))
    for (int64_t own = 0; own < PANEL && panel * PANEL + own < s->filters; own += LANES) {
      const int64_t k = panel * PANEL + own;
      lanes y[4];
      transform_result(m + (t * PANEL + own) * unit, steps_of(s->filters, k, m_matrix, unit), unit, y);
      write_tile(s, place, k, y, &offsets[own / LANES], addend, relu, result);
    }
}

// `MULTIPLY(...)` is the product of one matrix.
#define FORWARD(MULTIPLY, unit) \
  const int64_t rows = padded_rows(count), depth = round_up(s->channels, 4); \
  const int64_t v_row = row_size(s->channels, unit), m_row = PANEL * unit; \
  const int64_t v_matrix = matrix_size(rows, v_row), m_matrix = matrix_size(rows, m_row); \
  float *v = scratch, *m = scratch + POINTS / unit * v_matrix; \
  transform_tiles(s, image, first, count, v, v_row, v_matrix, unit); \
  for (int64_t panel = 0; panel < apus_winograd_panel_count(s); panel++) { \
    const float *filters = transformed + panel * POINTS * PANEL * depth; \
    const int64_t registers = registers_for(smaller(PANEL, s->filters - panel * PANEL), unit); \
    for (int i = 0; i < POINTS / unit; i++) \
      MULTIPLY(v + i * v_matrix, v_row, unit, rows, filters + i * depth * m_row, m_row, registers, depth, \
               m + i * m_matrix, m_row, unit, 0); \
    write_tiles(s, panel, m, m_matrix, bias, addend, relu, first, count, unit, result); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST static void forward_wide(const apus_winograd *s, const float *image, const float *transformed,
                                     const float *bias, const float *addend, int relu, int64_t first, int64_t count,
                                     float *scratch, float *result) {
  if (unit_for(s->filters) == 1) {
    FORWARD(multiply_rows_wide, 1)
  } else {
    FORWARD(multiply_rows_wide, 4)
  }
}
#endif

APUS_WIDE
static void forward_narrow(const apus_winograd *s, const float *image, const float *transformed, const float *bias,
                           const float *addend, int relu, int64_t first, int64_t count, float *scratch,
                           float *result) {
  if (unit_for(s->filters) == 1) {
    FORWARD(multiply_rows_narrow, 1)
  } else {
    FORWARD(multiply_rows_narrow, 4)
  }
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
