#include "CImage.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
} byte_source;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  byte_source *source = png_get_io_ptr(png);
  if (count > source->size - source->position) png_error(png, "the file is cut short");
  memcpy(out, source->data + source->position, count);
  source->position += count;
}

static void on_error(png_structp png, png_const_charp message) {
  apus_image *image = png_get_error_ptr(png);
  snprintf(image->message, sizeof image->message, "%s", message);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

// Everything that may longjmp.
static apus_image_status decode(png_structp png, png_infop info, uint64_t max_pixels, apus_image *image) {
  png_read_info(png, info);
  const uint32_t width = png_get_image_width(png, info);
  const uint32_t height = png_get_image_height(png, info);
  image->width = width;
  image->height = height;
  if ((uint64_t)width * height > max_pixels) return APUS_IMAGE_TOO_LARGE;

  // Palette to RGB, 1/2/4-bit grey to 8, tRNS to alpha, 16-bit to 8 (rounded). Gamma chunks are not applied.
  png_set_expand(png);
  png_set_scale_16(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t row_bytes = png_get_rowbytes(png, info);
  image->channels = png_get_channels(png, info);
  if (png_get_bit_depth(png, info) != 8 || row_bytes != (size_t)width * image->channels)
    png_error(png, "unexpected pixel layout");

  image->pixels = malloc(row_bytes * height);
  if (!image->pixels) return APUS_IMAGE_NO_MEMORY;
  for (int pass = 0; pass < passes; pass++)
    for (uint32_t y = 0; y < height; y++) png_read_row(png, image->pixels + row_bytes * y, NULL);
  png_read_end(png, NULL);
  return APUS_IMAGE_OK;
}

apus_image_status apus_png_decode(const uint8_t *data, size_t size, uint64_t max_pixels, apus_image *image) {
  memset(image, 0, sizeof *image);
  byte_source source = {data, size, 0};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, image, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return APUS_IMAGE_NO_MEMORY;
  }
  volatile apus_image_status status = APUS_IMAGE_MALFORMED;
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_read_fn(png, &source, read_bytes);
    png_set_user_limits(png, 1u << 24, 1u << 24);
    status = decode(png, info, max_pixels, image);
  }
  png_destroy_read_struct(&png, &info, NULL);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}

apus_image_status apus_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                                  uint8_t **out, size_t *out_size) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t capacity = PNG_IMAGE_PNG_SIZE_MAX(image);
  *out = malloc(capacity);
  if (!*out) return APUS_IMAGE_NO_MEMORY;
  if (!png_image_write_to_memory(&image, *out, &capacity, 0, pixels, 0, NULL)) {
    free(*out);
    *out = NULL;
    return APUS_IMAGE_UNSUPPORTED;
  }
  *out_size = capacity;
  return APUS_IMAGE_OK;
}

void apus_bytes_free(uint8_t *bytes) { free(bytes); }

void apus_image_free(apus_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}
