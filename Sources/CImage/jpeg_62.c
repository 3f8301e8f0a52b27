#define JPEG_LIB_VERSION 62
#define INTERFACE apus_jpeg_62
#include "jpeg_decoder.h"
