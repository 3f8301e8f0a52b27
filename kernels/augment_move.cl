// Where pixels of a picture are read: what the edits of augment.cl that move a picture do. Comes before that file, which
// says what edits are, and follows group_tree.cl if GPU-class. C, too.
//
// Defines
//   GPU_CLASS     0 or 1;  GROUP: GPU_CLASS 1: local size
//   SOURCE_TYPE   uchar or float
// Gives
//   FOR_EACH, FOR_ROWS, FOR_ALONG, FOR_CHANNELS   loops that the work-items of a group share
//   augment_place(i, count, border)               where index i is read
//   augment_load(x, y, e, height, width, channels)   the move of edit e from SOURCE_TYPE;  augment_move: from float

#ifdef __OPENCL_C_VERSION__
#define GLOBAL __global
#if GPU_CLASS
#define LANE ((int)get_local_id(0))
#define LANES GROUP
#define SYNC barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
#define LOCAL __local
#define COUNT_UP(pointer) atomic_inc(pointer)
#define ADD(a, b) ((a) + (b))
GROUP_TREE(augment_sum, ADD)
GROUP_TREE(augment_max, fmax)
#define GROUP_SUM(v) augment_sum(v, shared, GROUP, 1)
#define GROUP_MAX(v) augment_max(v, shared, GROUP, 1)
#else
#define LANE 0
#define LANES 1
#define SYNC
#define LOCAL
#define COUNT_UP(pointer) ++*(pointer)
#define GROUP_SUM(v) ((void)shared, (v))
#define GROUP_MAX(v) (v)
#endif
#endif

#define FOR_EACH(i, count) for (int i = LANE; i < (count); i += LANES)
// Neighbours in a group go along rows: so many share one.
#define ROW_LANES (LANES > 32 ? 32 : LANES)
#define FOR_ROWS(line) for (int line = LANE / ROW_LANES; line < height; line += LANES / ROW_LANES)
#define FOR_ALONG(i, begin, end) for (int i = (begin) + LANE % ROW_LANES; i < (end); i += ROW_LANES)
#define FOR_CHANNELS(c) for (int c = 0; c < channels; c++)
#define SIZES const int height, const int width, const int channels

enum { EDIT_SHIFT = 1, EDIT_WARP, EDIT_NEAREST, EDIT_LINEAR, EDIT_CONTRAST, EDIT_SATURATION, EDIT_HUE, EDIT_GAMMA,
  EDIT_GREY, EDIT_POSTERIZE, EDIT_SOLARIZE, EDIT_AUTOCONTRAST, EDIT_EQUALIZE, EDIT_SHARPNESS, EDIT_BLUR, EDIT_ERASE };

// Where index i is read, or -1 for the fill value.
INLINED int augment_place(int i, const int count, const int border) {
  if (i >= 0 && i < count) return i;
  if (border == 1) return i < 0 ? 0 : count - 1;
  if (border == 0) return -1;
  const int period = max(border == 2 ? 2 * count - 2 : border == 3 ? 2 * count : count, 1);
  i %= period;
  if (i < 0) i += period;
  return i < count ? i : border == 2 ? period - i : period - 1 - i;
}

// The whole number below, of what an int holds; the built-in function is a call on some devices.
INLINED int augment_floor(const float v) {
  const int whole = (int)v;
  return whole > v ? whole - 1 : whole;
}

#define DEFINE_MOVE(name, TYPE)                                                                                       \
  INLINED void name(GLOBAL const TYPE *x, GLOBAL float *y, GLOBAL const float *e, SIZES) {                            \
    const int code = (int)e[0], border = (int)e[1];                                                                   \
    const float fill = e[2];                                                                                          \
    if (code == EDIT_SHIFT) {                                                                                         \
      const int turn_x = (int)e[3], first_x = (int)e[4], turn_y = (int)e[5], first_y = (int)e[6];                     \
      /* Columns that are read from the row itself. */                                                                \
      const int begin = min(max(turn_x > 0 ? -first_x : first_x - width + 1, 0), width);                              \
      const int end = max(min(turn_x > 0 ? width - first_x : first_x + 1, width), begin);                             \
      FOR_ROWS(line) {                                                                                                \
        const int row = augment_place(turn_y * line + first_y, height, border);                                       \
        GLOBAL const TYPE *from = x + (row < 0 ? 0 : row) * width * channels;                                         \
        GLOBAL float *to = y + line * width * channels;                                                               \
        if (row < 0) {                                                                                                \
          FOR_ALONG(i, 0, width * channels) to[i] = fill;                                                             \
        } else {                                                                                                      \
          FOR_ALONG(i, 0, begin) AUGMENT_BORDER(i)                                                                    \
          if (turn_x > 0) {                                                                                           \
            FOR_ALONG(i, begin * channels, end * channels) to[i] = from[i + first_x * channels];                      \
          } else {                                                                                                    \
            FOR_ALONG(i, begin, end)                                                                                  \
              FOR_CHANNELS(c) to[i * channels + c] = from[(first_x - i) * channels + c];                              \
          }                                                                                                           \
          FOR_ALONG(i, end, width) AUGMENT_BORDER(i)                                                                  \
        }                                                                                                             \
      }                                                                                                               \
      return;                                                                                                         \
    }                                                                                                                 \
    const bool is_flat = e[9] == 0.0f && e[10] == 0.0f;                                                               \
    FOR_ROWS(line) FOR_ALONG(column, 0, width) {                                                                      \
      const float scale = is_flat ? 1.0f : 1.0f / (e[9] * column + e[10] * line + 1.0f);                              \
      /* Far outside is as good as outside, and so is what is not a number. */                                        \
      const float u = fmin(fmax(-1e6f, (e[3] * column + e[4] * line + e[5]) * scale), 1e6f);                          \
      const float v = fmin(fmax(-1e6f, (e[6] * column + e[7] * line + e[8]) * scale), 1e6f);                          \
      GLOBAL float *to = y + (line * width + column) * channels;                                                      \
      if (code == EDIT_NEAREST) {                                                                                     \
        const int column_at = augment_place(augment_floor(u + 0.5f), width, border);                                  \
        const int line_at = augment_place(augment_floor(v + 0.5f), height, border);                                   \
        FOR_CHANNELS(c)                                                                                               \
          to[c] = column_at < 0 || line_at < 0 ? fill : (float)x[(line_at * width + column_at) * channels + c];       \
        continue;                                                                                                     \
      }                                                                                                               \
      const int x0 = augment_floor(u), y0 = augment_floor(v);                                                         \
      const float share_x = u - x0, share_y = v - y0;                                                                 \
      if (x0 >= 0 && x0 + 1 < width && y0 >= 0 && y0 + 1 < height) {                                                  \
        GLOBAL const TYPE *at = x + (y0 * width + x0) * channels;                                                     \
        GLOBAL const TYPE *below = at + width * channels;                                                             \
        FOR_CHANNELS(c) {                                                                                             \
          const float a = at[c], b = at[channels + c], d = below[c], f = below[channels + c];                         \
          const float upper = a + share_x * (b - a), lower = d + share_x * (f - d);                                   \
          to[c] = upper + share_y * (lower - upper);                                                                  \
        }                                                                                                             \
        continue;                                                                                                     \
      }                                                                                                               \
      const int columns[2] = {augment_place(x0, width, border), augment_place(x0 + 1, width, border)};                \
      const int lines[2] = {augment_place(y0, height, border), augment_place(y0 + 1, height, border)};                \
      FOR_CHANNELS(c) {                                                                                               \
        float rows[2];                                                                                                \
        for (int k = 0; k < 2; k++) {                                                                                 \
          const int at = lines[k] * width;                                                                            \
          const float a = lines[k] < 0 || columns[0] < 0 ? fill : (float)x[(at + columns[0]) * channels + c];         \
          const float b = lines[k] < 0 || columns[1] < 0 ? fill : (float)x[(at + columns[1]) * channels + c];         \
          rows[k] = a + share_x * (b - a);                                                                            \
        }                                                                                                             \
        to[c] = rows[0] + share_y * (rows[1] - rows[0]);                                                              \
      }                                                                                                               \
    }                                                                                                                 \
  }

#define AUGMENT_BORDER(i)                                                                                             \
  {                                                                                                                   \
    const int column = augment_place(turn_x * i + first_x, width, border);                                            \
    FOR_CHANNELS(c) to[i * channels + c] = column < 0 ? fill : (float)from[column * channels + c];                    \
  }

DEFINE_MOVE(augment_load, SOURCE_TYPE)
DEFINE_MOVE(augment_move, float)
