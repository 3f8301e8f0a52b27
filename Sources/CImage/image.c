#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

apus_image_status apus_image_fail(apus_image *image, apus_image_status status, const char *message) {
  snprintf(image->message, sizeof image->message, "%s", message);
  return status;
}

apus_image_status apus_image_set_size(apus_image *image, uint64_t width, uint64_t height, apus_image_limits limits) {
  if (width == 0 || height == 0) return apus_image_fail(image, APUS_IMAGE_MALFORMED, "it has no pixels");
  if (width > INT32_MAX || height > INT32_MAX)
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "its size is no size of a picture");
  image->width = (uint32_t)width;
  image->height = (uint32_t)height;
  const bool fits = limits.max_pixels > 0 && width * height / APUS_IMAGE_REDUCTION <= limits.max_pixels;
  return fits ? APUS_IMAGE_OK : APUS_IMAGE_TOO_LARGE;
}

uint8_t *apus_whole_picture(uint64_t width, uint64_t height, uint32_t channels, apus_image_limits limits) {
  const uint64_t bytes = width * height * channels; // below 2^64, as each side has 31 bits at most
  return bytes <= limits.max_bytes && bytes <= SIZE_MAX ? malloc((size_t)bytes) : NULL;
}

bool apus_block_append(apus_block *block, const uint8_t *bytes, size_t size) {
  if (size == 0) return true;
  uint8_t *longer = realloc(block->bytes, block->size + size);
  if (!longer) return false;
  memcpy(longer + block->size, bytes, size);
  block->bytes = longer;
  block->size += size;
  return true;
}

void apus_block_free(apus_block *block) {
  free(block->bytes);
  *block = (apus_block){0};
}

void apus_image_free(apus_image *image) {
  free(image->pixels);
  image->pixels = NULL;
  apus_block_free(&image->exif);
  apus_block_free(&image->xmp);
  apus_block_free(&image->exif_text);
  apus_block_free(&image->xmp_text);
}
