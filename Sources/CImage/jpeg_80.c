#define JPEG_LIB_VERSION 80
#define INTERFACE apus_jpeg_80
#include "jpeg_decoder.h"
