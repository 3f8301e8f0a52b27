#include "heif_api.h"
#include "image.h"
#include "loader.h"

#include <string.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  HEIF_FUNCTIONS(MEMBER)
} heif;

const char *apus_heif_load(void) {
#if __APPLE__
  static const char *const names[] = {"libheif.1.dylib", "/opt/homebrew/lib/libheif.1.dylib"};
#else
  static const char *const names[] = {"libheif.so.1"};
#endif
#define ENTRY(result, name, parameters) {"heif_" #name, &heif.name},
  static const apus_function functions[] = {HEIF_FUNCTIONS(ENTRY)};
  static apus_problem problem;
  void *library = APUS_LOAD(names, functions, &problem);
  if (!library) return problem.text;
  // From version 1.13 on it finds its decoders here.
  heif_error (*init)(void *) = NULL;
  apus_problem is_older;
  if (apus_look_up(library, "heif_init", &init, &is_older)) init(NULL);
  return NULL;
}

static apus_image_status failure(heif_error error, apus_image *image) {
  apus_image_status status = APUS_IMAGE_MALFORMED;
  if (error.code == HEIF_NO_MEMORY)
    status = APUS_IMAGE_NO_MEMORY;
  else if (error.subcode == HEIF_UNSUPPORTED_CODEC)
    status = APUS_IMAGE_NO_CODEC;
  else if (error.code == HEIF_UNSUPPORTED_FILE || error.code == HEIF_UNSUPPORTED_FEATURE)
    status = APUS_IMAGE_UNSUPPORTED;
  return apus_image_fail(image, status, error.message ? error.message : "libheif does not say why");
}

// What is made for one picture, and freed whatever happens.
typedef struct {
  heif_context *context;
  heif_image_handle *handle;
  heif_decoding_options *options;
  heif_image *image;
  apus_rows rows;
} decoder;

// Rotation and mirroring are part of the format: what comes out is upright, whatever an EXIF block says.
static apus_image_status decode(decoder *with, const uint8_t *data, size_t size, apus_image_limits limits,
                                apus_image *image) {
  image->orientation = 1;
  with->context = heif.context_alloc();
  with->options = heif.decoding_options_alloc();
  if (!with->context || !with->options) return APUS_IMAGE_NO_MEMORY;
  // Else tiles that are missing come out black.
  if (with->options->version >= 3) with->options->is_strict = 1;
  heif_error error = heif.context_read_from_memory_without_copy(with->context, data, size, NULL);
  if (error.code == HEIF_OK) error = heif.context_get_primary_image_handle(with->context, &with->handle);
  if (error.code != HEIF_OK) return failure(error, image);

  const int claimed_width = heif.image_handle_get_width(with->handle);
  const int claimed_height = heif.image_handle_get_height(with->handle);
  if (claimed_width < 0 || claimed_height < 0)
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "its size is no size of a picture");
  apus_image_status status = apus_image_set_size(image, (uint64_t)claimed_width, (uint64_t)claimed_height, limits);
  if (status != APUS_IMAGE_OK) return status;
  const uint32_t channels = heif.image_handle_has_alpha_channel(with->handle) ? 4 : 3;
  if ((uint64_t)claimed_width * claimed_height * channels > limits.max_bytes) return APUS_IMAGE_NO_MEMORY;

  error = heif.decode_image(with->handle, &with->image, HEIF_RGB,
                            channels == 4 ? HEIF_INTERLEAVED_RGBA : HEIF_INTERLEAVED_RGB, with->options);
  if (error.code != HEIF_OK) return failure(error, image);
  int stride = 0;
  const uint8_t *pixels = heif.image_get_plane_readonly(with->image, HEIF_INTERLEAVED, &stride);
  const int width = heif.image_get_width(with->image, HEIF_INTERLEAVED);
  const int height = heif.image_get_height(with->image, HEIF_INTERLEAVED);
  if (!pixels || width <= 0 || height <= 0 || stride < 0 || (uint64_t)stride < (uint64_t)width * channels)
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, "it has no pixels");
  status = apus_rows_begin(&with->rows, image, (uint64_t)width, (uint64_t)height, channels, limits);
  if (status != APUS_IMAGE_OK) return status;
  for (int y = 0; y < height; y++) apus_rows_add(&with->rows, pixels + (size_t)stride * y);
  return APUS_IMAGE_OK;
}

apus_image_status apus_heif_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  decoder with = {0};
  const apus_image_status status = decode(&with, data, size, limits, image);
  if (with.image) heif.image_release(with.image);
  if (with.options) heif.decoding_options_free(with.options);
  if (with.handle) heif.image_handle_release(with.handle);
  if (with.context) heif.context_free(with.context);
  apus_rows_free(&with.rows);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}
