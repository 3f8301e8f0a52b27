// Changes of pictures, other ones for each. Follows augment_move.cl.
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
//   7  hue           turned by e1 of the circle, -0.5 to 0.5, in HSV
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

enum { MOST_CHANNELS = 4, LEVELS = 256, LONGEST = 32, MOST_RADIUS = 31 };

INLINED float augment_into(const float v, const float white) { return fmin(fmax(v, 0.0f), white); }

INLINED float augment_grey(GLOBAL const float *pixel, const int channels) {
  if (channels == 3) return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
  float sum = 0.0f;
  FOR_CHANNELS(c) sum += pixel[c];
  return sum / channels;
}

// The level of a value, 0 to 255.
INLINED int augment_level(const float v, const float white) {
  return (int)(fmin(fmax(v * (255.0f / white), 0.0f), 255.0f) + 0.5f);
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

// A channel is the most near its own hue, and falls to the least 2 sixths of the circle away.
INLINED float augment_hue_channel(const float hue, const float own, const float most, const float range) {
  const float away = fabs(hue - own), near = fmin(away, 6.0f - away);
  return most - range * fmin(fmax(near - 1.0f, 0.0f), 1.0f);
}

// Without branches and loops, so that several pixels go side by side.
INLINED void augment_hue(GLOBAL float *pixel, const float turn) {
  const float r = pixel[0], g = pixel[1], b = pixel[2];
  const float most = fmax(fmax(r, g), b), range = most - fmin(fmin(r, g), b);
  const float first = most == r ? 0.0f : most == g ? 2.0f : 4.0f;
  const float difference = most == r ? g - b : most == g ? b - r : r - g;
  // In sixths of the circle; grey has no hue, and any will do.
  const float turned = first + difference / fmax(range, 1e-30f) + 6.0f * turn;
  const float hue = turned < 0.0f ? turned + 6.0f : turned >= 6.0f ? turned - 6.0f : turned;
  pixel[0] = augment_hue_channel(hue, 0.0f, most, range);
  pixel[1] = augment_hue_channel(hue, 2.0f, most, range);
  pixel[2] = augment_hue_channel(hue, 4.0f, most, range);
}

// Whether an edit reads pixels elsewhere.
INLINED bool augment_moves(const int code) { return code >= EDIT_SHIFT && code <= EDIT_NEAREST; }

// Half of a blur: along rows or along columns.
INLINED void augment_blur(GLOBAL const float *from, GLOBAL float *to, GLOBAL const float *e, const bool is_along, SIZES) {
  float weights[MOST_RADIUS + 1], total = 0.0f;
  const int radius = min((int)e[1] / 2, MOST_RADIUS);
  for (int k = 0; k <= radius; k++) weights[k] = exp(-0.5f / (e[2] * e[2]) * k * k);
  for (int k = -radius; k <= radius; k++) total += weights[k < 0 ? -k : k];
  FOR_ROWS(line) FOR_ALONG(column, 0, width) FOR_CHANNELS(c) {
    float sum = 0.0f;
    for (int k = -radius; k <= radius; k++) {
      const int at = is_along ? line * width + augment_place(column + k, width, 2)
                              : augment_place(line + k, height, 2) * width + column;
      sum += weights[k < 0 ? -k : k] * from[at * channels + c];
    }
    to[(line * width + column) * channels + c] = sum / total;
  }
}

// The part of an edit that must be complete before `augment_near`: a copy, or half of a blur.
INLINED void augment_prepare(GLOBAL const float *y, GLOBAL float *work, GLOBAL const float *e, SIZES) {
  const int code = (int)e[0];
  if (code == EDIT_BLUR)
    augment_blur(y, work, e, true, height, width, channels);
  else if (code == EDIT_SHARPNESS || augment_moves(code))
    FOR_EACH(i, height * width * channels) work[i] = y[i];
}

INLINED void augment_near(GLOBAL float *y, GLOBAL const float *work, GLOBAL const float *e, const float white, SIZES) {
  const int code = (int)e[0], pitch = width * channels;
  if (code == EDIT_BLUR) {
    augment_blur(work, y, e, false, height, width, channels);
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
  } else if (augment_moves(code)) {
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
    case EDIT_HUE: {
      const float turn = e[1];
      if (channels == 3) FOR_EACH(i, pixels) augment_hue(y + i * channels, turn);
      break;
    }
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
