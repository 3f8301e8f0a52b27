// Depthwise 2-D convolution with stride 1 for CPU-class devices: all passes. Follows vector_cpu.cl with VECTOR 16.
//
// y[n,p,i] = sum over r,s of f[r,s,i mod C] * x[n, p - PAD_TOP + r, i + (s - PAD_LEFT)*C]
// x: [N,H,W*C], f: [R,R,C], y: [N,P,Q*C]. Lanes run over the pixels and channels i of a row, so that vectors are full
// for any number of channels; where that is not a multiple of 16, f is laid out with what follows its rows cyclically.
// A vector goes down the rows of a band with its part of f in registers: each value of x is loaded once for every
// column of the filter.
//
// Defines
//   DEPTHWISE_FORWARD, DEPTHWISE_INPUT_GRADIENT or DEPTHWISE_FILTER_GRADIENT   1: what the program holds
//   N, H, W, C, P, Q, R, PAD_TOP, PAD_LEFT   the shapes above
//   BANDS                                    into which the rows of each image of the result (dx for the input
//                                            gradient, else y) are cut, of R - 1 rows or more
//   SPLITS                                   work-items, at most N * BANDS, that share the bands of the batch
// Entry points, with local size { 1 }
//   depthwise_forward(x, f, y EPILOGUE_PARAMS), depthwise_input_gradient(dy, f, dx EPILOGUE_PARAMS)
//     global size: { SPLITS }
//   depthwise_filter_gradient(x, dy, partial)       partial: workspace of SPLITS * R*R * (C + 15) floats
//     global size: { SPLITS }
//   depthwise_filter_gradient_sum(partial, df)
//     global size: { R*R }
// Limits: W*C and Q*C are 16 or more; what a work-item lays out, R*R * (C + 15) floats, is private memory.

#define WINDOW R
#define TAPS (WINDOW * WINDOW)
#if DEPTHWISE_INPUT_GRADIENT
// dx from dy by the filter turned by 180 degrees.
#define SOURCE_H P
#define SOURCE_W Q
#define RESULT_H H
#define RESULT_W W
#define TOP (R - 1 - PAD_TOP)
#define LEFT (R - 1 - PAD_LEFT)
#define FILTER_TAP(t) (TAPS - 1 - (t))
#else
#define SOURCE_H H
#define SOURCE_W W
#define RESULT_H P
#define RESULT_W Q
#define TOP PAD_TOP
#define LEFT PAD_LEFT
#define FILTER_TAP(t) (t)
#endif
#define LINE (SOURCE_W * C)
#define ROW (RESULT_W * C)

// Vectors of a row; those of a pixel, rounded, where they are visited in blocks of channels, pixel by pixel: neighbours
// read the same values.
#define VECTORS ((ROW + 15) / 16)
#define BLOCK 4
#define PIXEL (C > 16 * BLOCK ? (C + 8) / 16 : VECTORS)

// Whether a vector may hold channels of two pixels, of which one may be padding.
#define CROSSES (C % 16 != 0)
#if CROSSES
#define TAP_LENGTH (C + 15)
#define LAID_OUT
#else
#define TAP_LENGTH C
#define LAID_OUT __global
#endif

// One vector of a row of the result: its first element and channel, and for each column of the filter where its values
// of x begin in their line and which of them are not padding. Some of those may lie before or after the
// line.
typedef struct {
  int first, channel, begins[WINDOW];
  int16 inside[WINDOW];
  bool reaches_before, reaches_after;
} vector_place;

ALWAYS_INLINE int16 lanes_from(const int first) {
  return (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + first;
}

// The last vector ends with the row.
ALWAYS_INLINE void find_place(vector_place *place, const int vector) {
  place->first = min(vector * 16, ROW - 16);
  place->channel = place->first % C;
  place->reaches_before = place->reaches_after = false;
#pragma unroll
  for (int s = 0; s < WINDOW; ++s) {
    const int begin = place->first + (s - LEFT) * C;
    place->inside[s] = (lanes_from(begin) >= 0) & (lanes_from(begin) < LINE);
    place->begins[s] = begin <= -16 || begin >= LINE ? 0 : begin;
    place->reaches_before |= place->begins[s] < 0;
    place->reaches_after |= place->begins[s] + 16 > LINE;
  }
}

// What the place has of line h of an image, a vector for each column of the filter.
ALWAYS_INLINE void load_line(vec values[WINDOW], const __global float *source, const int image, const int h,
                             const vector_place *place) {
  if (h < 0 || h >= SOURCE_H) {
#pragma unroll
    for (int s = 0; s < WINDOW; ++s) values[s] = (vec)(0.0f);
    return;
  }
  const __global float *line = source + ((INDEX)image * SOURCE_H + h) * LINE;
#if CROSSES
  // Beyond the ends of a line lie its neighbours, but for the first and the last one of the batch.
  const bool is_first = image == 0 && h == 0, is_last = image == N - 1 && h == SOURCE_H - 1;
  if ((place->reaches_before && is_first) || (place->reaches_after && is_last)) {
    float lanes[WINDOW * 16];
    SHORT_LOOP
    for (int i = 0; i < WINDOW * 16; ++i) {
      const int x = place->first + (i / 16 - LEFT) * C + i % 16;
      lanes[i] = x >= 0 && x < LINE ? line[x] : 0.0f;
    }
#pragma unroll
    for (int s = 0; s < WINDOW; ++s) values[s] = LOAD(lanes, s * 16);
    return;
  }
#endif
#pragma unroll
  for (int s = 0; s < WINDOW; ++s)
    values[s] = select((vec)(0.0f), LOAD(line, place->begins[s]), place->inside[s]);
}

// The visits to all vectors of a row: block by block of channels, pixel by pixel.
#define FOR_EACH_VECTOR(vector)                              \
  for (int block = 0; block < PIXEL; block += BLOCK)         \
    for (int begin = block; begin < VECTORS; begin += PIXEL) \
      for (int vector = begin; vector < min(min(begin + BLOCK, begin - block + PIXEL), VECTORS); ++vector)

#if DEPTHWISE_FILTER_GRADIENT
// rows[r], the row of dy that meets row r of the filter, becomes that of the next line.
ALWAYS_INLINE void move_down(vec rows[WINDOW], const vec first) {
  vec before[WINDOW];
#pragma unroll
  for (int r = 0; r < WINDOW; ++r) before[r] = rows[r];
#pragma unroll
  for (int r = 1; r < WINDOW; ++r) rows[r] = before[r - 1];
  rows[0] = first;
}

// Adds up the products of line h with the rows of dy that it meets with rows begin ..< end of the filter.
ALWAYS_INLINE void add_line(vec products[TAPS], const vec rows[WINDOW], const __global float *x, const int image,
                            const int h, const vector_place *place, const int begin, const int end) {
  vec values[WINDOW];
  load_line(values, x, image, h, place);
#pragma unroll
  for (int t = begin * WINDOW; t < end * WINDOW; ++t)
    products[t] = fma(values[t % WINDOW], rows[t / WINDOW], products[t]);
}

// Adds to `sums` what a vector of the rows first_row ..< end_row of dy gives; they are WINDOW - 1 or more.
ALWAYS_INLINE void sum_band(const __global float *x, const __global float *dy, __global float *sums, const int image,
                            const int first_row, const int end_row, const int vector) {
  vector_place place;
  find_place(&place, vector);
  // Lanes that the vector before does not have.
  const int16 own = lanes_from(place.first) >= vector * 16;
  vec products[TAPS], rows[WINDOW];
#pragma unroll
  for (int t = 0; t < TAPS; ++t) products[t] = (vec)(0.0f);
#pragma unroll
  for (int r = 0; r < WINDOW; ++r) rows[r] = (vec)(0.0f);
  const __global float *band = dy + (INDEX)image * (P * ROW) + place.first;
#pragma unroll
  for (int r = 0; r < WINDOW - 1; ++r) {
    move_down(rows, select((vec)(0.0f), LOAD(band, (INDEX)(first_row + r) * ROW), own));
    add_line(products, rows, x, image, first_row + r - TOP, &place, 0, r + 1);
  }
  for (int row = first_row + WINDOW - 1; row < end_row; ++row) {
    move_down(rows, select((vec)(0.0f), LOAD(band, (INDEX)row * ROW), own));
    add_line(products, rows, x, image, row - TOP, &place, 0, WINDOW);
  }
#pragma unroll
  for (int r = 1; r < WINDOW; ++r) {
    move_down(rows, (vec)(0.0f));
    add_line(products, rows, x, image, end_row + r - 1 - TOP, &place, r, WINDOW);
  }
#pragma unroll
  for (int t = 0; t < TAPS; ++t) {
    __global float *sum = sums + t * (C + 15) + place.channel;
    STORE(LOAD(sum, 0) + products[t], sum);
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void depthwise_filter_gradient(const __global float *restrict x, const __global float *restrict dy,
                               __global float *restrict partial) {
  const int split = get_global_id(0);
  __global float *sums = partial + (INDEX)split * (TAPS * (C + 15));
  for (int i = 0; i < TAPS * (C + 15); ++i) sums[i] = 0.0f;
  for (int band = (long)N * BANDS * split / SPLITS; band < (int)((long)N * BANDS * (split + 1) / SPLITS); ++band) {
    const int first_row = band % BANDS * P / BANDS, end_row = (band % BANDS + 1) * P / BANDS;
    FOR_EACH_VECTOR(vector) sum_band(x, dy, sums, band / BANDS, first_row, end_row, vector);
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void depthwise_filter_gradient_sum(const __global float *restrict partial, __global float *restrict df) {
  const int tap = get_global_id(0);
  float sums[C];
  for (int c = 0; c < C; ++c) sums[c] = 0.0f;
  for (int split = 0; split < SPLITS; ++split) {
    const __global float *from = partial + ((INDEX)split * TAPS + tap) * (C + 15);
    for (int c = 0; c < C; ++c) sums[c] += from[c];
    SHORT_LOOP
    for (int i = 0; i < 15; ++i) sums[i % C] += from[C + i];
  }
  for (int c = 0; c < C; ++c) df[tap * C + c] = sums[c];
}
#else
// `to` = C values and what follows them cyclically.
ALWAYS_INLINE void lay_out(const __global float *values, float *to) {
  for (int c = 0; c < C; ++c) to[c] = values[c];
  SHORT_LOOP
  for (int i = 0; i < 15; ++i) to[C + i] = to[i];
}

// Adds the products of line h to the sums of the rows of the result that it meets with the first `count` rows of the
// filter.
ALWAYS_INLINE void add_line(vec sums[WINDOW], const vec f[TAPS], const __global float *source, const int image,
                            const int h, const vector_place *place, const int count) {
  vec values[WINDOW], before[WINDOW];
  load_line(values, source, image, h, place);
#pragma unroll
  for (int r = 0; r < count; ++r) before[r] = r > 0 ? sums[r - 1] : (vec)(0.0f);
#pragma unroll
  for (int r = 0; r < count; ++r) {
    sums[r] = before[r];
#pragma unroll
    for (int s = 0; s < WINDOW; ++s) sums[r] = fma(values[s], f[r * WINDOW + s], sums[r]);
  }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#if DEPTHWISE_FORWARD
void depthwise_forward(
#else
void depthwise_input_gradient(
#endif
    const __global float *restrict source, const __global float *restrict filter,
    __global float *restrict result EPILOGUE_PARAMS) {
#if CROSSES
  float taps[TAPS * TAP_LENGTH];
  for (int t = 0; t < TAPS; ++t) lay_out(filter + FILTER_TAP(t) * C, taps + t * TAP_LENGTH);
#define LAY_OUT(operand)            \
  float laid_out_##operand[C + 15]; \
  lay_out(operand, laid_out_##operand);
#define USE_LAID_OUT(operand) const float *operand = laid_out_##operand;
#define TAP(t) (taps + (t) * TAP_LENGTH)
  EPILOGUE_CHANNELS(LAY_OUT)
#else
#define USE_LAID_OUT(operand)
#define TAP(t) (filter + FILTER_TAP(t) * C)
#endif
  const int split = get_global_id(0);
  for (int band = (long)N * BANDS * split / SPLITS; band < (int)((long)N * BANDS * (split + 1) / SPLITS); ++band) {
    const int image = band / BANDS;
    const int first_row = band % BANDS * RESULT_H / BANDS, end_row = (band % BANDS + 1) * RESULT_H / BANDS;
    EPILOGUE_CHANNELS(USE_LAID_OUT)
    FOR_EACH_VECTOR(vector) {
      vector_place place;
      find_place(&place, vector);
      vec f[TAPS], sums[WINDOW];
#pragma unroll
      for (int t = 0; t < TAPS; ++t) f[t] = LOAD(TAP(t), place.channel);
      // sums[r] is that of the row of the result that meets row r of the filter here.
#pragma unroll
      for (int r = 0; r < WINDOW - 1; ++r) add_line(sums, f, source, image, first_row + r - TOP, &place, r + 1);
      for (int row = first_row; row < end_row; ++row) {
        add_line(sums, f, source, image, row + WINDOW - 1 - TOP, &place, WINDOW);
        const INDEX index = ((INDEX)image * RESULT_H + row) * ROW + place.first;
        const vec value = EPILOGUE(vec, LOAD, sums[WINDOW - 1], index, place.channel);
        STORE(value, result + index);
      }
    }
  }
}
#endif
