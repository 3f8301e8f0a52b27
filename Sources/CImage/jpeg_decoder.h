// The JPEG decoder for one binary interface of libjpeg: what includes this file defines JPEG_LIB_VERSION, which decides
// the layout of the library's structs, and the name INTERFACE of what it is to define. Included once by each.
#include "image.h"
#include "jpeg_interface.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libjpeg/jpeglib.h"

#include "libjpeg/jerror.h"

static struct {
#define FUNCTIONS(FUNCTION) \
  FUNCTION(jpeg_std_error) \
  FUNCTION(jpeg_CreateDecompress) \
  FUNCTION(jpeg_mem_src) \
  FUNCTION(jpeg_save_markers) \
  FUNCTION(jpeg_read_header) \
  FUNCTION(jpeg_calc_output_dimensions) \
  FUNCTION(jpeg_start_decompress) \
  FUNCTION(jpeg_has_multiple_scans) \
  FUNCTION(jpeg_read_scanlines) \
  FUNCTION(jpeg_destroy_decompress)
#define MEMBER(name) __typeof__(name) *name;
  FUNCTIONS(MEMBER)
} library;

// More scans than any writer makes; without a limit small files take minutes.
enum { MAX_SCANS = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  apus_image *image;
  bool has_ended_early; // the data ended before the end mark
} error_handler;

static void on_error(j_common_ptr codec) {
  error_handler *handler = (error_handler *)codec->err;
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  snprintf(handler->image->message, sizeof handler->image->message, "%s", text);
  longjmp(handler->escape, 1);
}

// Most warnings are about things that do not matter: odd version numbers, bytes between markers, a missing end mark.
// Where pixels are missing the decoder would go on with grey ones: that is an error.
static void on_warning(j_common_ptr codec, int level) {
  if (level >= 0) return; // a trace message
  switch (codec->err->msg_code) {
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_ARITH_BAD_CODE:
  case JWRN_MUST_RESYNC: on_error(codec); break;
  case JWRN_JPEG_EOF:
    // An arithmetic decoder makes up zeros at the end of its data without another word.
    if (((j_decompress_ptr)codec)->arith_code) on_error(codec);
    ((error_handler *)codec->err)->has_ended_early = true;
    break;
  default: break;
  }
}

static void on_progress(j_common_ptr codec) {
  if (((j_decompress_ptr)codec)->input_scan_number <= MAX_SCANS) return;
  error_handler *handler = (error_handler *)codec->err;
  snprintf(handler->image->message, sizeof handler->image->message, "more than %d scans", MAX_SCANS);
  longjmp(handler->escape, 1);
}

// Whether each coefficient of a picture in several scans has come in to its last bit.
static bool has_all_coefficients(const struct jpeg_decompress_struct *codec) {
  if (!codec->progressive_mode) return false; // not known
  for (int component = 0; component < codec->num_components; component++)
    for (int k = 0; k < DCTSIZE2; k++)
      if (codec->coef_bits[component][k] != 0) return false;
  return true;
}

static bool has_name(jpeg_saved_marker_ptr marker, const char *name, size_t size) {
  return marker->data_length >= size && memcmp(marker->data, name, size) == 0;
}

// An EXIF block that is longer than a segment goes on in the next one, behind the name. Of XMP packets the last counts.
static apus_image_status keep_metadata(const struct jpeg_decompress_struct *codec, apus_image *image) {
  static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
  for (jpeg_saved_marker_ptr marker = codec->marker_list; marker; marker = marker->next) {
    bool is_kept = true;
    if (has_name(marker, exif, sizeof exif)) {
      const size_t start = image->exif.size ? sizeof exif : 0;
      is_kept = apus_block_append(&image->exif, marker->data + start, marker->data_length - start);
    } else if (has_name(marker, xmp, sizeof xmp)) {
      apus_block_free(&image->xmp);
      is_kept = apus_block_append(&image->xmp, marker->data + sizeof xmp, marker->data_length - sizeof xmp);
    }
    if (!is_kept) return APUS_IMAGE_NO_MEMORY;
  }
  return APUS_IMAGE_OK;
}

// Stored inverted, as Adobe does and every reader expects: red = C * K / 255.
static void convert_cmyk(const uint8_t *from, uint8_t *to, uint32_t width) {
  for (uint32_t x = 0; x < width; x++)
    for (int channel = 0; channel < 3; channel++)
      to[3 * x + channel] = (uint8_t)((from[4 * x + channel] * from[4 * x + 3] + 127) / 255);
}

// Everything that may longjmp.
static apus_image_status decode(struct jpeg_decompress_struct *codec, const uint8_t *data, size_t size,
                                apus_image_limits limits, apus_image *image) {
  library.jpeg_CreateDecompress(codec, JPEG_LIB_VERSION, sizeof *codec);
  codec->mem->max_memory_to_use = 1l << 30; // for the coefficients of a picture in several scans
  library.jpeg_mem_src(codec, data, size);
  library.jpeg_save_markers(codec, JPEG_APP0 + 1, 0xFFFF);
  library.jpeg_read_header(codec, TRUE);
  apus_image_status status = apus_image_set_size(image, codec->image_width, codec->image_height, limits);
  if (status == APUS_IMAGE_OK) status = keep_metadata(codec, image);
  if (status != APUS_IMAGE_OK) return status;

  const bool is_grey = codec->jpeg_color_space == JCS_GRAYSCALE;
  const bool is_cmyk = codec->jpeg_color_space == JCS_CMYK || codec->jpeg_color_space == JCS_YCCK;
  codec->out_color_space = is_grey ? JCS_GRAYSCALE : is_cmyk ? JCS_CMYK : JCS_RGB;
  codec->dct_method = JDCT_ISLOW;
  codec->scale_denom = codec->scale_num = 1;
  if (limits.enough_side > 0) {
    const uint32_t side = codec->image_width < codec->image_height ? codec->image_width : codec->image_height;
    while (codec->scale_denom < 8 && side / (2 * codec->scale_denom) >= limits.enough_side) codec->scale_denom *= 2;
  }
  for (;; codec->scale_denom *= 2) {
    library.jpeg_calc_output_dimensions(codec);
    if ((uint64_t)codec->output_width * codec->output_height <= limits.max_pixels) break;
    if (codec->scale_denom == 8) return APUS_IMAGE_TOO_LARGE;
  }
  image->channels = is_grey ? 1 : 3;
  image->pixels = apus_whole_picture(codec->output_width, codec->output_height, image->channels, limits);
  if (!image->pixels) return APUS_IMAGE_NO_MEMORY;

  library.jpeg_start_decompress(codec);
  const error_handler *handler = (error_handler *)codec->err;
  if (library.jpeg_has_multiple_scans(codec) && handler->has_ended_early && !has_all_coefficients(codec))
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "the data ends before its last scan");
  image->width = codec->output_width;
  image->height = codec->output_height;
  const size_t row_bytes = (size_t)image->width * image->channels;
  JSAMPARRAY cmyk = NULL;
  if (is_cmyk)
    cmyk = codec->mem->alloc_sarray((j_common_ptr)codec, JPOOL_IMAGE, codec->output_width * 4, 1);
  while (codec->output_scanline < codec->output_height) {
    uint8_t *row = image->pixels + row_bytes * codec->output_scanline;
    library.jpeg_read_scanlines(codec, is_cmyk ? cmyk : &row, 1);
    if (is_cmyk) convert_cmyk(cmyk[0], row, image->width);
  }
  // What stands behind the last row is of no interest: no jpeg_finish_decompress.
  return APUS_IMAGE_OK;
}

static apus_image_status meaning(int error) {
  switch (error) {
  case JERR_OUT_OF_MEMORY:
  case JERR_NO_BACKING_STORE: return APUS_IMAGE_NO_MEMORY;
  case JERR_SOF_UNSUPPORTED: // lossless, hierarchical
  case JERR_BAD_PRECISION:   // 12 bits
#if JPEG_LIB_VERSION < 70
  case JERR_ARITH_NOTIMPL:
#endif
  case JERR_CONVERSION_NOTIMPL: return APUS_IMAGE_UNSUPPORTED;
  default: return APUS_IMAGE_MALFORMED;
  }
}

static apus_image_status decode_picture(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  struct jpeg_decompress_struct codec;
  memset(&codec, 0, sizeof codec);
  error_handler handler = {.image = image};
  codec.err = library.jpeg_std_error(&handler.base);
  handler.base.error_exit = on_error;
  handler.base.emit_message = on_warning;
  struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
  codec.progress = &progress;

  volatile apus_image_status status = APUS_IMAGE_MALFORMED;
  if (setjmp(handler.escape) == 0)
    status = decode(&codec, data, size, limits, image);
  else
    status = meaning(handler.base.msg_code);
  library.jpeg_destroy_decompress(&codec);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}

// The library compares the version and the size of its struct with its own.
static bool fits(apus_problem *problem) {
  struct jpeg_decompress_struct codec;
  memset(&codec, 0, sizeof codec);
  apus_image nothing = {0};
  error_handler handler = {.image = &nothing};
  codec.err = library.jpeg_std_error(&handler.base);
  handler.base.error_exit = on_error;
  if (setjmp(handler.escape) != 0) {
    snprintf(problem->text, sizeof problem->text, "%s", nothing.message);
    return false;
  }
  library.jpeg_CreateDecompress(&codec, JPEG_LIB_VERSION, sizeof codec);
  library.jpeg_destroy_decompress(&codec);
  return true;
}

static bool bind_functions(void *handle, apus_problem *problem) {
#define LOOK_UP(name) \
  if (!apus_look_up(handle, #name, &library.name, problem)) return false;
  FUNCTIONS(LOOK_UP)
  return fits(problem);
}

const apus_jpeg_interface INTERFACE = {bind_functions, decode_picture};
