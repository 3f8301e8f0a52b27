// Narrow, pointer-and-length wrappers of the libraries that read pictures, and of zlib, which are loaded at run time; a
// reader of BMP, which no library has; a resampler of pictures; MD5's inner loop. libpng and libjpeg report errors by
// longjmp, which must not cross Swift frames; here all errors become a status and a message.
#ifndef APUS_CIMAGE_H
#define APUS_CIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  APUS_IMAGE_OK = 0,
  APUS_IMAGE_MALFORMED = 1,   // the bytes are damaged, cut short, or not this format
  APUS_IMAGE_UNSUPPORTED = 2, // a valid file of a kind that is not decoded here
  APUS_IMAGE_TOO_LARGE = 3,   // more than APUS_IMAGE_REDUCTION times as many pixels as the caller allows
  APUS_IMAGE_NO_MEMORY = 4,
  APUS_IMAGE_NO_CODEC = 5 // the library is there, but not what it decodes this kind with
} apus_image_status;

// Bytes of a file, freed with their picture. NULL where there are none.
typedef struct {
  uint8_t *bytes;
  size_t size;
} apus_block;

// Decoded pixels: rows top to bottom, interleaved channels, 8 bits each. Free with apus_image_free.
typedef struct {
  uint32_t width;
  uint32_t height;
  uint32_t channels; // 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha
  uint8_t *pixels;
  uint32_t orientation; // 1 to 8 as in EXIF, of formats that have a place of their own for it; 0 for the others
  apus_block exif;      // the EXIF block as it is stored
  apus_block xmp;       // the XMP packet
  // The contents of a PNG's last iTXt, tEXt or zTXt chunks that hold these, behind the chunk's name.
  apus_block exif_text, xmp_text;
  char message[200]; // the library's words when the status is not APUS_IMAGE_OK
} apus_image;

// Each loads its library: once, before the functions that decode and encode with it. They return NULL, or why it cannot
// be used, in the loader's words.
const char *apus_png_load(void);
const char *apus_jpeg_load(void);
const char *apus_webp_load(void);
const char *apus_heif_load(void);
const char *apus_tiff_load(void);
const char *apus_gif_load(void);
const char *apus_zlib_load(void);

// A picture of more than max_pixels is decoded at the largest size that fits: a JPEG at 1/2, 1/4 or 1/8 of its sides,
// all others as means of boxes. Above this many times max_pixels it is refused, before memory is taken.
enum { APUS_IMAGE_REDUCTION = 8 };

typedef struct {
  uint64_t max_pixels;
  uint64_t max_bytes;   // of a picture that must be in memory at its full size
  uint32_t enough_side; // of the shorter side: a JPEG may come out smaller as long as it has that many; 0: it may not
} apus_image_limits;

// The first picture of a file: of an animation, the first frame on a transparent ground; of a TIFF, the first page.
apus_image_status apus_png_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_jpeg_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_webp_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_heif_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_tiff_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_gif_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
apus_image_status apus_bmp_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
void apus_image_free(apus_image *image);

// A part of a picture, in pixels; its edges need not be whole numbers.
typedef struct {
  double left, top, width, height;
} apus_image_box;

// A box of a picture of 1 or 3 channels at another size: each output pixel is the mean under a triangle as wide as two
// pixels of the coarser of the two grids, rounded after each of the two axes. False where there is no memory.
bool apus_image_resize(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, apus_image_box box,
                       uint8_t *out, uint32_t out_width, uint32_t out_height);

// Encodes 8-bit grey (channels 1) or RGB (channels 3). *out is freed with apus_bytes_free.
apus_image_status apus_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels,
                                  uint8_t **out, size_t *out_size);
void apus_bytes_free(uint8_t *bytes);

// A decoder of DEFLATE. One step consumes some input and produces some output.
typedef struct apus_inflate apus_inflate;

typedef enum {
  APUS_INFLATE_MORE = 0, // go on with more input or more room
  APUS_INFLATE_END = 1,  // the stream ended; of gzip one member or of zlib all, and its checksum is right
  APUS_INFLATE_DAMAGED = 2,
  APUS_INFLATE_NO_MEMORY = 3
} apus_inflate_status;

typedef enum {
  APUS_DEFLATE_FRAMED = 0, // in the frame of gzip or zlib
  APUS_DEFLATE_RAW = 1     // without one, as in zip archives
} apus_deflate_frame;

apus_inflate *apus_inflate_create(apus_deflate_frame frame); // NULL when there is no memory
apus_inflate_status apus_inflate_step(apus_inflate *decoder, const uint8_t *in, size_t in_size, size_t *consumed,
                                      uint8_t *out, size_t out_size, size_t *produced);
apus_inflate_status apus_inflate_restart(apus_inflate *decoder); // for the next member of the same file
void apus_inflate_destroy(apus_inflate *decoder);
uint32_t apus_crc32(const uint8_t *bytes, size_t count); // zip's and gzip's checksum

// The compression function of MD5 (RFC 1321, 3.4) over blocks of 64 bytes.
// In C because sums of 200 MB are wanted in debug builds too, where the same loop in Swift takes a minute.
void apus_md5_blocks(uint32_t state[4], const uint8_t *blocks, size_t count);

#endif
