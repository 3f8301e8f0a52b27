#include "CImage.h"
#include "jpeg_interface.h"

static const struct {
  const char *name;
  const apus_jpeg_interface *interface;
} libraries[] = {
#if __APPLE__
    {"libjpeg.8.dylib", &apus_jpeg_80},
    {"/opt/homebrew/lib/libjpeg.8.dylib", &apus_jpeg_80},
#else
    {"libjpeg.so.8", &apus_jpeg_80},
    {"libjpeg.so.62", &apus_jpeg_62},
#endif
};
enum { COUNT = sizeof libraries / sizeof *libraries };

static const apus_jpeg_interface *used;

const char *apus_jpeg_load(void) {
  static apus_problem problem;
  const char *names[COUNT];
  for (int i = 0; i < COUNT; i++) names[i] = libraries[i].name;
  size_t found;
  void *library = apus_open_library(names, COUNT, &found, &problem);
  if (!library || !libraries[found].interface->bind(library, &problem)) return problem.text;
  used = libraries[found].interface;
  return NULL;
}

apus_image_status apus_jpeg_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  return used->decode(data, size, limits, image);
}
