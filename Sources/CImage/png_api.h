// The part of libpng 1.6's interface that is used here, restated, and a table of its functions. All but the struct of
// the simplified interface is behind pointers, and that has a version of its own.
#ifndef APUS_CIMAGE_PNG_API_H
#define APUS_CIMAGE_PNG_API_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

typedef struct png_struct *png_structp;
typedef struct png_info *png_infop;
typedef void (*png_message_fn)(png_structp, const char *message);
typedef void (*png_read_fn)(png_structp, uint8_t *out, size_t count);

/// A version of the library with this interface: its first two numbers are compared.
#define PNG_VERSION "1.6.0"
enum { PNG_HANDLE_CHUNK_NEVER = 1 };

typedef struct {
  uint8_t name[5];
  uint8_t *data;
  size_t size;
  uint8_t location;
} png_unknown_chunk;
/// Negative: an error, 0: not handled, positive: handled.
typedef int (*png_chunk_fn)(png_structp, png_unknown_chunk *);

enum { PNG_IMAGE_VERSION = 1, PNG_FORMAT_GRAY = 0, PNG_FORMAT_RGB = 2 };
typedef struct {
  void *opaque;
  uint32_t version, width, height, format, flags, colormap_entries, warning_or_error;
  char message[64];
} png_image;

// Without their prefix `png_`.
#define PNG_FUNCTIONS(FUNCTION) \
  FUNCTION(png_structp, create_read_struct, (const char *version, void *error_pointer, png_message_fn on_error, \
    png_message_fn on_warning)) \
  FUNCTION(png_infop, create_info_struct, (png_structp)) \
  FUNCTION(void, destroy_read_struct, (png_structp *, png_infop *, png_infop *end)) \
  FUNCTION(jmp_buf *, set_longjmp_fn, (png_structp, void (*)(jmp_buf, int), size_t)) \
  FUNCTION(void, longjmp, (png_structp, int)) \
  FUNCTION(void, error, (png_structp, const char *message)) \
  FUNCTION(void *, get_error_ptr, (png_structp)) \
  FUNCTION(void *, get_io_ptr, (png_structp)) \
  FUNCTION(void, set_read_fn, (png_structp, void *pointer, png_read_fn)) \
  FUNCTION(void, set_user_limits, (png_structp, uint32_t width, uint32_t height)) \
  FUNCTION(void, set_keep_unknown_chunks, (png_structp, int keep, const uint8_t *names, int count)) \
  FUNCTION(void, set_read_user_chunk_fn, (png_structp, void *pointer, png_chunk_fn)) \
  FUNCTION(void *, get_user_chunk_ptr, (png_structp)) \
  FUNCTION(void, read_info, (png_structp, png_infop)) \
  FUNCTION(uint32_t, get_image_width, (png_structp, png_infop)) \
  FUNCTION(uint32_t, get_image_height, (png_structp, png_infop)) \
  FUNCTION(size_t, get_rowbytes, (png_structp, png_infop)) \
  FUNCTION(uint8_t, get_channels, (png_structp, png_infop)) \
  FUNCTION(uint8_t, get_bit_depth, (png_structp, png_infop)) \
  FUNCTION(void, set_expand, (png_structp)) \
  FUNCTION(void, set_scale_16, (png_structp)) \
  FUNCTION(int, set_interlace_handling, (png_structp)) \
  FUNCTION(void, read_update_info, (png_structp, png_infop)) \
  FUNCTION(void, read_row, (png_structp, uint8_t *row, uint8_t *display)) \
  FUNCTION(void, read_end, (png_structp, png_infop)) \
  FUNCTION(int, image_write_to_memory, (png_image *, void *memory, size_t *size, int to_8_bits, const void *pixels, \
    int32_t row_stride, const void *color_map))

#endif
