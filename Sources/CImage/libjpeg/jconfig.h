// Not one of libjpeg-turbo's files: there the build writes it. Here it has what the headers beside it ask for, and
// JPEG_LIB_VERSION comes from the file that includes them.
#ifndef JPEG_LIB_VERSION
#error "define JPEG_LIB_VERSION as the library's"
#endif
#define BITS_IN_JSAMPLE 8
#define MEM_SRCDST_SUPPORTED 1
#define C_ARITH_CODING_SUPPORTED 1
#define D_ARITH_CODING_SUPPORTED 1
#define WITH_SIMD 1
