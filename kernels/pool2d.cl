// Max and average pooling over NHWC images, and their input gradients in gather form (no atomics).
//
// y[n,p,q,c] = max or mean over (r,s) of x[n, p*STRIDE_H - PAD_TOP + r, q*STRIDE_W - PAD_LEFT + s, c]
//
// Defines
//   POOL2D_FORWARD or POOL2D_GRADIENT   1: which of the two entry points the program holds
//   GPU_CLASS                 1: one work-item per vector of channels; 0: one work-item per row of the result
//   POOL_MAX                  1: maximum (padded cells never win), 0: average
//   COUNT_PADDING             average only; 1: always divide by WINDOW_H * WINDOW_W, 0: by the cells inside the image
//   N, H, W, C                the image's shape;  P, Q: the pooled height and width
//   WINDOW_H, WINDOW_W, STRIDE_H, STRIDE_W, PAD_TOP, PAD_LEFT
//                             the padding at the bottom and right is what P and Q imply
// Entry points
//   pool2d_forward (x, y EPILOGUE_PARAMS)                         x: [N,H,W,C], y: [N,P,Q,C]
//     work-items: GPU_CLASS ? N*P*Q*(C/LANES) : N*P
//   pool2d_gradient(x, y, dy, dx EPILOGUE_PARAMS)   POOL_MAX 1    y: the pooled values, before any epilogue
//   pool2d_gradient(dy, dx EPILOGUE_PARAMS)         POOL_MAX 0
//     work-items: GPU_CLASS ? N*H*W*(C/LANES) : N*BANDS
//   LANES = C % 4 == 0 ? 4 : 1 for GPU_CLASS. BANDS = H, or ceil((H + PAD_TOP) / STRIDE_H) where the windows tile the
//   image (WINDOW_H == STRIDE_H and WINDOW_W == STRIDE_W).
//   Local size: GPU_CLASS any, the global size rounded up to it; else 1.
//
// The gradient of a maximum goes to the first cell, in row-major order, that holds it; a NaN counts as the maximum.
// A window that lies wholly in the padding gives -infinity (max) or 0 (average without COUNT_PADDING).

#if GPU_CLASS
#if C % 4 == 0
#define LANES 4
#else
#define LANES 1
#endif
#define KERNEL __kernel
#else
#if C >= 16
#define LANES 16
#elif C >= 8
#define LANES 8
#elif C >= 4
#define LANES 4
#else
#define LANES 1
#endif
#define KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#endif

#if LANES == 16
typedef float16 vec;
typedef int16 mask;
#define LOAD LOAD16
#define STORE(value, pointer) vstore16(value, 0, pointer)
#elif LANES == 8
typedef float8 vec;
typedef int8 mask;
#define LOAD LOAD8
#define STORE(value, pointer) vstore8(value, 0, pointer)
#elif LANES == 4
typedef float4 vec;
typedef int4 mask;
#if GPU_CLASS
// C % 4 == 0: aligned, one 128-bit access each.
#define LOAD(pointer, offset) (*(__global const float4 *)((pointer) + (offset)))
#define STORE(value, pointer) (*(__global float4 *)(pointer) = (value))
#else
#define LOAD LOAD4
#define STORE(value, pointer) vstore4(value, 0, pointer)
#endif
#else
typedef float vec;
typedef int mask;
#define LOAD LOAD1
#define STORE(value, pointer) (*(pointer) = (value))
#endif

// Blocks of LANES channels; on CPU-class devices the last one may overlap its neighbour.
#define BLOCKS ((C + LANES - 1) / LANES)
#define BLOCK_CHANNEL(block) min((block) * LANES, C - LANES)

#define TILING (WINDOW_H == STRIDE_H && WINDOW_W == STRIDE_W)
#define BAND_ROWS ((H + PAD_TOP + STRIDE_H - 1) / STRIDE_H)
#define BAND_COLUMNS ((W + PAD_LEFT + STRIDE_W - 1) / STRIDE_W)

// The reciprocal of the number of cells that window (p, q) averages.
static inline float pool2d_scale(int p, int q) {
#if COUNT_PADDING
  return 1.0f / (WINDOW_H * WINDOW_W);
#else
  const int top = p * STRIDE_H - PAD_TOP, left = q * STRIDE_W - PAD_LEFT;
  const int height = min(top + WINDOW_H, H) - max(top, 0), width = min(left + WINDOW_W, W) - max(left, 0);
  return 1.0f / max(max(height, 0) * max(width, 0), 1);
#endif
}

// Pools window (p, q) of LANES channels; `image` points at the first of them in the image's first pixel.
static inline vec pool2d_window(__global const float *image, int p, int q) {
  const int top = p * STRIDE_H - PAD_TOP, left = q * STRIDE_W - PAD_LEFT;
  const int bottom = min(top + WINDOW_H, H), right = min(left + WINDOW_W, W);
#if !POOL_MAX && WINDOW_H * WINDOW_W > 512
  vec total = (vec)(0.0f), rest = (vec)(0.0f);
  for (int i = max(top, 0); i < bottom; i++)
    for (int first = max(left, 0); first < right; first += 256) {
      vec block = (vec)(0.0f);
      for (int j = first; j < min(first + 256, right); j++) block += LOAD(image, (i * W + j) * C);
      ADD_BLOCK(vec, total, rest, block);
    }
  return BLOCK_SUM(total, rest) * pool2d_scale(p, q);
#else
  vec result = (vec)(POOL_MAX ? -INFINITY : 0.0f);
  for (int i = max(top, 0); i < bottom; i++)
    for (int j = max(left, 0); j < right; j++) {
      const vec value = LOAD(image, (i * W + j) * C);
#if POOL_MAX
      result = select(result, value, (value > result) | (value != value));
#else
      result += value;
#endif
    }
  return POOL_MAX ? result : result * pool2d_scale(p, q);
#endif
}

#if POOL2D_FORWARD
KERNEL void pool2d_forward(__global const float *restrict x, __global float *restrict y EPILOGUE_PARAMS) {
#if GPU_CLASS
  const INDEX id = get_global_id(0);
  if (id >= (INDEX)N * P * Q * BLOCKS) return;
  const int c = id % BLOCKS * LANES, q = id / BLOCKS % Q, p = id / (BLOCKS * Q) % P, n = id / (BLOCKS * Q * P);
  const INDEX at = id * LANES;
  const vec v = pool2d_window(x + (INDEX)n * (H * W * C) + c, p, q);
  STORE(EPILOGUE(vec, LOAD, v, at, c), y + at);
#else
  const int row = get_global_id(0), n = row / P, p = row % P;
  for (int q = 0; q < Q; q++)
    for (int block = 0; block < BLOCKS; block++) {
      const int c = BLOCK_CHANNEL(block);
      const INDEX at = ((INDEX)row * Q + q) * C + c;
      const vec v = pool2d_window(x + (INDEX)n * (H * W * C) + c, p, q);
      STORE(EPILOGUE(vec, LOAD, v, at, c), y + at);
    }
#endif
}
#endif

#if POOL2D_GRADIENT
#if POOL_MAX
#define GRADIENT_INPUTS(qualifier) \
  __global const float *qualifier x, __global const float *qualifier y, __global const float *qualifier dy
#define GRADIENT_ARGUMENTS x, y, dy

// True where `value` takes its window's maximum, NaN included, unless an earlier cell did.
#define TAKES(value, maximum) (((value) == (maximum)) | ((value) != (value)))

// The part of dx[n,i,j] that window (p, q) gives; offsets are in elements.
static inline vec pool2d_share(GRADIENT_INPUTS(), INDEX image, INDEX window, int i, int j, int p, int q) {
  const int top = p * STRIDE_H - PAD_TOP, left = q * STRIDE_W - PAD_LEFT;
  const int right = min(left + WINDOW_W, W);
  const vec maximum = LOAD(y, window);
  mask taken = (mask)(0);
  for (int a = max(top, 0); a <= i; a++) {
    const int end = a < i ? right : j;
    for (int b = max(left, 0); b < end; b++) {
      const vec earlier = LOAD(x, image + (a * W + b) * C);
      taken |= TAKES(earlier, maximum);
    }
  }
  const vec value = LOAD(x, image + (i * W + j) * C);
  return select((vec)(0.0f), LOAD(dy, window), TAKES(value, maximum) & (taken == 0));
}
#else
#define GRADIENT_INPUTS(qualifier) __global const float *qualifier dy
#define GRADIENT_ARGUMENTS dy

static inline vec pool2d_share(GRADIENT_INPUTS(), INDEX image, INDEX window, int i, int j, int p, int q) {
  return LOAD(dy, window) * pool2d_scale(p, q);
}
#endif

// dx[n,i,j,c...]: the sum over the windows that contain the cell, in row-major order.
static inline vec pool2d_cell(GRADIENT_INPUTS(), int n, int i, int j, int c) {
  const int first_p = max(i + PAD_TOP - WINDOW_H + STRIDE_H, 0) / STRIDE_H;
  const int first_q = max(j + PAD_LEFT - WINDOW_W + STRIDE_W, 0) / STRIDE_W;
  const int last_p = min((i + PAD_TOP) / STRIDE_H, P - 1), last_q = min((j + PAD_LEFT) / STRIDE_W, Q - 1);
  const INDEX image = (INDEX)n * (H * W * C) + c;
  vec sum = (vec)(0.0f);
  for (int p = first_p; p <= last_p; p++)
    for (int q = first_q; q <= last_q; q++)
      sum += pool2d_share(GRADIENT_ARGUMENTS, image, (((INDEX)n * P + p) * Q + q) * C + c, i, j, p, q);
  return sum;
}

KERNEL void pool2d_gradient(GRADIENT_INPUTS(restrict), __global float *restrict dx EPILOGUE_PARAMS) {
#if GPU_CLASS
  const INDEX id = get_global_id(0);
  if (id >= (INDEX)N * H * W * BLOCKS) return;
  const int c = id % BLOCKS * LANES, j = id / BLOCKS % W, i = id / (BLOCKS * W) % H, n = id / (BLOCKS * W * H);
  const INDEX at = id * LANES;
  const vec v = pool2d_cell(GRADIENT_ARGUMENTS, n, i, j, c);
  STORE(EPILOGUE(vec, LOAD, v, at, c), dx + at);
#elif TILING
  // Every cell is in at most one window: walk the windows, those that stick out past (P, Q) included, with gradient 0.
  const int n = get_global_id(0) / BAND_ROWS, p = get_global_id(0) % BAND_ROWS;
  const int top = p * STRIDE_H - PAD_TOP, bottom = min(top + WINDOW_H, H);
  for (int q = 0; q < BAND_COLUMNS; q++) {
    const int left = q * STRIDE_W - PAD_LEFT, right = min(left + WINDOW_W, W);
    for (int block = 0; block < BLOCKS; block++) {
      const int c = BLOCK_CHANNEL(block);
      const bool real = p < P && q < Q;
      const INDEX window = real ? (((INDEX)n * P + p) * Q + q) * C + c : 0;
      const vec share = real ? LOAD(dy, window) : (vec)(0.0f);
#if POOL_MAX
      const vec maximum = LOAD(y, window);
      mask taken = (mask)(0);
#else
      const vec mean = share * pool2d_scale(p, q);
#endif
      for (int i = max(top, 0); i < bottom; i++)
        for (int j = max(left, 0); j < right; j++) {
          const INDEX at = (((INDEX)n * H + i) * W + j) * C + c;
#if POOL_MAX
          const vec value = LOAD(x, at);
          const mask takes = TAKES(value, maximum) & (taken == 0);
          taken |= takes;
          const vec v = select((vec)(0.0f), share, takes);
#else
          const vec v = mean;
#endif
          STORE(EPILOGUE(vec, LOAD, v, at, c), dx + at);
        }
    }
  }
#else
  const int row = get_global_id(0), n = row / H, i = row % H;
  for (int j = 0; j < W; j++)
    for (int block = 0; block < BLOCKS; block++) {
      const int c = BLOCK_CHANNEL(block);
      const INDEX at = ((INDEX)row * W + j) * C + c;
      const vec v = pool2d_cell(GRADIENT_ARGUMENTS, n, i, j, c);
      STORE(EPILOGUE(vec, LOAD, v, at, c), dx + at);
    }
#endif
}
#endif
