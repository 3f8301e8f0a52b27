// What the kernels of Winograd's convolution F(4x4, 3x3) for CPU-class devices share. Follows vector_cpu.cl;
// winograd_cpu.cl or winograd_filter_gradient_cpu.cl follows it.
//
// For a 4x4 tile y of the result of a 3x3 filter g over a 6x6 tile d of the source,
//   y = A' [(G g G') * (B' d B)] A     with * element by element, ' the transpose:
// 36 multiplications for 144. The matrices interpolate at 0, +-1/sqrt(2), +-sqrt(2) and infinity (Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2016, use 0, +-1, +-2); with these points the error is about half:
// in float32 5 to 8 times that of the direct sum. Infinity or NaN in a source element reaches the result's whole tile,
// as NaN.
//
// Vectors of 16 lanes run over channels; where there are fewer, the other lanes are zeros. The products of the 36
// points with one another are matrix products.

#define POINTS 36

#define SQRT_2 1.41421356237309505f
#define SQRT_HALF 0.70710678118654752f

// B' d
ALWAYS_INLINE void transform_source(float16 v[6], const float16 d[6]) {
  const float16 even_1 = fma((float16)(-2.0f), d[2], d[4]), odd_1 = fma((float16)(-2.0f), d[1], d[3]);
  const float16 even_2 = fma((float16)(-0.5f), d[2], d[4]), odd_2 = fma((float16)(-0.5f), d[1], d[3]);
  v[0] = fma((float16)(-2.5f), d[2], d[0] + d[4]);
  v[1] = fma((float16)(SQRT_HALF), odd_1, even_1);
  v[2] = fma((float16)(-SQRT_HALF), odd_1, even_1);
  v[3] = fma((float16)(SQRT_2), odd_2, even_2);
  v[4] = fma((float16)(-SQRT_2), odd_2, even_2);
  v[5] = fma((float16)(-2.5f), d[3], d[1] + d[5]);
}

// `channels` channels or, of more, the first 16.
ALWAYS_INLINE float16 load_channels(const __global float *pointer, const int channels) {
  if (channels >= 16) return LOAD16(pointer, 0);
  float16 value = (float16)(0.0f);
  float *lanes = (float *)&value;
  int lane = 0;
  if (channels & 8) {
    vstore8(vload8(0, pointer), 0, lanes);
    lane += 8;
  }
  if (channels & 4) {
    vstore4(vload4(0, pointer + lane), 0, lanes + lane);
    lane += 4;
  }
  if (channels & 2) {
    vstore2(vload2(0, pointer + lane), 0, lanes + lane);
    lane += 2;
  }
  if (channels & 1) lanes[lane] = pointer[lane];
  return value;
}

typedef struct {
  int image, row, column;
} tile_position;

// The first row and column of the result in a tile, of rows of columns of tiles.
ALWAYS_INLINE tile_position find_tile(const int tile, const int rows, const int columns) {
  const tile_position position = {tile / (rows * columns), tile / columns % rows * 4, tile % columns * 4};
  return position;
}

// Transforms `count` channels of the 6x6 tile of an image [height, width, channels] that begins at [h, w], which may
// lie outside, to a row of 36 matrices.
ALWAYS_INLINE void load_source(float *matrices, const int matrix, const __global float *source, const int h,
                               const int w, const int height, const int width, const int channels, const int count) {
  for (int block = 0; block < count; block += 16) {
    const int c = max(min(block, count - 16), 0);
    float16 rows[6][6];
    // Unrolled, these loops compile for a second and run no faster.
#pragma unroll 1
    for (int x = 0; x < 6; ++x) {
      float16 d[6], v[6];
      const bool inside = w + x >= 0 && w + x < width;
#pragma unroll
      for (int y = 0; y < 6; ++y) {
        d[y] = (float16)(0.0f);
        if (inside && h + y >= 0 && h + y < height)
          d[y] = load_channels(source + (y * width + x) * channels + c, channels);
      }
      transform_source(v, d);
#pragma unroll
      for (int y = 0; y < 6; ++y) rows[y][x] = v[y];
    }
#pragma unroll 1
    for (int y = 0; y < 6; ++y) {
      float16 v[6];
      transform_source(v, rows[y]);
#pragma unroll
      for (int x = 0; x < 6; ++x) vstore16(v[x], 0, matrices + (y * 6 + x) * matrix + c);
    }
  }
}

// A y
ALWAYS_INLINE void transform_gradient(float16 m[6], const float16 y[4]) {
  const float16 even_1 = fma((float16)(0.5f), y[2], y[0]), odd_1 = fma((float16)(0.5f), y[3], y[1]);
  const float16 even_2 = fma((float16)(2.0f), y[2], y[0]), odd_2 = fma((float16)(2.0f), y[3], y[1]);
  m[0] = y[0];
  m[1] = fma((float16)(SQRT_HALF), odd_1, even_1);
  m[2] = fma((float16)(-SQRT_HALF), odd_1, even_1);
  m[3] = fma((float16)(SQRT_2), odd_2, even_2);
  m[4] = fma((float16)(-SQRT_2), odd_2, even_2);
  m[5] = y[3];
}

// Transforms `count` channels of the 4x4 tile of a result's gradient that begins at dy, of which `height` rows and
// `width` columns exist, to a row of 36 matrices; rows of the result hold `columns` pixels.
ALWAYS_INLINE void load_gradient(float *matrices, const int matrix, const __global float *dy, const int height,
                                 const int width, const int columns, const int channels, const int count) {
  for (int block = 0; block < count; block += 16) {
    const int k = max(min(block, count - 16), 0);
    float16 rows[6][4];
#pragma unroll 1
    for (int x = 0; x < 4; ++x) {
      float16 values[4], m[6];
#pragma unroll
      for (int y = 0; y < 4; ++y) {
        values[y] = (float16)(0.0f);
        if (x < width && y < height)
          values[y] = load_channels(dy + (y * columns + x) * channels + k, channels);
      }
      transform_gradient(m, values);
#pragma unroll
      for (int y = 0; y < 6; ++y) rows[y][x] = m[y];
    }
#pragma unroll 1
    for (int y = 0; y < 6; ++y) {
      float16 m[6];
      transform_gradient(m, rows[y]);
#pragma unroll
      for (int x = 0; x < 6; ++x) vstore16(m[x], 0, matrices + (y * 6 + x) * matrix + k);
    }
  }
}
