#include "CImage.h"
#include "loader.h"
#include "zlib_api.h"

#include <stdlib.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  ZLIB_FUNCTIONS(MEMBER)
} zlib;

const char *apus_zlib_load(void) {
#if __APPLE__
  static const char *const names[] = {"/usr/lib/libz.1.dylib"};
#else
  static const char *const names[] = {"libz.so.1"};
#endif
#define ENTRY(result, name, parameters) {#name, &zlib.name},
  static const apus_function functions[] = {ZLIB_FUNCTIONS(ENTRY)};
  static apus_problem problem;
  return APUS_LOAD(names, functions, &problem) ? NULL : problem.text;
}

struct apus_inflate {
  z_stream stream;
};

apus_inflate *apus_inflate_create(apus_deflate_frame frame) {
  apus_inflate *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  // 15: the largest window; + 32: a gzip or a zlib header is required; below zero: there is none.
  const int window = frame == APUS_DEFLATE_RAW ? -15 : 15 + 32;
  if (zlib.inflateInit2_(&decoder->stream, window, ZLIB_VERSION, sizeof decoder->stream) != Z_OK) {
    free(decoder);
    return NULL;
  }
  return decoder;
}

static unsigned clamped(size_t count) { return count > (1u << 30) ? (1u << 30) : (unsigned)count; }

apus_inflate_status apus_inflate_step(apus_inflate *decoder, const uint8_t *in, size_t in_size, size_t *consumed,
                                      uint8_t *out, size_t out_size, size_t *produced) {
  z_stream *stream = &decoder->stream;
  const unsigned in_room = clamped(in_size), out_room = clamped(out_size);
  stream->next_in = in;
  stream->avail_in = in_room;
  stream->next_out = out;
  stream->avail_out = out_room;
  const int result = zlib.inflate(stream, Z_NO_FLUSH);
  *consumed = in_room - stream->avail_in;
  *produced = out_room - stream->avail_out;
  switch (result) {
  case Z_OK:
  case Z_BUF_ERROR: return APUS_INFLATE_MORE; // Z_BUF_ERROR: no progress possible with this input and room
  case Z_STREAM_END: return APUS_INFLATE_END;
  case Z_MEM_ERROR: return APUS_INFLATE_NO_MEMORY;
  default: return APUS_INFLATE_DAMAGED;
  }
}

apus_inflate_status apus_inflate_restart(apus_inflate *decoder) {
  return zlib.inflateReset(&decoder->stream) == Z_OK ? APUS_INFLATE_MORE : APUS_INFLATE_DAMAGED;
}

uint32_t apus_crc32(const uint8_t *bytes, size_t count) {
  unsigned long sum = 0;
  for (unsigned step; count > 0; bytes += step, count -= step) sum = zlib.crc32(sum, bytes, step = clamped(count));
  return (uint32_t)sum;
}

void apus_inflate_destroy(apus_inflate *decoder) {
  if (!decoder) return;
  zlib.inflateEnd(&decoder->stream);
  free(decoder);
}
