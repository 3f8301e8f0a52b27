// The input gradient by the transpose of F(2x2, 3x3): each 2x2 tile dy of the result's gradient gives to the 4x4 cells
// of the image under it,
//
//   dx += B [(G g G') * (A dy A')] B'
//
// It takes the tiles of the result. As a convolution over dy it would take those of the image, which without padding
// are up to four times as many.
#include "winograd.h"

// B m B' of one tile and 16 channels.
APUS_PART void transform_back_to_image(const float *m, int64_t step, lanes *d) {
  lanes t[16];
  for (int j = 0; j < 4; j++) {
    const lanes m0 = *(const lanes *)(m + j * step), m1 = *(const lanes *)(m + (4 + j) * step);
    const lanes m2 = *(const lanes *)(m + (8 + j) * step), m3 = *(const lanes *)(m + (12 + j) * step);
    t[j] = m0;
    t[4 + j] = m1 - m2 + m3;
    t[8 + j] = m1 + m2 - m0;
    t[12 + j] = -m3;
  }
  for (int i = 0; i < 4; i++) {
    const lanes *row = t + 4 * i;
    d[4 * i] = row[0];
    d[4 * i + 1] = row[1] - row[2] + row[3];
    d[4 * i + 2] = row[1] + row[2] - row[0];
    d[4 * i + 3] = -row[3];
  }
}

// Cells outside of the image are padding: their gradients are nobody's.
APUS_PART void add_square(const apus_winograd *s, tile_place place, int64_t channel, const lanes *d, float *image) {
  const int64_t live = smaller(LANES, s->channels - channel);
  for (int64_t r = 0; r < 4; r++)
    for (int64_t q = 0; q < 4; q++) {
      const int64_t row = place.row - s->top + r, column = place.column - s->left + q;
      if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
      float *target = image + (row * s->width + column) * s->channels + channel;
      if (live == LANES) {
        *(lanes *)target += d[4 * r + q];
      } else {
        for (int64_t i = 0; i < live; i++) target[i] += d[4 * r + q][i];
      }
    }
}

APUS_PART void transform_results(const apus_winograd *s, const float *result, int64_t first, int64_t count, float *v,
                                 int64_t v_step, int64_t depth) {
  for (int64_t t = 0; t < count; t++) {
    const tile_place place = place_of(s, first + t);
    const float *own = result + place.image * s->result_height * s->result_width * s->filters;
    for (int64_t k = 0; k < s->filters; k += LANES) {
      lanes y[4];
      load_square(own, s->result_height, s->result_width, s->filters, place.row, place.column, k, 2, y);
      transform_gradient(y, v + t * depth + k, v_step);
    }
  }
}

APUS_PART void add_tiles(const apus_winograd *s, int64_t panel, const float *m, int64_t m_step, int64_t first,
                         int64_t count, float *image) {
  for (int64_t t = 0; t < count; t++) {
    const tile_place place = place_of(s, first + t);
    float *own = image + place.image * s->height * s->width * s->channels;
    for (int64_t c = 0; c < PANEL && panel * PANEL + c < s->channels; c += LANES) {
      lanes d[16];
      transform_back_to_image(m + t * PANEL + c, m_step, d);
      add_square(s, place, panel * PANEL + c, d, own);
    }
  }
}

// `MULTIPLY(v, filters, m)` is the product of one point.
#define INPUT_GRADIENT(MULTIPLY) \
  const int64_t tiles_each = apus_winograd_tile_count(s) / s->images; \
  const int64_t first = first_image * tiles_each, count = images * tiles_each; \
  const int64_t rows = round_up(count, 4), depth = round_up(s->filters, LANES); \
  const int64_t v_step = point_step(rows, depth), m_step = point_step(rows, PANEL); \
  const int64_t image_step = s->height * s->width * s->channels; \
  float *v = scratch, *m = scratch + POINTS * v_step; \
  memset(image + first_image * image_step, 0, images * image_step * sizeof(float)); \
  transform_results(s, result, first, count, v, v_step, depth); \
  for (int64_t panel = 0; panel < (s->channels + PANEL - 1) / PANEL; panel++) { \
    const float *filters = transformed + panel * POINTS * s->filters * PANEL; \
    for (int point = 0; point < POINTS; point++) \
      MULTIPLY(v + point * v_step, depth, rows, filters + point * s->filters * PANEL, s->filters, m + point * m_step); \
    add_tiles(s, panel, m, m_step, first, count, image); \
  }

#ifdef APUS_WIDEST
APUS_WIDEST static void input_gradient_wide(const apus_winograd *s, const float *result, const float *transformed,
                                            int64_t first_image, int64_t images, float *scratch, float *image) {
  INPUT_GRADIENT(multiply_panel_wide)
}
#endif

APUS_WIDE
static void input_gradient_narrow(const apus_winograd *s, const float *result, const float *transformed,
                                  int64_t first_image, int64_t images, float *scratch, float *image) {
  INPUT_GRADIENT(multiply_panel_narrow)
}

void apus_winograd_input_gradient(const apus_winograd *s, const float *result, const float *transformed,
                                  int64_t first_image, int64_t images, float *scratch, float *image) {
#ifdef APUS_WIDEST
  if (apus_has_wide_registers())
    return input_gradient_wide(s, result, transformed, first_image, images, scratch, image);
#endif
  input_gradient_narrow(s, result, transformed, first_image, images, scratch, image);
}
