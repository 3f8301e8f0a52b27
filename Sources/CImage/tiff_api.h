// The part of libtiff 4's interface that is used here, restated, and a table of its functions. All structs are behind
// pointers.
#ifndef APUS_CIMAGE_TIFF_API_H
#define APUS_CIMAGE_TIFF_API_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tiff tiff_file;
typedef ptrdiff_t (*tiff_read_fn)(void *handle, void *bytes, ptrdiff_t count);
typedef uint64_t (*tiff_seek_fn)(void *handle, uint64_t offset, int whence);
typedef int (*tiff_close_fn)(void *handle);
typedef uint64_t (*tiff_size_fn)(void *handle);
typedef int (*tiff_map_fn)(void *handle, void **base, uint64_t *size);
typedef void (*tiff_unmap_fn)(void *handle, void *base, uint64_t size);
typedef void (*tiff_message_fn)(const char *module, const char *format, va_list);
typedef void (*tiff_handle_message_fn)(void *handle, const char *module, const char *format, va_list);

enum {
  TIFF_WIDTH = 256,
  TIFF_HEIGHT = 257,
  TIFF_PHOTOMETRIC = 262,
  TIFF_ORIENTATION = 274,
  TIFF_SAMPLES = 277,
  TIFF_ROWS_PER_STRIP = 278,
  TIFF_TILE_WIDTH = 322,
  TIFF_TILE_HEIGHT = 323,
  TIFF_EXTRA_SAMPLES = 338,
  TIFF_XMP = 700
};
enum { TIFF_WHITE_IS_ZERO = 0, TIFF_BLACK_IS_ZERO = 1 };
enum { TIFF_ALPHA_UNSPECIFIED = 0 };

// Without their prefix `TIFF`. Those that return an int return 0 where they fail.
#define TIFF_FUNCTIONS(FUNCTION) \
  FUNCTION(tiff_file *, ClientOpen, (const char *name, const char *mode, void *handle, tiff_read_fn, \
    tiff_read_fn write, tiff_seek_fn, tiff_close_fn, tiff_size_fn, tiff_map_fn, tiff_unmap_fn)) \
  FUNCTION(void, Close, (tiff_file *)) \
  FUNCTION(int, GetField, (tiff_file *, uint32_t tag, ...)) \
  FUNCTION(int, GetFieldDefaulted, (tiff_file *, uint32_t tag, ...)) \
  FUNCTION(int, SetField, (tiff_file *, uint32_t tag, ...)) \
  FUNCTION(int, IsTiled, (tiff_file *)) \
  FUNCTION(uint64_t, StripSize64, (tiff_file *)) \
  FUNCTION(uint64_t, TileSize64, (tiff_file *)) \
  FUNCTION(int, RGBAImageOK, (tiff_file *, char message[1024])) \
  FUNCTION(int, ReadRGBAStripExt, (tiff_file *, uint32_t row, uint32_t *raster, int stops_on_error)) \
  FUNCTION(int, ReadRGBATileExt, (tiff_file *, uint32_t column, uint32_t row, uint32_t *raster, int stops_on_error)) \
  FUNCTION(tiff_message_fn, SetErrorHandler, (tiff_message_fn)) \
  FUNCTION(tiff_message_fn, SetWarningHandler, (tiff_message_fn)) \
  FUNCTION(tiff_handle_message_fn, SetErrorHandlerExt, (tiff_handle_message_fn)) \
  FUNCTION(tiff_handle_message_fn, SetWarningHandlerExt, (tiff_handle_message_fn))

#endif
