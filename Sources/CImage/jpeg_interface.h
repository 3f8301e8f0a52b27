// libjpeg has one interface and several layouts of its structs: a decoder is built for each.
#ifndef APUS_CIMAGE_JPEG_INTERFACE_H
#define APUS_CIMAGE_JPEG_INTERFACE_H

#include "CImage.h"
#include "loader.h"

typedef struct {
  /// Finds the functions in a library that was opened; false, and says why, where it does not fit.
  bool (*bind)(void *library, apus_problem *problem);
  apus_image_status (*decode)(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image);
} apus_jpeg_interface;

/// As libjpeg 6b has it: libjpeg-turbo of Debian, Fedora and others.
extern const apus_jpeg_interface apus_jpeg_62;
/// As libjpeg 8 has it: libjpeg-turbo of Ubuntu, Arch Linux and Homebrew.
extern const apus_jpeg_interface apus_jpeg_80;

#endif
