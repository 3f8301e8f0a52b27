#include "image.h"
#include "loader.h"
#include "png_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  PNG_FUNCTIONS(MEMBER)
} libpng;

const char *apus_png_load(void) {
#if __APPLE__
  static const char *const names[] = {"libpng16.16.dylib", "/opt/homebrew/lib/libpng16.16.dylib"};
#else
  static const char *const names[] = {"libpng16.so.16"};
#endif
#define ENTRY(result, name, parameters) {"png_" #name, &libpng.name},
  static const apus_function functions[] = {PNG_FUNCTIONS(ENTRY)};
  static apus_problem problem;
  return APUS_LOAD(names, functions, &problem) ? NULL : problem.text;
}

// What reading a picture holds besides the picture, so that it can be freed after a longjmp.
typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
  uint8_t *buffer;
  apus_rows rows;
} reader;

static void read_bytes(png_structp png, uint8_t *out, size_t count) {
  reader *source = libpng.get_io_ptr(png);
  if (count > source->size - source->position) libpng.error(png, "the file is cut short");
  memcpy(out, source->data + source->position, count);
  source->position += count;
}

static void on_error(png_structp png, const char *message) {
  apus_image *image = libpng.get_error_ptr(png);
  snprintf(image->message, sizeof image->message, "%s", message);
  libpng.longjmp(png, 1);
}

static void on_warning(png_structp png, const char *message) {
  (void)png;
  (void)message;
}

// Whether a chunk of text has this keyword, with the zero that ends it.
static bool has_keyword(const png_unknown_chunk *chunk, const char *keyword) {
  return chunk->size > strlen(keyword) && memcmp(chunk->data, keyword, strlen(keyword) + 1) == 0;
}

// Keeps what may hold an orientation, before the pixels or behind them, as it is stored; of several the last.
static int on_chunk(png_structp png, png_unknown_chunk *chunk) {
  apus_image *image = libpng.get_user_chunk_ptr(png);
  const char *name = (const char *)chunk->name;
  apus_block *block = NULL;
  const bool is_text = strcmp(name, "iTXt") == 0 || strcmp(name, "tEXt") == 0 || strcmp(name, "zTXt") == 0;
  if (strcmp(name, "eXIf") == 0)
    block = &image->exif;
  else if (is_text && has_keyword(chunk, "Raw profile type exif"))
    block = &image->exif_text;
  else if (is_text && has_keyword(chunk, "XML:com.adobe.xmp"))
    block = &image->xmp_text;
  if (!block) return 1; // passed over
  apus_block_free(block);
  const bool is_kept =
      (!is_text || apus_block_append(block, chunk->name, 4)) && apus_block_append(block, chunk->data, chunk->size);
  return is_kept ? 1 : -1;
}

// Everything that may longjmp.
static apus_image_status decode(png_structp png, png_infop info, reader *source, apus_image_limits limits,
                                apus_image *image) {
  libpng.read_info(png, info);
  const uint32_t width = libpng.get_image_width(png, info);
  const uint32_t height = libpng.get_image_height(png, info);
  apus_image_status status = apus_image_set_size(image, width, height, limits);
  if (status != APUS_IMAGE_OK) return status;
  // DEFLATE expands at most 1032 times; each row has a byte more.
  if ((libpng.get_rowbytes(png, info) + 1) * (uint64_t)height / 1032 > source->size)
    libpng.error(png, "the file is too small for its number of pixels");

  // Palette to RGB, 1/2/4-bit grey to 8, tRNS to alpha, 16-bit to 8 (rounded). Gamma chunks are not applied.
  libpng.set_expand(png);
  libpng.set_scale_16(png);
  const int passes = libpng.set_interlace_handling(png);
  libpng.read_update_info(png, info);
  const size_t row_bytes = libpng.get_rowbytes(png, info);
  const uint32_t channels = libpng.get_channels(png, info);
  if (libpng.get_bit_depth(png, info) != 8 || row_bytes != (size_t)width * channels)
    libpng.error(png, "unexpected pixel layout");

  status = apus_rows_begin(&source->rows, image, width, height, channels, limits);
  if (status != APUS_IMAGE_OK) return status;
  // Passes of an interlaced picture fill in the pixels of the earlier ones.
  const bool is_interlaced = passes > 1;
  source->buffer = apus_whole_picture(width, is_interlaced ? height : 1, channels, limits);
  if (!source->buffer) return APUS_IMAGE_NO_MEMORY;
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) {
      uint8_t *row = source->buffer + (is_interlaced ? row_bytes * y : 0);
      libpng.read_row(png, row, NULL);
      if (pass == passes - 1) apus_rows_add(&source->rows, row);
    }
  }
  libpng.read_end(png, info);
  return APUS_IMAGE_OK;
}

// Each name with the zero that ends it.
static const uint8_t unread_chunks[] = "eXIf\0iCCP\0iTXt\0sPLT\0tEXt\0zTXt";

apus_image_status apus_png_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  reader source = {.data = data, .size = size};
  png_structp png = libpng.create_read_struct(PNG_VERSION, image, on_error, on_warning);
  png_infop info = png ? libpng.create_info_struct(png) : NULL;
  if (!info) {
    libpng.destroy_read_struct(&png, NULL, NULL);
    return APUS_IMAGE_NO_MEMORY;
  }
  volatile apus_image_status status = APUS_IMAGE_MALFORMED;
  if (setjmp(*libpng.set_longjmp_fn(png, longjmp, sizeof(jmp_buf))) == 0) {
    libpng.set_read_fn(png, &source, read_bytes);
    libpng.set_user_limits(png, 1u << 24, 1u << 24);
    // Most are compressed, and a thousand of them could fill a memory: they come as they are stored.
    libpng.set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unread_chunks, sizeof unread_chunks / 5);
    libpng.set_read_user_chunk_fn(png, image, on_chunk);
    status = decode(png, info, &source, limits, image);
  }
  libpng.destroy_read_struct(&png, &info, NULL);
  apus_rows_free(&source.rows);
  free(source.buffer);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}

// Of a file with `size` bytes of rows: what DEFLATE may add, each 8192 bytes in a chunk, and the other chunks.
static size_t most_bytes(size_t size) {
  const size_t compressed = size + (size + 7) / 8 + (size + 63) / 64 + 11;
  return compressed + 12 * (compressed / 8192 + 1) + 105;
}

apus_image_status apus_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                                  uint8_t **out, size_t *out_size) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  size_t capacity = most_bytes((size_t)(width * (uint64_t)channels + 1) * height);
  *out = malloc(capacity);
  if (!*out) return APUS_IMAGE_NO_MEMORY;
  if (!libpng.image_write_to_memory(&image, *out, &capacity, 0, pixels, 0, NULL)) {
    free(*out);
    *out = NULL;
    return APUS_IMAGE_UNSUPPORTED;
  }
  *out_size = capacity;
  return APUS_IMAGE_OK;
}

void apus_bytes_free(uint8_t *bytes) { free(bytes); }
