#include "image.h"

#include <stdlib.h>
#include <string.h>

// The smallest side of boxes that leave at most max_pixels.
static uint32_t box_side(uint32_t width, uint32_t height, uint64_t max_pixels) {
  uint32_t side = 1;
  while ((uint64_t)((width + side - 1) / side) * ((height + side - 1) / side) > max_pixels) side++;
  return side;
}

apus_image_status apus_rows_begin(apus_rows *rows, apus_image *image, uint64_t width, uint64_t height,
                                  uint32_t channels, apus_image_limits limits) {
  *rows = (apus_rows){.image = image, .channels = channels};
  const apus_image_status status = apus_image_set_size(image, width, height, limits);
  if (status != APUS_IMAGE_OK) return status;
  rows->width = image->width;
  rows->height = image->height;
  const uint32_t side = rows->side = box_side(rows->width, rows->height, limits.max_pixels);
  image->width = (rows->width + side - 1) / side;
  image->height = (rows->height + side - 1) / side;
  image->channels = channels;
  image->pixels = apus_whole_picture(image->width, image->height, channels, limits);
  if (!image->pixels) return APUS_IMAGE_NO_MEMORY;
  if (side == 1) return APUS_IMAGE_OK;
  rows->sums = calloc((size_t)image->width * (channels + 1), sizeof *rows->sums);
  return rows->sums ? APUS_IMAGE_OK : APUS_IMAGE_NO_MEMORY;
}

static bool has_alpha(const apus_rows *rows) { return rows->channels % 2 == 0; }
static uint32_t color_count(const apus_rows *rows) { return rows->channels - has_alpha(rows); }

// Adds a row to the sums of its boxes: colours times alpha (1 where there is none), and behind them the weights.
static void add_to_sums(const apus_rows *rows, const uint8_t *row) {
  const uint32_t colors = color_count(rows), side = rows->side;
  for (uint32_t x = 0; x < rows->width; x++) {
    const uint8_t *pixel = row + (size_t)x * rows->channels;
    uint32_t *sum = rows->sums + (size_t)(x / side) * (colors + 1);
    const uint32_t weight = has_alpha(rows) ? pixel[colors] : 1;
    for (uint32_t channel = 0; channel < colors; channel++) sum[channel] += pixel[channel] * weight;
    sum[colors] += weight;
  }
}

// The means of the boxes in a row of boxes with so many rows, rounded; clears the sums.
static void take_means(const apus_rows *rows, uint8_t *out, uint32_t height) {
  const uint32_t colors = color_count(rows), side = rows->side;
  for (uint32_t box = 0; box < rows->image->width; box++, out += rows->channels) {
    uint32_t *sum = rows->sums + (size_t)box * (colors + 1);
    const uint32_t weight = sum[colors];
    for (uint32_t channel = 0; channel < colors; channel++)
      out[channel] = weight ? (uint8_t)((sum[channel] + weight / 2) / weight) : 0;
    const uint32_t rest = rows->width - box * side, columns = rest < side ? rest : side;
    if (has_alpha(rows)) out[colors] = (uint8_t)((weight + columns * height / 2) / (columns * height));
    memset(sum, 0, (colors + 1) * sizeof *sum);
  }
}

void apus_rows_add(apus_rows *rows, const uint8_t *row) {
  const size_t row_bytes = (size_t)rows->image->width * rows->channels;
  const uint32_t y = rows->count++;
  uint8_t *out = rows->image->pixels + row_bytes * (y / rows->side);
  if (rows->side == 1) {
    memcpy(out, row, row_bytes);
    return;
  }
  add_to_sums(rows, row);
  if (y % rows->side == rows->side - 1 || y == rows->height - 1) take_means(rows, out, y % rows->side + 1);
}

void apus_rows_free(apus_rows *rows) {
  free(rows->sums);
  rows->sums = NULL;
}
