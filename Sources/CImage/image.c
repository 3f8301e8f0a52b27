#include "CImage.h"

#include <stdlib.h>
#include <string.h>

apus_image_status apus_image_keep_exif(apus_image *image, const uint8_t *bytes, size_t size) {
  image->exif = malloc(size);
  if (!image->exif) return APUS_IMAGE_NO_MEMORY;
  memcpy(image->exif, bytes, size);
  image->exif_size = size;
  return APUS_IMAGE_OK;
}

void apus_image_free(apus_image *image) {
  free(image->pixels);
  free(image->exif);
  image->pixels = image->exif = NULL;
}
