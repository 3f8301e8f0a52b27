// The part of zlib's interface that is used here, restated, and a table of its functions. zlib compares the size of the
// stream and its own version with those that `inflateInit2_` is given.
#ifndef APUS_CIMAGE_ZLIB_API_H
#define APUS_CIMAGE_ZLIB_API_H

#include <stdint.h>

typedef struct {
  const uint8_t *next_in;
  unsigned avail_in;
  unsigned long total_in;
  uint8_t *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *msg;
  void *state;
  void *(*zalloc)(void *, unsigned, unsigned);
  void (*zfree)(void *, void *);
  void *opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
} z_stream;

enum { Z_NO_FLUSH = 0 };
enum { Z_OK = 0, Z_STREAM_END = 1, Z_MEM_ERROR = -4, Z_BUF_ERROR = -5 };

/// Of the first version with this interface: only its first digit is compared.
#define ZLIB_VERSION "1.2.0"

#define ZLIB_FUNCTIONS(FUNCTION) \
  FUNCTION(int, inflateInit2_, (z_stream *, int window_bits, const char *version, int stream_size)) \
  FUNCTION(int, inflate, (z_stream *, int flush)) \
  FUNCTION(int, inflateReset, (z_stream *)) \
  FUNCTION(int, inflateEnd, (z_stream *)) \
  FUNCTION(unsigned long, crc32, (unsigned long sum, const uint8_t *bytes, unsigned count))

#endif
