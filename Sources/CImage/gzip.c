#include "CImage.h"

#include <stdlib.h>
#include <zlib.h>

struct apus_inflate {
  z_stream stream;
};

apus_inflate *apus_inflate_create(void) {
  apus_inflate *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  if (inflateInit2(&decoder->stream, 15 + 16) != Z_OK) { // +16: a gzip header is required
    free(decoder);
    return NULL;
  }
  return decoder;
}

static uInt clamped(size_t count) { return count > (1u << 30) ? (1u << 30) : (uInt)count; }

apus_inflate_status apus_inflate_step(apus_inflate *decoder, const uint8_t *in, size_t in_size, size_t *consumed,
                                      uint8_t *out, size_t out_size, size_t *produced) {
  z_stream *stream = &decoder->stream;
  const uInt in_room = clamped(in_size), out_room = clamped(out_size);
  stream->next_in = (Bytef *)in; // zlib does not write through it
  stream->avail_in = in_room;
  stream->next_out = out;
  stream->avail_out = out_room;
  const int result = inflate(stream, Z_NO_FLUSH);
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
  return inflateReset(&decoder->stream) == Z_OK ? APUS_INFLATE_MORE : APUS_INFLATE_DAMAGED;
}

void apus_inflate_destroy(apus_inflate *decoder) {
  if (!decoder) return;
  inflateEnd(&decoder->stream);
  free(decoder);
}
