// The part of libheif's interface that is used here, restated, and a table of its functions. Its name as a library has
// the number of this interface: libheif.so.1.
#ifndef APUS_CIMAGE_HEIF_API_H
#define APUS_CIMAGE_HEIF_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int code, subcode;
  const char *message;
} heif_error;

typedef struct heif_context heif_context;
typedef struct heif_image_handle heif_image_handle;
typedef struct heif_image heif_image;

// The library makes it, of its own version, and may add to its end.
typedef struct {
  uint8_t version;
  uint8_t ignores_transformations;
  void (*start_progress)(int step, int most, void *user_data);
  void (*on_progress)(int step, int progress, void *user_data);
  void (*end_progress)(int step, void *user_data);
  void *user_data;
  uint8_t converts_to_8_bits; // from version 2 on
  uint8_t is_strict;          // from version 3 on
} heif_decoding_options;

enum { HEIF_OK = 0, HEIF_UNSUPPORTED_FILE = 3, HEIF_UNSUPPORTED_FEATURE = 4, HEIF_NO_MEMORY = 6 };
enum { HEIF_UNSUPPORTED_CODEC = 3000 };
enum { HEIF_RGB = 1, HEIF_INTERLEAVED_RGB = 10, HEIF_INTERLEAVED_RGBA = 11, HEIF_INTERLEAVED = 10 };

// Without their prefix `heif_`.
#define HEIF_FUNCTIONS(FUNCTION) \
  FUNCTION(heif_context *, context_alloc, (void)) \
  FUNCTION(void, context_free, (heif_context *)) \
  FUNCTION(heif_error, context_read_from_memory_without_copy, (heif_context *, const void *, size_t, const void *)) \
  FUNCTION(heif_error, context_get_primary_image_handle, (heif_context *, heif_image_handle **)) \
  FUNCTION(void, image_handle_release, (const heif_image_handle *)) \
  FUNCTION(int, image_handle_get_width, (const heif_image_handle *)) \
  FUNCTION(int, image_handle_get_height, (const heif_image_handle *)) \
  FUNCTION(int, image_handle_has_alpha_channel, (const heif_image_handle *)) \
  FUNCTION(heif_decoding_options *, decoding_options_alloc, (void)) \
  FUNCTION(void, decoding_options_free, (heif_decoding_options *)) \
  FUNCTION(heif_error, decode_image, (const heif_image_handle *, heif_image **, int space, int chroma, \
    const heif_decoding_options *)) \
  FUNCTION(int, image_get_width, (const heif_image *, int channel)) \
  FUNCTION(int, image_get_height, (const heif_image *, int channel)) \
  FUNCTION(const uint8_t *, image_get_plane_readonly, (const heif_image *, int channel, int *stride)) \
  FUNCTION(void, image_release, (const heif_image *))

#endif
