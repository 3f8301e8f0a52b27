// Changes of pictures, other ones for each. Follows group_tree.cl if GPU-class.
//
// The same text is C: Sources/CVector/augment.c makes the CPU backend's function of it.
//
// An edit is EDIT floats, a picture has SLOTS of them, done one after another: e[0] is what it does, e[1]... how. White,
// w, is 255 for bytes and 1 for floats; `into` means that what is below 0 or above w becomes that. Pixel (x, y) is the
// x-th of row y, its middle.
//   0  none
//   1  shift         out[x, y] = in[e3 x + e4, e5 y + e6], where e3 and e5 are 1 or -1
//   2  warp          out[x, y] = in[(e3 x + e4 y + e5) / z, (e6 x + e7 y + e8) / z], z = e9 x + e10 y + 1; bilinear
//   3  nearest       the same, of the nearest pixel
//      These three are a picture's first edit, and may come again. Outside of the picture is e[1]: 0 the value e[2],
//      1 its edge, 2 its mirror image around the edge pixels, 3 its mirror image, edge pixels twice, 4 itself again.
//   4  linear        v e1 + w e2, into
//   5  contrast      m + (v - m) e1, into; m is the mean of grey, or where e2 of the channel
//   6  saturation    g + (v - g) e1, into; g is the pixel's grey
//   7  hue           turned by e1 of the circle, in HSV
//   8  gamma         w e2 (v / w)^e1, into
//   9  grey          g
//   10 posterize     the first e1 bits of eight are kept
//   11 solarize      w - v where v >= w e1
//   12 autocontrast  (v - least) w / (most - least), of the channel, if most > least
//   13 equalize      the channel's 256 levels spread so that each is as frequent
//   14 sharpness     b + (v - b) e1, into; b is the mean of 3 x 3 pixels, the middle one taken 5 times; not at the edge
//   15 blur          by a Gaussian of e1 pixels, an odd number up to 63, and of deviation e2; mirrored at the edge
//   16 erase         e3 rows from e1 on, e4 columns from e2 on become e5
// grey = 0.2989 red + 0.587 green + 0.114 blue of three channels, the mean of any other number. hue and saturation
// change pictures of three channels only; contrast, autocontrast and equalize those of up to four.
// Sources: Pillow's ImageOps and ImageEnhance (autocontrast, equalize, posterize, solarize, sharpness) and torchvision's
// functions of the same names, which define them.
//
// Defines
//   GPU_CLASS                0 or 1
//   HEIGHT, WIDTH, CHANNELS, SLOTS, EDIT
//   WHITE                    a float literal
//   SOURCE_TYPE              uchar or float
//   GROUP                    GPU_CLASS 1: local size, a power of two
// Entry points
//   augment(x, edits, y, [work] EPILOGUE_PARAMS)   work: as large as y; where NEIGHBOURS is 1
// Global size [local size]
//   GPU_CLASS 0: pictures [1];  GPU_CLASS 1: pictures * GROUP [GROUP]

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
enum { MOST_CHANNELS = 4, LEVELS = 256, LONGEST = 32 };

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

#define DEFINE_MOVE(name, TYPE)                                                                                       \
  INLINED void name(GLOBAL const TYPE *x, GLOBAL float *y, GLOBAL const float *e, SIZES) {                            \
    const int code = (int)e[0], border = (int)e[1];                                                                   \
    const float fill = e[2];                                                                                          \
    if (code == EDIT_SHIFT) {                                                                                         \
      const int turn_x = (int)e[3], first_x = (int)e[4], turn_y = (int)e[5], first_y = (int)e[6];                     \
      /* Columns that are read from the row itself. */                                                                \
      const int begin = min(max(turn_x > 0 ? -first_x : first_x - width + 1, 0), width);                              \
      const int end = max(min(turn_x > 0 ? width - first_x : first_x + 1, width), begin);                             \
      FOR_ROWS(line) {                               \
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
        const int column_at = augment_place((int)floor(u + 0.5f), width, border);                                     \
        const int line_at = augment_place((int)floor(v + 0.5f), height, border);                                      \
        FOR_CHANNELS(c)                                                                                               \
          to[c] = column_at < 0 || line_at < 0 ? fill : (float)x[(line_at * width + column_at) * channels + c];       \
        continue;                                                                                                     \
      }                                                                                                               \
      const float left = floor(u), top = floor(v), share_x = u - left, share_y = v - top;                             \
      const int x0 = (int)left, y0 = (int)top;                                                                        \
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

INLINED float augment_into(const float v, const float white) { return fmin(fmax(v, 0.0f), white); }

INLINED float augment_grey(GLOBAL const float *pixel, const int channels) {
  if (channels == 3) return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
  float sum = 0.0f;
  FOR_CHANNELS(c) sum += pixel[c];
  return sum / channels;
}

// The level of a value, 0 to 255.
INLINED int augment_level(const float v, const float white) {
  return (int)floor(fmin(fmax(v * (255.0f / white), 0.0f), 255.0f) + 0.5f);
}

// How many numbers of the whole picture an edit asks for.
INLINED int augment_statistics(GLOBAL const float *e, const int channels) {
  const int code = (int)e[0];
  if (code == EDIT_CONTRAST) return e[2] != 0.0f ? channels : 1;
  return code == EDIT_AUTOCONTRAST ? 2 * channels : 0;
}

// This work-item's share of number k.
INLINED float augment_statistic(GLOBAL const float *y, GLOBAL const float *e, const int k, SIZES) {
  const int pixels = height * width;
  if (e[0] == (float)EDIT_AUTOCONTRAST) {
    // -least, then most.
    const float sign = k < channels ? -1.0f : 1.0f;
    float most = -INFINITY;
    FOR_EACH(i, pixels) most = fmax(most, sign * y[i * channels + k % channels]);
    return most;
  }
  float total = 0.0f;
  FOR_EACH(block, (pixels + LONGEST - 1) / LONGEST) {
    float sum = 0.0f;
    for (int i = block * LONGEST; i < min((block + 1) * LONGEST, pixels); i++)
      sum += e[2] != 0.0f ? y[i * channels + k] : augment_grey(y + i * channels, channels);
    total += sum;
  }
  return total;
}

// From how often each level is there to what it becomes.
INLINED void augment_spread(LOCAL int *levels) {
  int total = 0, last = 0;
  for (int i = 0; i < LEVELS; i++) {
    total += levels[i];
    if (levels[i] > 0) last = levels[i];
  }
  const int step = (total - last) / (LEVELS - 1);
  int before = step / 2;
  for (int i = 0; i < LEVELS; i++) {
    const int count = levels[i];
    levels[i] = step == 0 ? i : min(before / step, LEVELS - 1);
    before += count;
  }
}

INLINED void augment_hue(GLOBAL float *pixel, const float turn, const float white) {
  const float r = pixel[0] / white, g = pixel[1] / white, b = pixel[2] / white;
  const float most = fmax(fmax(r, g), b), range = most - fmin(fmin(r, g), b);
  if (!(range > 0.0f)) return;
  const float sector = most == r ? (g - b) / range : most == g ? 2.0f + (b - r) / range : 4.0f + (r - g) / range;
  float hue = sector / 6.0f + turn;
  hue = (hue - floor(hue)) * 6.0f;
  // Each channel is the most near its own hue, and falls to the least 2 sixths away.
  for (int c = 0; c < 3; c++) {
    float away = fabs(hue - 2.0f * c);
    if (away > 3.0f) away = 6.0f - away;
    pixel[c] = white * (most - range * fmin(fmax(away - 1.0f, 0.0f), 1.0f));
  }
}

// The part of an edit that must be complete before `augment_change`: a copy, or half of a blur.
INLINED void augment_prepare(GLOBAL const float *y, GLOBAL float *work, GLOBAL const float *e, SIZES) {
  const int code = (int)e[0], count = height * width * channels;
  if (code == EDIT_BLUR) {
    const int radius = (int)e[1] / 2;
    const float slope = -0.5f / (e[2] * e[2]);
    FOR_ROWS(line) FOR_ALONG(column, 0, width) FOR_CHANNELS(c) {
      float sum = 0.0f, weights = 0.0f;
      for (int k = -radius; k <= radius; k++) {
        const float weight = exp(slope * k * k);
        sum += weight * y[(line * width + augment_place(column + k, width, 2)) * channels + c];
        weights += weight;
      }
      work[(line * width + column) * channels + c] = sum / weights;
    }
  } else if (code == EDIT_SHARPNESS || (code >= EDIT_SHIFT && code <= EDIT_NEAREST)) {
    FOR_EACH(i, count) work[i] = y[i];
  }
}

INLINED void augment_near(GLOBAL float *y, GLOBAL const float *work, GLOBAL const float *e, const float white, SIZES) {
  const int code = (int)e[0], pitch = width * channels;
  if (code == EDIT_BLUR) {
    const int radius = (int)e[1] / 2;
    const float slope = -0.5f / (e[2] * e[2]);
    FOR_ROWS(line) FOR_ALONG(place, 0, pitch) {
      float sum = 0.0f, weights = 0.0f;
      for (int k = -radius; k <= radius; k++) {
        const float weight = exp(slope * k * k);
        sum += weight * work[augment_place(line + k, height, 2) * pitch + place];
        weights += weight;
      }
      y[line * pitch + place] = sum / weights;
    }
  } else if (code == EDIT_SHARPNESS) {
    FOR_ROWS(line) FOR_ALONG(place, channels, pitch - channels) {
      if (line == 0 || line == height - 1) continue;
      const int i = line * pitch + place;
      float sum = 4.0f * work[i];
      for (int k = -1; k <= 1; k++)
        sum += work[i + k * pitch - channels] + work[i + k * pitch] + work[i + k * pitch + channels];
      const float smooth = sum / 13.0f;
      y[i] = augment_into(smooth + (work[i] - smooth) * e[1], white);
    }
  } else {
    augment_move(work, y, e, height, width, channels);
  }
}

// means: the statistics of the whole picture; levels: what levels become, of each channel.
INLINED void augment_change(GLOBAL float *y, GLOBAL const float *e, const float *means, LOCAL const int *levels,
                            const float white, SIZES) {
  const int pixels = height * width, count = pixels * channels;
  switch ((int)e[0]) {
    case EDIT_LINEAR: {
      const float factor = e[1], offset = white * e[2];
      FOR_EACH(i, count) y[i] = augment_into(y[i] * factor + offset, white);
      break;
    }
    case EDIT_CONTRAST: {
      const float factor = e[1];
      const bool each = e[2] != 0.0f;
      if (channels <= MOST_CHANNELS) FOR_EACH(i, pixels) FOR_CHANNELS(c) {
        const float mean = means[each ? c : 0];
        y[i * channels + c] = augment_into(mean + (y[i * channels + c] - mean) * factor, white);
      }
      break;
    }
    case EDIT_SATURATION: {
      const float factor = e[1];
      if (channels == 3) FOR_EACH(i, pixels) {
        const float grey = augment_grey(y + i * channels, channels);
        FOR_CHANNELS(c) y[i * channels + c] = augment_into(grey + (y[i * channels + c] - grey) * factor, white);
      }
      break;
    }
    case EDIT_HUE:
      if (channels == 3) FOR_EACH(i, pixels) augment_hue(y + i * channels, e[1], white);
      break;
    case EDIT_GAMMA: {
      const float power = e[1], gain = white * e[2];
      FOR_EACH(i, count) y[i] = augment_into(gain * pow(fmax(y[i], 0.0f) / white, power), white);
      break;
    }
    case EDIT_GREY:
      FOR_EACH(i, pixels) {
        const float grey = augment_grey(y + i * channels, channels);
        FOR_CHANNELS(c) y[i * channels + c] = grey;
      }
      break;
    case EDIT_POSTERIZE: {
      const int kept = 256 - (1 << (8 - (int)e[1]));
      FOR_EACH(i, count) y[i] = (augment_level(y[i], white) & kept) * (white / 255.0f);
      break;
    }
    case EDIT_SOLARIZE: {
      const float threshold = white * e[1];
      FOR_EACH(i, count) y[i] = y[i] >= threshold ? white - y[i] : y[i];
      break;
    }
    case EDIT_AUTOCONTRAST:
      if (channels <= MOST_CHANNELS) FOR_CHANNELS(c) {
        const float least = -means[c], range = means[channels + c] - least;
        const float scale = range > 0.0f ? white / range : 1.0f, from = range > 0.0f ? least : 0.0f;
        FOR_EACH(i, pixels) y[i * channels + c] = (y[i * channels + c] - from) * scale;
      }
      break;
    case EDIT_EQUALIZE:
      if (channels <= MOST_CHANNELS) FOR_EACH(i, pixels) FOR_CHANNELS(c) {
        y[i * channels + c] = levels[c * LEVELS + augment_level(y[i * channels + c], white)] * (white / 255.0f);
      }
      break;
    case EDIT_ERASE: {
      const int first_line = (int)e[1], first = (int)e[2], lines = (int)e[3], columns = (int)e[4];
      const float value = e[5];
      FOR_EACH(i, lines * columns) {
        const int line = i / columns, at = ((first_line + line) * width + first + i - line * columns) * channels;
        FOR_CHANNELS(c) y[at + c] = value;
      }
      break;
    }
    default: break;
  }
}

// All edits of one picture after the first. Work-items of a group come by together: no barrier is in a branch.
INLINED void augment_picture(GLOBAL const float *edits, GLOBAL float *y, GLOBAL float *work, LOCAL float *shared,
                             LOCAL int *levels, const int slots, const float white, SIZES) {
  for (int slot = 1; slot < slots; slot++) {
    GLOBAL const float *e = edits + slot * EDIT;
    const bool spreads = e[0] == (float)EDIT_EQUALIZE && channels <= MOST_CHANNELS;
    float means[2 * MOST_CHANNELS];
    const int wanted = channels <= MOST_CHANNELS ? augment_statistics(e, channels) : 0;
    for (int k = 0; k < wanted; k++) {
      const float share = augment_statistic(y, e, k, height, width, channels);
      const float sum = GROUP_SUM(share), most = GROUP_MAX(share);
      means[k] = e[0] == (float)EDIT_CONTRAST ? sum / (height * width) : most;
    }
    if (spreads) FOR_EACH(i, channels * LEVELS) levels[i] = 0;
    SYNC;
    if (spreads) FOR_EACH(i, height * width)
      FOR_CHANNELS(c) COUNT_UP(levels + c * LEVELS + augment_level(y[i * channels + c], white));
#if NEIGHBOURS
    augment_prepare(y, work, e, height, width, channels);
#endif
    SYNC;
    if (spreads) FOR_EACH(c, channels) augment_spread(levels + c * LEVELS);
    SYNC;
#if NEIGHBOURS
    const int code = (int)e[0];
    if ((code >= EDIT_SHIFT && code <= EDIT_NEAREST) || code == EDIT_SHARPNESS || code == EDIT_BLUR)
      augment_near(y, work, e, white, height, width, channels);
#endif
    augment_change(y, e, means, levels, white, height, width, channels);
    SYNC;
  }
}

#ifdef __OPENCL_C_VERSION__
#if NEIGHBOURS
#define WORK , __global float *work
#define MY_WORK (work + first)
#else
#define WORK
#define MY_WORK 0
#endif
#if GPU_CLASS
#define KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
#define GROUP_MEMORY                                                                                                  \
  __local float shared[GROUP];                                                                                        \
  __local int levels[MOST_CHANNELS * LEVELS];
#else
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
#define GROUP_MEMORY                                                                                                  \
  float shared[1];                                                                                                    \
  int levels[MOST_CHANNELS * LEVELS];
#endif

KERNEL augment(__global const SOURCE_TYPE *restrict x, __global const float *edits, __global float *restrict y
               WORK EPILOGUE_PARAMS) {
  GROUP_MEMORY
  const INDEX number = get_group_id(0), first = number * (HEIGHT * WIDTH * CHANNELS);
  edits += number * (SLOTS * EDIT);
  augment_load(x + first, y + first, edits, HEIGHT, WIDTH, CHANNELS);
  SYNC;
  augment_picture(edits, y + first, MY_WORK, shared, levels, SLOTS, WHITE, HEIGHT, WIDTH, CHANNELS);
  FOR_EACH(i, HEIGHT * WIDTH * CHANNELS) {
    const float v = y[first + i];
    y[first + i] = EPILOGUE(float, LOAD1, v, first + i, i % CHANNELS);
  }
}
#endif
