#include "CImage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

// Fails with the decoder's own words.
static apus_image_status fail(tjhandle decoder, apus_image *image, apus_image_status status) {
  snprintf(image->message, sizeof image->message, "%s", tjGetErrorStr2(decoder));
  apus_image_free(image);
  tjDestroy(decoder);
  return status;
}

apus_image_status apus_jpeg_decode(const uint8_t *data, size_t size, uint64_t max_pixels, apus_image *image) {
  memset(image, 0, sizeof *image);
  tjhandle decoder = tjInitDecompress();
  if (!decoder) return APUS_IMAGE_NO_MEMORY;

  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(decoder, data, size, &width, &height, &subsampling, &colorspace) != 0)
    return fail(decoder, image, APUS_IMAGE_MALFORMED);
  image->width = (uint32_t)width;
  image->height = (uint32_t)height;
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
    snprintf(image->message, sizeof image->message, "CMYK colours");
    tjDestroy(decoder);
    return APUS_IMAGE_UNSUPPORTED;
  }
  if ((uint64_t)width * (uint64_t)height > max_pixels) {
    tjDestroy(decoder);
    return APUS_IMAGE_TOO_LARGE;
  }

  image->channels = colorspace == TJCS_GRAY ? 1 : 3;
  image->pixels = malloc((size_t)width * (size_t)height * image->channels);
  if (!image->pixels) {
    tjDestroy(decoder);
    return APUS_IMAGE_NO_MEMORY;
  }
  // A warning means missing or damaged data, which the decoder would fill with grey; a picture is read whole or not.
  // The scan limit stops small files that take minutes.
  const int flags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  const int format = colorspace == TJCS_GRAY ? TJPF_GRAY : TJPF_RGB;
  if (tjDecompress2(decoder, data, size, image->pixels, width, 0, height, format, flags) != 0)
    return fail(decoder, image, APUS_IMAGE_MALFORMED);
  tjDestroy(decoder);
  return APUS_IMAGE_OK;
}
