// The input gradient by the transpose of F(2x2, 3x3): each 2x2 tile dy of the result's gradient gives to the 4x4 cells
// of the image under it,
//
//   dx += B [(G g G') * (A dy A')] B'
//
// It takes the tiles of the result. As a convolution over dy it would take those of the image, which without padding
// are up to four times as many.
#include "winograd.h"

// B m B' of one tile and 16 channels, of which row i is at `m + i * steps.row`.
APUS_PART void transform_back_to_image(const float *m, point_steps steps, const int unit, lanes *d) {
  lanes t[16];
  for (int q = 0; q < 4; q++) {
    const float *own = m + q * steps.next;
    const lanes m0 = *(const lanes *)own, m1 = *(const lanes *)(own + steps.row);
    const lanes m2 = *(const lanes *)(own + 2 * steps.row), m3 = *(const lanes *)(own + 3 * steps.row);
    t[q] = m0;
    t[4 + q] = m1 - m2 + m3;
    t[8 + q] = m1 + m2 - m0;
    t[12 + q] = -m3;
  }
  for (int i = 0; i < 4; i++) {
    lanes *row = t + 4 * i;
    if (unit == 4) exchange_fours(row);
    d[4 * i] = row[0];
    d[4 * i + 1] = row[1] - row[2] + row[3];
    d[4 * i + 2] = row[1] + row[2] - row[0];
    d[4 * i + 3] = -row[3];
  }
}

// Cells outside of the image are padding: their gradients are nobody's.
APUS_PART void add_square(const apus_winograd *s, tile_place place, int64_t channel, const lanes *d, float *images) {
  const int64_t live = s->channels - channel;
  const float *end = images + s->images * s->height * s->width * s->channels;
  for (int64_t r = 0; r < 4; r++)
    for (int64_t q = 0; q < 4; q++) {
      const int64_t row = place.row - s->top + r, column = place.column - s->left + q;
      if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
      float *target = images + ((place.image * s->height + row) * s->width + column) * s->channels + channel;
      lanes sum;
      load_live(target, live, end, &sum);
      sum += d[4 * r + q];
      store_live(&sum, live, target);
    }
}

APUS_PART void transform_results(const apus_winograd *s, const float *result, int64_t first, int64_t count, float *v,
                                 int64_t v_row, int64_t v_matrix, const int unit) {
  tile_place place = place_of(s, first);
  for (int64_t t = 0; t < count; t++, place = place_after(s, place))
    for (int64_t k = 0; k < s->filters; k += LANES) {
      lanes y[4];
      load_square(result, s->images, place, s->result_height, s->result_width, s->filters, k, 2, y);
      transform_gradient(y, steps_of(s->filters, k, v_matrix, unit), unit, v + t * v_row + k * unit);
    }
}

APUS_PART void add_tiles(const apus_winograd *s, int64_t panel, const float *m, int64_t m_matrix, int64_t first,
                         int64_t count, const int unit, float *image) {
  tile_place place = place_of(s, first);
  for (int64_t t = 0; t < count; t++, place = place_after(s, place))
    for (int64_t own = 0; own < PANEL && panel * PANEL + own < s->channels; own += LANES) {
      const int64_t c = panel * PANEL + own;
      lanes d[16];
      transform_back_to_image(m + (t * PANEL + own) * unit, steps_of(s->channels, c, m_matrix, unit), unit, d);
      add_square(s, place, c, d, image);
    }
}

// `MULTIPLY(...)` is the product of one matrix.
#define INPUT_GRADIENT(MULTIPLY, unit) \
  const int64_t tiles_each = apus_winograd_tile_count(s) / s->images; \
  const int64_t first = first_image * tiles_each, count = images * tiles_each; \
  const int64_t rows = round_up(count, 4), depth = round_up(s->filters, 4); \
  const int64_t v_row = row_size(s->filters, unit), m_row = PANEL * unit; \
  const int64_t v_matrix = matrix_size(rows, v_row), m_matrix = matrix_size(rows, m_row); \
  const int64_t image_step = s->height * s->width * s->channels; \
  float *v = scratch, *m = scratch + POINTS / unit * v_matrix; \
  memset(image + first_image * image_step, 0, images * image_step * sizeof(float)); \
  transform_results(s, result, first, count, v, v_row, v_matrix, unit); \
  for (int64_t panel = 0; panel * PANEL < s->channels; panel++) { \
    const float *filters = transformed + panel * POINTS * PANEL * depth; \
    const int64_t registers = registers_for(smaller(PANEL, s->channels - panel * PANEL), unit); \
    for (int i = 0; i < POINTS / unit; i++) \
      MULTIPLY(v + i * v_matrix, v_row, unit, rows, filters + i * depth * m_row, m_row, registers, depth, \
               m + i * m_matrix, m_row, unit, 0); \
    add_tiles(s, panel, m, m_matrix, first, count, unit, image); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST static void input_gradient_wide(const apus_winograd *s, const float *result, const float *transformed,
                                            int64_t first_image, int64_t images, float *scratch, float *image) {
  if (unit_for(s->channels) == 1) {
    INPUT_GRADIENT(multiply_rows_wide, 1)
  } else {
    INPUT_GRADIENT(multiply_rows_wide, 4)
  }
}
#endif

APUS_WIDE
static void input_gradient_narrow(const apus_winograd *s, const float *result, const float *transformed,
                                  int64_t first_image, int64_t images, float *scratch, float *image) {
  if (unit_for(s->channels) == 1) {
    INPUT_GRADIENT(multiply_rows_narrow, 1)
  } else {
    INPUT_GRADIENT(multiply_rows_narrow, 4)
  }
}

void apus_winograd_input_gradient(const apus_winograd *s, const float *result, const float *transformed,
                                  int64_t first_image, int64_t images, float *scratch, float *image) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers())
    return input_gradient_wide(s, result, transformed, first_image, images, scratch, image);
#endif
  input_gradient_narrow(s, result, transformed, first_image, images, scratch, image);
}
