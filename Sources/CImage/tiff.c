#include "tiff_api.h"
#include "image.h"
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  TIFF_FUNCTIONS(MEMBER)
} tiff;

// The library has one place for each kind of message, for the whole process. A thread that decodes a picture here gets
// its messages; those of others go where they went before.
static _Thread_local apus_image *current;
static tiff_message_fn others_error, others_warning;
static tiff_handle_message_fn others_error_of, others_warning_of;

static void on_error(const char *module, const char *format, va_list arguments) {
  if (current)
    vsnprintf(current->message, sizeof current->message, format, arguments);
  else if (others_error)
    others_error(module, format, arguments);
}

static void on_error_of(void *handle, const char *module, const char *format, va_list arguments) {
  if (!current && others_error_of) others_error_of(handle, module, format, arguments);
}

static void on_warning(const char *module, const char *format, va_list arguments) {
  if (!current && others_warning) others_warning(module, format, arguments);
}

static void on_warning_of(void *handle, const char *module, const char *format, va_list arguments) {
  if (!current && others_warning_of) others_warning_of(handle, module, format, arguments);
}

const char *apus_tiff_load(void) {
#if __APPLE__
  static const char *const names[] = {"libtiff.6.dylib", "/opt/homebrew/lib/libtiff.6.dylib"};
#else
  static const char *const names[] = {"libtiff.so.6", "libtiff.so.5"};
#endif
#define ENTRY(result, name, parameters) {"TIFF" #name, &tiff.name},
  static const apus_function functions[] = {TIFF_FUNCTIONS(ENTRY)};
  static apus_problem problem;
  if (!APUS_LOAD(names, functions, &problem)) return problem.text;
  others_error = tiff.SetErrorHandler(on_error);
  others_warning = tiff.SetWarningHandler(on_warning);
  others_error_of = tiff.SetErrorHandlerExt(on_error_of);
  others_warning_of = tiff.SetWarningHandlerExt(on_warning_of);
  return NULL;
}

typedef struct {
  const uint8_t *data;
  uint64_t size, position;
} source;

static ptrdiff_t read_bytes(void *handle, void *out, ptrdiff_t count) {
  source *from = handle;
  if (count < 0 || from->position >= from->size) return 0;
  const uint64_t left = from->size - from->position, taken = (uint64_t)count < left ? (uint64_t)count : left;
  memcpy(out, from->data + from->position, taken);
  from->position += taken;
  return (ptrdiff_t)taken;
}

static ptrdiff_t write_nothing(void *handle, void *bytes, ptrdiff_t count) {
  (void)handle, (void)bytes, (void)count;
  return 0;
}

static uint64_t seek(void *handle, uint64_t offset, int whence) {
  source *from = handle;
  from->position = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? from->position : from->size);
  return from->position;
}

static int leave_open(void *handle) {
  (void)handle;
  return 0;
}

static uint64_t byte_count(void *handle) { return ((source *)handle)->size; }

// The file is in memory, where the library only reads.
static int map(void *handle, void **base, uint64_t *size) {
  const source *from = handle;
  *base = (void *)from->data;
  *size = from->size;
  return 1;
}

static void unmap(void *handle, void *base, uint64_t size) { (void)handle, (void)base, (void)size; }

// What is made for one picture, and freed whatever happens.
typedef struct {
  tiff_file *file;
  uint32_t *raster; // a strip or a tile: rows from its bottom, R in the lowest bits, A in the highest
  uint8_t *band;    // as many rows of the picture as a strip or a tile has
  apus_rows rows;
  bool has_alpha;
} decoder;

// The library gives colours multiplied by alpha, but for grey pictures whose alpha is not meant so.
static void take_pixels(const decoder *with, const uint32_t *from, uint32_t count, bool is_multiplied, uint8_t *out) {
  const uint32_t channels = with->rows.channels, colors = with->has_alpha ? channels - 1 : channels;
  for (uint32_t x = 0; x < count; x++, out += channels) {
    const uint32_t alpha = from[x] >> 24;
    for (uint32_t channel = 0; channel < colors; channel++) {
      const uint32_t value = from[x] >> (8 * channel) & 255;
      const uint32_t whole = alpha && is_multiplied && with->has_alpha ? (255 * value + alpha / 2) / alpha : value;
      out[channel] = whole < 255 ? (uint8_t)whole : 255;
    }
    if (with->has_alpha) out[colors] = (uint8_t)alpha;
  }
}

// Reads the picture band by band: a strip, or a row of tiles.
static apus_image_status read_bands(decoder *with, bool is_multiplied, apus_image_limits limits) {
  tiff_file *file = with->file;
  apus_rows *rows = &with->rows;
  const bool is_tiled = tiff.IsTiled(file) != 0;
  uint32_t width = rows->width, height = 0;
  if (is_tiled) {
    tiff.GetField(file, TIFF_TILE_WIDTH, &width);
    tiff.GetField(file, TIFF_TILE_HEIGHT, &height);
  } else {
    tiff.GetFieldDefaulted(file, TIFF_ROWS_PER_STRIP, &height);
    if (height > rows->height) height = rows->height;
  }
  if (width == 0 || height == 0)
    return apus_image_fail(rows->image, APUS_IMAGE_MALFORMED, "it has parts without pixels");
  if ((is_tiled ? tiff.TileSize64(file) : tiff.StripSize64(file)) > limits.max_bytes) return APUS_IMAGE_NO_MEMORY;
  if (width > INT32_MAX || height > INT32_MAX) return APUS_IMAGE_NO_MEMORY;
  with->raster = (uint32_t *)apus_whole_picture(width, height, 4, limits);
  with->band = apus_whole_picture(rows->width, height, rows->channels, limits);
  if (!with->raster || !with->band) return APUS_IMAGE_NO_MEMORY;

  const size_t row_bytes = (size_t)rows->width * rows->channels;
  for (uint32_t top = 0; top < rows->height; top += height) {
    const uint32_t left = rows->height - top, count = left < height ? left : height;
    for (uint32_t column = 0; column < rows->width; column += width) {
      const int is_read = is_tiled ? tiff.ReadRGBATileExt(file, column, top, with->raster, 1)
                                   : tiff.ReadRGBAStripExt(file, top, with->raster, 1);
      if (!is_read) return APUS_IMAGE_MALFORMED;
      // A strip holds the rows that there are, a tile all of its own.
      const uint32_t bottom = is_tiled ? height - 1 : count - 1;
      const uint32_t columns = rows->width - column < width ? rows->width - column : width;
      for (uint32_t y = 0; y < count; y++)
        take_pixels(with, with->raster + (size_t)(bottom - y) * width, columns, is_multiplied,
                    with->band + row_bytes * y + (size_t)column * rows->channels);
    }
    for (uint32_t y = 0; y < count; y++) apus_rows_add(rows, with->band + row_bytes * y);
    if (left <= height) break;
  }
  return APUS_IMAGE_OK;
}

static apus_image_status decode(decoder *with, source *from, apus_image_limits limits, apus_image *image) {
  tiff_file *file = with->file =
      tiff.ClientOpen("picture", "r", from, read_bytes, write_nothing, seek, leave_open, byte_count, map, unmap);
  if (!file) return APUS_IMAGE_MALFORMED;
  uint32_t width = 0, height = 0;
  tiff.GetField(file, TIFF_WIDTH, &width);
  tiff.GetField(file, TIFF_HEIGHT, &height);
  apus_image_status status = apus_image_set_size(image, width, height, limits);
  if (status != APUS_IMAGE_OK) return status;
  char reason[1024] = "";
  if (!tiff.RGBAImageOK(file, reason)) return apus_image_fail(image, APUS_IMAGE_UNSUPPORTED, reason);

  uint16_t photometric = 0, samples = 0, extra_count = 0, orientation = 0;
  const uint16_t *extras = NULL;
  tiff.GetField(file, TIFF_PHOTOMETRIC, &photometric);
  tiff.GetFieldDefaulted(file, TIFF_SAMPLES, &samples);
  tiff.GetFieldDefaulted(file, TIFF_EXTRA_SAMPLES, &extra_count, &extras);
  const bool is_grey = photometric == TIFF_WHITE_IS_ZERO || photometric == TIFF_BLACK_IS_ZERO;
  with->has_alpha = extra_count > 0 && extras[0] != TIFF_ALPHA_UNSPECIFIED;
  // Strips and tiles come as they are stored once the picture says that this is upright.
  if (tiff.GetField(file, TIFF_ORIENTATION, &orientation) && orientation >= 1 && orientation <= 8)
    image->orientation = orientation;
  tiff.SetField(file, TIFF_ORIENTATION, 1);
  uint32_t xmp_size = 0;
  const uint8_t *xmp = NULL;
  if (tiff.GetField(file, TIFF_XMP, &xmp_size, &xmp) && !apus_block_append(&image->xmp, xmp, xmp_size))
    return APUS_IMAGE_NO_MEMORY;

  const uint32_t channels = (is_grey ? 1u : 3u) + (with->has_alpha ? 1u : 0u);
  status = apus_rows_begin(&with->rows, image, width, height, channels, limits);
  return status == APUS_IMAGE_OK ? read_bands(with, !is_grey, limits) : status;
}

apus_image_status apus_tiff_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  source from = {data, size, 0};
  decoder with = {0};
  current = image;
  const apus_image_status status = decode(&with, &from, limits, image);
  if (with.file) tiff.Close(with.file);
  current = NULL;
  free(with.raster);
  free(with.band);
  apus_rows_free(&with.rows);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}
