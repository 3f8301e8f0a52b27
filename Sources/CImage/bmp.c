// BMP, as Windows and OS/2 write it ([MS-WMF] 2.2.2.9, DeviceIndependentBitmap). It is read here because no library that
// systems have reads it by itself: it comes with whole toolkits only. The format is a header, a palette and rows.
#include "image.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40 };
enum { PLAIN = 0, RUNS_OF_8 = 1, RUNS_OF_4 = 2, BIT_FIELDS = 3, ALPHA_BIT_FIELDS = 6 };

typedef struct {
  const uint8_t *data;
  size_t size;
  uint32_t width, height, bits, compression;
  bool is_top_down;
  size_t pixels; // where they begin
  const uint8_t *palette;
  uint32_t color_count, color_bytes;
  uint32_t masks[4]; // red, green, blue, alpha
  apus_image *image;
} bitmap;

static apus_image_status damaged(bitmap *bmp, const char *reason) {
  return apus_image_fail(bmp->image, APUS_IMAGE_MALFORMED, reason);
}

static apus_image_status unknown(bitmap *bmp, const char *reason) {
  return apus_image_fail(bmp->image, APUS_IMAGE_UNSUPPORTED, reason);
}

// The masks of 16 and 32 bits: those that stand in or behind the header, else the usual ones.
static bool read_masks(bitmap *bmp, uint32_t header_size) {
  if (bmp->compression == PLAIN) {
    const bool is_short = bmp->bits == 16;
    bmp->masks[0] = is_short ? 0x7C00 : 0xFF0000;
    bmp->masks[1] = is_short ? 0x03E0 : 0x00FF00;
    bmp->masks[2] = is_short ? 0x001F : 0x0000FF;
    return true;
  }
  const unsigned count = header_size >= 56 || bmp->compression == ALPHA_BIT_FIELDS ? 4 : 3;
  if (bmp->size < FILE_HEADER + INFO_HEADER + 4 * count) return false;
  for (unsigned i = 0; i < count; i++)
    bmp->masks[i] = apus_little_endian(bmp->data + FILE_HEADER + INFO_HEADER + 4 * i, 4);
  return true;
}

static apus_image_status read_header(bitmap *bmp) {
  const uint8_t *header = bmp->data + FILE_HEADER;
  if (bmp->size < FILE_HEADER + CORE_HEADER) return damaged(bmp, "it ends in its header");
  const uint32_t header_size = apus_little_endian(header, 4);
  bmp->pixels = apus_little_endian(bmp->data + 10, 4);
  uint32_t colors = 0;
  if (header_size == CORE_HEADER) {
    bmp->width = apus_little_endian(header + 4, 2);
    bmp->height = apus_little_endian(header + 6, 2);
    bmp->bits = apus_little_endian(header + 10, 2);
    bmp->color_bytes = 3;
  } else {
    if (header_size < 16 || header_size > 1024) return unknown(bmp, "a header of another kind");
    if (bmp->size - FILE_HEADER < header_size) return damaged(bmp, "it ends in its header");
    const int32_t width = (int32_t)apus_little_endian(header + 4, 4);
    const int32_t height = (int32_t)apus_little_endian(header + 8, 4);
    if (width <= 0 || height == 0 || height == INT32_MIN) return damaged(bmp, "it has no pixels");
    bmp->width = (uint32_t)width;
    bmp->is_top_down = height < 0;
    bmp->height = (uint32_t)(height < 0 ? -height : height);
    bmp->bits = apus_little_endian(header + 14, 2);
    bmp->compression = header_size >= 20 ? apus_little_endian(header + 16, 4) : PLAIN;
    colors = header_size >= 36 ? apus_little_endian(header + 32, 4) : 0;
    bmp->color_bytes = 4;
  }
  switch (bmp->compression) {
  case PLAIN: break;
  case RUNS_OF_8: if (bmp->bits == 8) break; return damaged(bmp, "runs of another depth");
  case RUNS_OF_4: if (bmp->bits == 4) break; return damaged(bmp, "runs of another depth");
  case BIT_FIELDS:
  case ALPHA_BIT_FIELDS:
    // OS/2 means other things by these numbers.
    if (header_size >= INFO_HEADER && header_size != 64 && (bmp->bits == 16 || bmp->bits == 32)) break;
    return unknown(bmp, "compressed in a way that is not read");
  default: return unknown(bmp, "compressed in a way that is not read");
  }
  if (bmp->bits == 16 || bmp->bits == 32)
    return read_masks(bmp, header_size) ? APUS_IMAGE_OK : damaged(bmp, "it ends in its header");
  if (bmp->bits == 24) return APUS_IMAGE_OK;
  if (bmp->bits != 1 && bmp->bits != 2 && bmp->bits != 4 && bmp->bits != 8)
    return unknown(bmp, "a depth that is not read");
  const size_t start = FILE_HEADER + header_size;
  const size_t room = (bmp->pixels > start && bmp->pixels <= bmp->size ? bmp->pixels : bmp->size) - start;
  bmp->palette = bmp->data + start;
  bmp->color_count = colors == 0 || colors > 1u << bmp->bits ? 1u << bmp->bits : colors;
  if (bmp->color_count > room / bmp->color_bytes) bmp->color_count = (uint32_t)(room / bmp->color_bytes);
  return APUS_IMAGE_OK;
}

// B, G, R; beyond the palette's end black.
static void put_color(const bitmap *bmp, uint32_t index, uint8_t *out) {
  static const uint8_t black[3];
  const uint8_t *color = index < bmp->color_count ? bmp->palette + (size_t)index * bmp->color_bytes : black;
  for (int channel = 0; channel < 3; channel++) out[channel] = color[2 - channel];
}

// The bits under a mask, spread over 0...255.
static uint8_t field(uint32_t value, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = __builtin_ctz(mask);
  const uint64_t most = mask >> shift;
  return (uint8_t)((((value & mask) >> shift) * 255ull + most / 2) / most);
}

static void read_row(const bitmap *bmp, const uint8_t *row, uint32_t channels, uint8_t *out) {
  const uint32_t bits = bmp->bits;
  for (uint32_t x = 0; x < bmp->width; x++, out += channels) {
    if (bits == 24) {
      for (int channel = 0; channel < 3; channel++) out[channel] = row[3 * (size_t)x + 2 - channel];
    } else if (bits > 8) {
      const uint32_t value = apus_little_endian(row + (size_t)x * (bits / 8), bits / 8);
      for (uint32_t channel = 0; channel < channels; channel++) out[channel] = field(value, bmp->masks[channel]);
    } else {
      const uint64_t bit = (uint64_t)x * bits;
      put_color(bmp, row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1), out);
    }
  }
}

// Runs of one colour, or of two in turn; 0 and a number: the row's or the picture's end, a step, or so many pixels as
// they are, padded to an even number of bytes. What is stepped over has the first colour.
static bool read_runs(const bitmap *bmp, uint8_t *indices) {
  const uint8_t *data = bmp->data;
  const bool is_half = bmp->compression == RUNS_OF_4;
  size_t position = bmp->pixels;
  uint32_t x = 0, y = 0;
  while (y < bmp->height) {
    if (position + 2 > bmp->size) return false;
    const uint32_t count = data[position], value = data[position + 1];
    position += 2;
    uint8_t *row = indices + (size_t)y * bmp->width;
    if (count > 0) {
      for (uint32_t i = 0; i < count && x < bmp->width; i++, x++)
        row[x] = (uint8_t)(!is_half ? value : i % 2 == 0 ? value >> 4 : value & 15);
    } else if (value == 0) {
      x = 0;
      y++;
    } else if (value == 1) {
      return true;
    } else if (value == 2) {
      if (position + 2 > bmp->size) return false;
      x += data[position];
      y += data[position + 1];
      position += 2;
    } else {
      const uint32_t bytes = is_half ? (value + 1) / 2 : value;
      if (position + bytes > bmp->size) return false;
      for (uint32_t i = 0; i < value && x < bmp->width; i++, x++) {
        const uint8_t byte = data[position + (is_half ? i / 2 : i)];
        row[x] = !is_half ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
      }
      position += bytes + bytes % 2;
    }
    if (x >= bmp->width && y == bmp->height - 1) return true;
  }
  return true;
}

static apus_image_status decode(bitmap *bmp, apus_image_limits limits, apus_rows *rows, uint8_t **indices,
                                uint8_t **line) {
  apus_image_status status = read_header(bmp);
  if (status == APUS_IMAGE_OK) status = apus_image_set_size(bmp->image, bmp->width, bmp->height, limits);
  if (status != APUS_IMAGE_OK) return status;
  size_t stride = ((uint64_t)bmp->width * bmp->bits + 31) / 32 * 4;
  const uint8_t *first = NULL;
  if (bmp->compression == RUNS_OF_8 || bmp->compression == RUNS_OF_4) {
    *indices = apus_whole_picture(bmp->width, bmp->height, 1, limits);
    if (!*indices) return APUS_IMAGE_NO_MEMORY;
    memset(*indices, 0, (size_t)bmp->width * bmp->height);
    if (!read_runs(bmp, *indices)) return damaged(bmp, "its pixels are cut short");
    first = *indices;
    stride = bmp->width;
    bmp->bits = 8;
  } else {
    // The padding of the last row may be missing.
    const uint64_t last_row = ((uint64_t)bmp->width * bmp->bits + 7) / 8;
    const uint64_t room = bmp->pixels <= bmp->size ? bmp->size - bmp->pixels : 0;
    if (last_row > room || bmp->height - 1 > (room - last_row) / stride)
      return damaged(bmp, "its pixels are cut short");
    first = bmp->data + bmp->pixels;
  }
  const uint32_t channels = bmp->masks[3] ? 4 : 3;
  status = apus_rows_begin(rows, bmp->image, bmp->width, bmp->height, channels, limits);
  if (status != APUS_IMAGE_OK) return status;
  *line = apus_whole_picture(bmp->width, 1, channels, limits);
  if (!*line) return APUS_IMAGE_NO_MEMORY;
  for (uint32_t y = 0; y < bmp->height; y++) {
    read_row(bmp, first + stride * (bmp->is_top_down ? y : bmp->height - 1 - y), channels, *line);
    apus_rows_add(rows, *line);
  }
  return APUS_IMAGE_OK;
}

apus_image_status apus_bmp_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  bitmap bmp = {.data = data, .size = size, .image = image};
  apus_rows rows = {0};
  uint8_t *indices = NULL, *line = NULL;
  const apus_image_status status = decode(&bmp, limits, &rows, &indices, &line);
  apus_rows_free(&rows);
  free(indices);
  free(line);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}
