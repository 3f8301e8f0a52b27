// The part of giflib 5's interface that is used here, restated, and a table of its functions. Its name as a library has
// the number of this interface: libgif.so.7.
#ifndef APUS_CIMAGE_GIF_API_H
#define APUS_CIMAGE_GIF_API_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint8_t red, green, blue;
} gif_color;

typedef struct {
  int color_count, bits_per_pixel;
  bool is_sorted;
  gif_color *colors;
} gif_color_map;

typedef struct {
  int left, top, width, height;
  bool is_interlaced;
  gif_color_map *color_map; // NULL where the file's is meant
} gif_image;

typedef struct {
  int width, height, color_resolution, background;
  uint8_t aspect;
  gif_color_map *color_map; // NULL where there is none
  int image_count;
  gif_image image; // the one that was reached last
  void *saved_images;
  int extension_count;
  void *extensions;
  int error;
  void *user_data;
  void *state;
} gif_file;

enum { GIF_ERROR = 0, GIF_IMAGE_RECORD = 2, GIF_EXTENSION_RECORD = 3, GIF_GRAPHICS_CONTROL = 0xF9 };
enum { GIF_OUT_OF_MEMORY = 109 };

// Without their prefix `DGif`. Contents of extensions begin with their length; NULL is their end.
#define GIF_FUNCTIONS(FUNCTION) \
  FUNCTION(gif_file *, Open, (void *user_data, int (*read)(gif_file *, uint8_t *out, int count), int *error)) \
  FUNCTION(int, GetRecordType, (gif_file *, int *type)) \
  FUNCTION(int, GetImageDesc, (gif_file *)) \
  FUNCTION(int, GetLine, (gif_file *, uint8_t *line, int length)) \
  FUNCTION(int, GetExtension, (gif_file *, int *code, uint8_t **content)) \
  FUNCTION(int, GetExtensionNext, (gif_file *, uint8_t **content)) \
  FUNCTION(int, CloseFile, (gif_file *, int *error))

#endif
