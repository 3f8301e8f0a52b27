#include "gif_api.h"
#include "image.h"
#include "loader.h"

#include <stdlib.h>
#include <string.h>

static struct {
#define MEMBER(result, name, parameters) result(*name) parameters;
  GIF_FUNCTIONS(MEMBER)
  const char *(*ErrorString)(int);
} gif;

const char *apus_gif_load(void) {
#if __APPLE__
  static const char *const names[] = {"libgif.7.dylib", "/opt/homebrew/lib/libgif.7.dylib", "libgif.dylib",
                                      "/opt/homebrew/lib/libgif.dylib"};
#else
  static const char *const names[] = {"libgif.so.7"};
#endif
#define ENTRY(result, name, parameters) {"DGif" #name, &gif.name},
  static const apus_function functions[] = {GIF_FUNCTIONS(ENTRY) {"GifErrorString", &gif.ErrorString}};
  static apus_problem problem;
  return APUS_LOAD(names, functions, &problem) ? NULL : problem.text;
}

typedef struct {
  const uint8_t *data;
  size_t size, position;
  bool is_over;
} source;

// Behind the end stands one zero, which ends a list of blocks: an image that has all pixels needs no more.
static int read_bytes(gif_file *file, uint8_t *out, int count) {
  source *from = file->user_data;
  const size_t left = from->size - from->position, taken = (size_t)count < left ? (size_t)count : left;
  memcpy(out, from->data + from->position, taken);
  from->position += taken;
  if (left == 0 && count == 1 && !from->is_over) {
    from->is_over = true;
    out[0] = 0;
    return 1;
  }
  return (int)taken;
}

static apus_image_status failure(const gif_file *file, apus_image *image) {
  if (file->error == GIF_OUT_OF_MEMORY) return APUS_IMAGE_NO_MEMORY;
  const char *text = gif.ErrorString(file->error);
  return apus_image_fail(image, APUS_IMAGE_MALFORMED, text ? text : "it has no picture");
}

// Goes on to the first image and tells which of its colours is transparent, -1 for none.
static apus_image_status find_image(gif_file *file, int *transparent, apus_image *image) {
  *transparent = -1;
  for (;;) {
    int type = 0, code = 0;
    uint8_t *content = NULL;
    if (gif.GetRecordType(file, &type) == GIF_ERROR) return failure(file, image);
    if (type == GIF_IMAGE_RECORD) return gif.GetImageDesc(file) == GIF_ERROR ? failure(file, image) : APUS_IMAGE_OK;
    if (type != GIF_EXTENSION_RECORD) return apus_image_fail(image, APUS_IMAGE_MALFORMED, "it has no picture");
    if (gif.GetExtension(file, &code, &content) == GIF_ERROR) return failure(file, image);
    // Its length, flags, delay, and the colour.
    if (code == GIF_GRAPHICS_CONTROL && content && content[0] >= 4)
      *transparent = content[1] & 1 ? content[4] : -1;
    while (content)
      if (gif.GetExtensionNext(file, &content) == GIF_ERROR) return failure(file, image);
  }
}

// The image's indices of colours; interlaced rows come in four passes.
static apus_image_status read_indices(gif_file *file, uint8_t *indices, apus_image *image) {
  static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  const bool is_interlaced = file->image.is_interlaced;
  const int width = file->image.width, height = file->image.height;
  for (int pass = 0; pass < (is_interlaced ? 4 : 1); pass++)
    for (int y = is_interlaced ? starts[pass] : 0; y < height; y += is_interlaced ? steps[pass] : 1)
      if (gif.GetLine(file, indices + (size_t)y * width, width) == GIF_ERROR) return failure(file, image);
  return APUS_IMAGE_OK;
}

// Lays the image on a transparent canvas.
static apus_image_status lay_rows(const gif_file *file, const uint8_t *indices, int transparent, apus_rows *rows) {
  uint8_t *line = calloc(rows->width, rows->channels);
  if (!line) return APUS_IMAGE_NO_MEMORY;
  const gif_image *frame = &file->image;
  const gif_color_map *map = frame->color_map ? frame->color_map : file->color_map;
  for (uint32_t y = 0; y < rows->height; y++) {
    const bool is_inside = y >= (uint32_t)frame->top && y - frame->top < (uint32_t)frame->height;
    uint8_t *out = line + (size_t)frame->left * rows->channels;
    const uint8_t *index = indices + (is_inside ? (size_t)(y - frame->top) * frame->width : 0);
    for (int x = 0; x < frame->width; x++, out += rows->channels) {
      const bool is_seen = is_inside && index[x] != transparent;
      // Without a map an index is a grey; beyond the map's end it is black.
      const uint8_t grey = map ? 0 : index[x];
      const bool is_mapped = map && index[x] < map->color_count;
      const gif_color color = is_mapped ? map->colors[index[x]] : (gif_color){grey, grey, grey};
      out[0] = is_seen ? color.red : 0;
      out[1] = is_seen ? color.green : 0;
      out[2] = is_seen ? color.blue : 0;
      if (rows->channels == 4) out[3] = is_seen ? 255 : 0;
    }
    apus_rows_add(rows, line);
  }
  free(line);
  return APUS_IMAGE_OK;
}

static apus_image_status decode(gif_file *file, apus_image_limits limits, apus_rows *rows, apus_image *image) {
  int transparent;
  apus_image_status status = find_image(file, &transparent, image);
  if (status != APUS_IMAGE_OK) return status;
  const gif_image *frame = &file->image;
  // A first image that reaches over the canvas makes it larger, as viewers have it.
  const int right = frame->left + frame->width, bottom = frame->top + frame->height;
  const int width = right > file->width ? right : file->width, height = bottom > file->height ? bottom : file->height;
  if (frame->width <= 0 || frame->height <= 0) return apus_image_fail(image, APUS_IMAGE_MALFORMED, "it has no pixels");
  status = apus_image_set_size(image, (uint64_t)width, (uint64_t)height, limits);
  if (status != APUS_IMAGE_OK) return status;
  uint8_t *indices = apus_whole_picture((uint64_t)frame->width, (uint64_t)frame->height, 1, limits);
  if (!indices) return APUS_IMAGE_NO_MEMORY;
  status = read_indices(file, indices, image);
  if (status == APUS_IMAGE_OK) {
    const size_t count = (size_t)frame->width * frame->height;
    const bool is_opaque = frame->width == width && frame->height == height &&
                           (transparent < 0 || !memchr(indices, transparent, count));
    status = apus_rows_begin(rows, image, (uint64_t)width, (uint64_t)height, is_opaque ? 3 : 4, limits);
  }
  if (status == APUS_IMAGE_OK) status = lay_rows(file, indices, transparent, rows);
  free(indices);
  return status;
}

apus_image_status apus_gif_decode(const uint8_t *data, size_t size, apus_image_limits limits, apus_image *image) {
  memset(image, 0, sizeof *image);
  source from = {.data = data, .size = size};
  int error = 0;
  gif_file *file = gif.Open(&from, read_bytes, &error);
  if (!file) {
    const char *text = gif.ErrorString(error);
    if (error == GIF_OUT_OF_MEMORY) return APUS_IMAGE_NO_MEMORY;
    return apus_image_fail(image, APUS_IMAGE_MALFORMED, text ? text : "it is no GIF");
  }
  apus_rows rows = {0};
  const apus_image_status status = decode(file, limits, &rows, image);
  gif.CloseFile(file, &error);
  apus_rows_free(&rows);
  if (status != APUS_IMAGE_OK) apus_image_free(image);
  return status;
}
