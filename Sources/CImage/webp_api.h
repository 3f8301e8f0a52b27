// The part of libwebp's interface that is used here, restated, and a table of its functions. The library compares the
// first byte of the version that it is given with its own.
#ifndef APUS_CIMAGE_WEBP_API_H
#define APUS_CIMAGE_WEBP_API_H

#include <stddef.h>
#include <stdint.h>

enum { WEBP_DECODER_ABI_VERSION = 0x0200 };

typedef struct {
  int width, height, has_alpha, has_animation, format;
  uint32_t reserved[5];
} webp_features;

enum { WEBP_OK = 0, WEBP_OUT_OF_MEMORY = 1, WEBP_UNSUPPORTED_FEATURE = 4 };

// Without their prefix `WebP`. Those that decode return NULL where they fail.
#define WEBP_FUNCTIONS(FUNCTION) \
  FUNCTION(int, GetFeaturesInternal, (const uint8_t *data, size_t size, webp_features *, int version)) \
  FUNCTION(uint8_t *, DecodeRGBInto, (const uint8_t *data, size_t size, uint8_t *out, size_t out_size, int stride)) \
  FUNCTION(uint8_t *, DecodeRGBAInto, (const uint8_t *data, size_t size, uint8_t *out, size_t out_size, int stride))

#endif
