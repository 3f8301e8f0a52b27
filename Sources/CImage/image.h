// What the decoders have in common.
#ifndef APUS_CIMAGE_IMAGE_H
#define APUS_CIMAGE_IMAGE_H

#include "CImage.h"

/// A number of at most 4 bytes, the lowest first.
static inline uint32_t apus_little_endian(const uint8_t *bytes, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; i++) value |= (uint32_t)bytes[i] << 8 * i;
  return value;
}

/// Sets the picture's size to this one and tells whether it can be decoded at all: MALFORMED for no pixels, TOO_LARGE.
apus_image_status apus_image_set_size(apus_image *image, uint64_t width, uint64_t height, apus_image_limits limits);
/// Sets the message, which is cut where it is too long, and returns the status.
apus_image_status apus_image_fail(apus_image *image, apus_image_status status, const char *message);
/// Appends a copy of the bytes to a block; false where there is no memory.
bool apus_block_append(apus_block *block, const uint8_t *bytes, size_t size);
void apus_block_free(apus_block *block);

/// Takes the rows of a picture from top to bottom, and keeps them, or the means of boxes where they are too many pixels.
typedef struct {
  apus_image *image;
  uint32_t width, height, channels; // of what is taken
  uint32_t side;                    // pixels of a box's side
  uint32_t count;                   // rows taken
  uint32_t *sums;
} apus_rows;

apus_image_status apus_rows_begin(apus_rows *rows, apus_image *image, uint64_t width, uint64_t height,
                                  uint32_t channels, apus_image_limits limits);
void apus_rows_add(apus_rows *rows, const uint8_t *row);
void apus_rows_free(apus_rows *rows);

/// Memory for a picture at its full size; NULL where there is none.
uint8_t *apus_whole_picture(uint64_t width, uint64_t height, uint32_t channels, apus_image_limits limits);

#endif
