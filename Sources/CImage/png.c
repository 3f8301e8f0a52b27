#include "CImage.h"
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
  static apus_problem problem;
  size_t found;
  void *library = apus_open_library(names, sizeof names / sizeof *names, &found, &problem);
  if (!library) return problem.text;
#define LOOK_UP(result, name, parameters) \
  if (!apus_look_up(library, "png_" #name, &libpng.name, &problem)) return problem.text;
  PNG_FUNCTIONS(LOOK_UP)
  return NULL;
}

// What reading a picture holds besides the picture, so that it can be freed after a longjmp.
typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
  uint8_t *row;
  uint32_t *sums;
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

// The smallest side of boxes that leave at most max_pixels.
static uint32_t box_side(uint32_t width, uint32_t height, uint64_t max_pixels) {
  uint32_t side = 1;
  while ((uint64_t)((width + side - 1) / side) * ((height + side - 1) / side) > max_pixels) side++;
  return side;
}

// Adds a row to the sums of its boxes: colours times alpha (1 where there is none), and behind them the weights.
static void add_row(const reader *source, uint32_t width, uint32_t channels, uint32_t side) {
  const bool has_alpha = channels % 2 == 0;
  const uint32_t colors = has_alpha ? channels - 1 : channels;
  for (uint32_t x = 0; x < width; x++) {
    const uint8_t *pixel = source->row + (size_t)x * channels;
    uint32_t *sum = source->sums + (size_t)(x / side) * (colors + 1);
    const uint32_t weight = has_alpha ? pixel[colors] : 1;
    for (uint32_t channel = 0; channel < colors; channel++) sum[channel] += pixel[channel] * weight;
    sum[colors] += weight;
  }
}

// The means of the boxes in a row of boxes, rounded; clears the sums.
static void take_means(const reader *source, uint8_t *out, uint32_t width, uint32_t rows, uint32_t channels,
                       uint32_t side) {
  const bool has_alpha = channels % 2 == 0;
  const uint32_t colors = has_alpha ? channels - 1 : channels;
  for (uint32_t box = 0; box * side < width; box++, out += channels) {
    uint32_t *sum = source->sums + (size_t)box * (colors + 1);
    const uint32_t weight = sum[colors];
    for (uint32_t channel = 0; channel < colors; channel++)
      out[channel] = weight ? (uint8_t)((sum[channel] + weight / 2) / weight) : 0;
    const uint32_t columns = width - box * side < side ? width - box * side : side;
    if (has_alpha) out[colors] = (uint8_t)((weight + columns * rows / 2) / (columns * rows));
    memset(sum, 0, (colors + 1) * sizeof *sum);
  }
}

// Reads a picture as the means of boxes of side x side pixels; only one row is in memory at full size.
static apus_image_status read_reduced(png_structp png, reader *source, apus_image *image, uint32_t side) {
  const uint32_t width = image->width, height = image->height, channels = image->channels;
  image->width = (width + side - 1) / side;
  image->height = (height + side - 1) / side;
  const size_t row_bytes = (size_t)image->width * channels;
  image->pixels = malloc(row_bytes * image->height);
  source->row = malloc((size_t)width * channels);
  source->sums = calloc((size_t)image->width * (channels + 1), sizeof *source->sums);
  if (!image->pixels || !source->row || !source->sums) return APUS_IMAGE_NO_MEMORY;
  for (uint32_t y = 0; y < height; y++) {
    libpng.read_row(png, source->row, NULL);
    add_row(source, width, channels, side);
    if (y % side == side - 1 || y == height - 1)
      take_means(source, image->pixels + row_bytes * (y / side), width, y % side + 1, channels, side);
  }
  return APUS_IMAGE_OK;
}

static apus_image_status keep_exif(png_structp png, png_infop info, apus_image *image) {
  uint32_t size = 0;
  uint8_t *bytes = NULL;
  if (!libpng.get_eXIf_1(png, info, &size, &bytes)) return APUS_IMAGE_OK;
  return apus_image_keep_exif(image, bytes, size);
}

// Everything that may longjmp.
static apus_image_status decode(png_structp png, png_infop info, reader *source, uint64_t max_pixels,
                                apus_image *image) {
  libpng.read_info(png, info);
  const uint32_t width = libpng.get_image_width(png, info);
  const uint32_t height = libpng.get_image_height(png, info);
  image->width = width;
  image->height = height;
  const uint64_t pixels = (uint64_t)width * height;
  if (max_pixels == 0 || pixels / APUS_IMAGE_REDUCTION > max_pixels) return APUS_IMAGE_TOO_LARGE;
  // DEFLATE expands at most 1032 times; each row has a byte more.
  if ((libpng.get_rowbytes(png, info) + 1) * (uint64_t)height / 1032 > source->size)
    libpng.error(png, "the file is too small for its number of pixels");

  // Palette to RGB, 1/2/4-bit grey to 8, tRNS to alpha, 16-bit to 8 (rounded). Gamma chunks are not applied.
  libpng.set_expand(png);
  libpng.set_scale_16(png);
  const int passes = libpng.set_interlace_handling(png);
  libpng.read_update_info(png, info);
  const size_t row_bytes = libpng.get_rowbytes(png, info);
  image->channels = libpng.get_channels(png, info);
  if (libpng.get_bit_depth(png, info) != 8 || row_bytes != (size_t)width * image->channels)
    libpng.error(png, "unexpected pixel layout");

  const uint32_t side = box_side(width, height, max_pixels);
  if (side > 1) {
    if (passes > 1) {
      snprintf(image->message, sizeof image->message, "interlaced, with %ux%u pixels", width, height);
      return APUS_IMAGE_UNSUPPORTED;
    }
    const apus_image_status status = read_reduced(png, source, image, side);
    if (status != APUS_IMAGE_OK) return status;
  } else {
    image->pixels = malloc(row_bytes * height);
    if (!image->pixels) return APUS_IMAGE_NO_MEMORY;
    for (int pass = 0; pass < passes; pass++)
      for (uint32_t y = 0; y < height; y++) libpng.read_row(png, image->pixels + row_bytes * y, NULL);
  }
  libpng.read_end(png, info);
  return keep_exif(png, info, image); // it may stand behind the pixels
}

// Each name with the zero that ends it.
static const uint8_t unread_chunks[] = "iCCP\0iTXt\0sPLT\0tEXt\0zTXt";

apus_image_status apus_png_decode(const uint8_t *data, size_t size, uint64_t max_pixels, apus_image *image) {
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
    // Of no use here, and compressed: a thousand of them could fill a memory.
    libpng.set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unread_chunks, sizeof unread_chunks / 5);
    status = decode(png, info, &source, max_pixels, image);
  }
  libpng.destroy_read_struct(&png, &info, NULL);
  free(source.row);
  free(source.sums);
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
