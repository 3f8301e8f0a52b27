#include "webp_api.h"
#include "image.h"
#include "loader.h"

#include <stdlib.h>
#include <string.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  WEBP_FUNCTIONS(MEMBER)
} webp;

const char *apus_webp_load(void) {
#if __APPLE__
  static const char *const names[] = {"libwebp.7.dylib", "/opt/homebrew/lib/libwebp.7.dylib"};
#else
  static const char *const names[] = {"libwebp.so.7"};
#endif
#define ENTRY(result, name, parameters) {"WebP" #name, &webp.name},
  static const apus_function functions[] = {WEBP_FUNCTIONS(ENTRY)};
  static apus_problem problem;
  return APUS_LOAD(names, functions, &problem) ? NULL : problem.text;
}

// Where a frame stands on the canvas, and the bitstream that libwebp decodes.
typedef struct {
  uint32_t canvas_width, canvas_height, left, top;
  const uint8_t *data;
  size_t size;
} frame;

// What stands beside the pixels of an extended file: name, length, content, even lengths, chunk after chunk. A frame of
// an animation is a chunk that begins with its place; behind 16 bytes stands what a file of its own would have.
static apus_image_status read_chunks(const uint8_t *data, size_t size, frame *first, apus_image *image) {
  if (size < 30 || memcmp(data + 12, "VP8X", 4) != 0) return APUS_IMAGE_OK;
  first->canvas_width = apus_little_endian(data + 24, 3) + 1;
  first->canvas_height = apus_little_endian(data + 27, 3) + 1;
  bool has_frame = false;
  for (size_t position = 12; size - position >= 8;) {
    const uint8_t *chunk = data + position, *content = chunk + 8;
    const size_t length = apus_little_endian(chunk + 4, 4), room = size - position - 8;
    if (length > room) break;
    bool is_kept = true;
    if (memcmp(chunk, "EXIF", 4) == 0 && !image->exif.size) {
      is_kept = apus_block_append(&image->exif, content, length);
    } else if (memcmp(chunk, "XMP ", 4) == 0 && !image->xmp.size) {
      is_kept = apus_block_append(&image->xmp, content, length);
    } else if (memcmp(chunk, "ANMF", 4) == 0 && !has_frame && length > 16) {
      has_frame = true;
      first->left = 2 * apus_little_endian(content, 3);
      first->top = 2 * apus_little_endian(content + 3, 3);
      first->data = content + 16;
      first->size = length - 16;
    }
    if (!is_kept) return APUS_IMAGE_NO_MEMORY;
    if (length + length % 2 > room) break;
    position += 8 + length + length % 2;
  }
  return APUS_IMAGE_OK;
}

// Lays the rows of a frame on a transparent canvas.
static apus_image_status lay_rows(const frame *first, const uint8_t *pixels, const webp_features *features,
                                  apus_rows *rows) {
  uint8_t *line = calloc(rows->width, rows->channels);
  if (!line) return APUS_IMAGE_NO_MEMORY;
  const size_t row_bytes = (size_t)features->width * rows->channels;
  for (uint32_t y = 0; y < rows->height; y++) {
    const bool is_inside = y >= first->top && y - first->top < (uint32_t)features->height;
    uint8_t *place = line + (size_t)first->left * rows->channels;
    if (is_inside)
      memcpy(place, pixels + row_bytes * (y - first->top), row_bytes);
    else
      memset(place, 0, row_bytes);
    apus_rows_add(rows, line);
  }
  free(line);
  return APUS_IMAGE_OK;
}

static apus_image_status decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_rows *rows,
                                apus_image *image) {
  frame first = {.data = data, .size = size};
  apus_image_status status = read_chunks(data, size, &first, image);
  if (status != APUS_IMAGE_OK) return status;
  webp_features features;
  const int result = webp.GetFeaturesInternal(first.data, first.size, &features, WEBP_DECODER_ABI_VERSION);
  if (result == WEBP_UNSUPPORTED_FEATURE) return apus_image_fail(image, APUS_IMAGE_UNSUPPORTED, "unknown to libwebp");
  if (result != WEBP_OK || features.has_animation)
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "it has no first frame that is whole");
  const uint32_t width = (uint32_t)features.width, height = (uint32_t)features.height;
  if (first.data == data) {
    first.canvas_width = width;
    first.canvas_height = height;
  }
  if (first.left + width > first.canvas_width || first.top + height > first.canvas_height)
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "its first frame is not on its canvas");
  const bool is_transparent = features.has_alpha || width != first.canvas_width || height != first.canvas_height;
  const uint32_t channels = is_transparent ? 4 : 3;
  status = apus_rows_begin(rows, image, first.canvas_width, first.canvas_height, channels, limits);
  if (status != APUS_IMAGE_OK) return status;
  uint8_t *pixels = apus_whole_picture(width, height, channels, limits);
  if (!pixels) return APUS_IMAGE_NO_MEMORY;
  const size_t row_bytes = (size_t)width * channels;
  uint8_t *decoded = (is_transparent ? webp.DecodeRGBAInto : webp.DecodeRGBInto)(
      first.data, first.size, pixels, row_bytes * height, (int)row_bytes);
  status = decoded ? lay_rows(&first, pixels, &features, rows)
                   : apus_image_fail(image, APUS_IMAGE_MALFORMED, "its pixels are damaged or cut short");
  free(pixels);
  return status;
}

apus_image_status apus_webp_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  apus_rows rows = {0};
  const apus_image_status status = decode(data, size, limits, &rows, image);
  apus_rows_free(&rows);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}
