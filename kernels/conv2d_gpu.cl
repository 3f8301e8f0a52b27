// 2-D convolution for GPU-class devices as an implicit matrix product, NHWC: the operands are gathered, never stored.
// Followed by matrix_tile_gpu.cl, which has the tiling and the entry points' sizes.
//
// y[n,p,q,k] = sum over r,s,c of f[r,s,c,k]
//                             * x[n, p*STRIDE_H - PAD_TOP + r*DILATION_H, q*STRIDE_W - PAD_LEFT + s*DILATION_W, c]
// x: [N,H,W,C], f: [R,S,C/GROUPS,K], y: [N,P,Q,K]. The padding at the bottom and right is what P and Q imply.
//
// Defines
//   CONV2D_FORWARD, CONV2D_INPUT_GRADIENT or CONV2D_FILTER_GRADIENT   1: the pass
//   N, H, W, C, P, Q, K, R, S, GROUPS                                 the shapes above
//   STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, PAD_TOP, PAD_LEFT
//   TAP_STEP_H, TAP_STEP_W   input gradient only: STRIDE / gcd(STRIDE, DILATION) of the axis
// Entry points; with SPLITS > 1 as <name>_partial and <name>_finish
//   conv2d_forward(x, f, y EPILOGUE_PARAMS)                  ROWS = N*P*Q, COLUMNS = K/GROUPS, SLICES = GROUPS
//   conv2d_input_gradient(dy, f, dx EPILOGUE_PARAMS)         ROWS = N * ceil(H/STRIDE_H) * ceil(W/STRIDE_W),
//                                            COLUMNS = C/GROUPS, SLICES = GROUPS * STRIDE_H * STRIDE_W
//   conv2d_filter_gradient(x, dy, df EPILOGUE_PARAMS)        ROWS = R*S*(C/GROUPS), COLUMNS = K/GROUPS, SLICES = GROUPS
//   RESULT_COUNT: the elements of the result. The filter gradient sums over N*P*Q: SPLITS should be so large that
//   all work-groups together fill the device, with at least 8 * TILE_K pixels in each part.
//
// The input gradient is a gather: a cell of dx sees only the taps that reach it through the stride. Cells with the same
// remainder modulo the stride share their taps, so each remainder is a slice with a dense sum of its own.

#define CG (C / GROUPS)
#define KG (K / GROUPS)
#define OUTSIDE (-1)

#if CG % 4 == 0
#define C_VECTOR 4
#else
#define C_VECTOR 1
#endif
#if KG % 4 == 0
#define K_VECTOR 4
#else
#define K_VECTOR 1
#endif

#if !CONV2D_INPUT_GRADIENT
// Offset of x's element that tap (r, s) of channel c meets at pixel (n, p, q) of y, flattened.
static inline INDEX conv2d_source(int group, int pixel, int tap, int c) {
  const int h = pixel / Q % P * STRIDE_H - PAD_TOP + tap / S * DILATION_H;
  const int w = pixel % Q * STRIDE_W - PAD_LEFT + tap % S * DILATION_W;
  if (h < 0 || h >= H || w < 0 || w >= W) return OUTSIDE;
  return (((INDEX)(pixel / (P * Q)) * H + h) * W + w) * C + group * CG + c;
}
#endif

#if CONV2D_FORWARD

#define ENTRY conv2d_forward
#define ROWS (N * P * Q)
#define COLUMNS KG
#define RESULT_COUNT ((INDEX)N * P * Q * K)
#define RESULT_CHANNELS K
#define RESULT_VECTOR K_VECTOR
#define FIRST_CHANNEL(slice) ((slice) * KG)
#define A_ALONG_K 1
#define A_VECTOR C_VECTOR
#define B_ALONG_K 0
#define B_VECTOR K_VECTOR

static inline int slice_rows(int group) { return ROWS; }
static inline int slice_depth(int group) { return R * S * CG; }

static inline INDEX operand_a(int group, int m, int k) {
  return m < ROWS ? conv2d_source(group, m, k / CG, k % CG) : OUTSIDE;
}

static inline INDEX operand_b(int group, int k, int n) { return n < KG ? (INDEX)k * K + group * KG + n : OUTSIDE; }

static inline INDEX result_offset(int group, int m) { return (INDEX)m * K + group * KG; }

#elif CONV2D_INPUT_GRADIENT

#define ENTRY conv2d_input_gradient
#define ROWS (N * ((H + STRIDE_H - 1) / STRIDE_H) * ((W + STRIDE_W - 1) / STRIDE_W))
#define COLUMNS CG
#define RESULT_COUNT ((INDEX)N * H * W * C)
#define RESULT_CHANNELS C
#define RESULT_VECTOR C_VECTOR
#define FIRST_CHANNEL(slice) ((slice) / (STRIDE_H * STRIDE_W) * CG)
#define A_ALONG_K 1
#define A_VECTOR K_VECTOR
#define B_ALONG_K 1
#define B_VECTOR K_VECTOR

#define GROUP_OF(slice) ((slice) / (STRIDE_H * STRIDE_W))
// The remainder of the slice's rows and columns of dx, and how many rows and columns have it.
#define CLASS_H(slice) ((slice) / STRIDE_W % STRIDE_H)
#define CLASS_W(slice) ((slice) % STRIDE_W)
#define CLASS_ROWS(slice) ((H - CLASS_H(slice) + STRIDE_H - 1) / STRIDE_H)
#define CLASS_COLUMNS(slice) ((W - CLASS_W(slice) + STRIDE_W - 1) / STRIDE_W)

// The first tap of an axis that reaches the class: class + pad - tap * dilation is a multiple of the stride.
static inline int first_tap(int class, int pad, int stride, int dilation, int step) {
  int tap = 0;
  while (tap < step && (class + pad - tap * dilation) % stride != 0) tap++;
  return tap;
}
#define FIRST_R(slice) first_tap(CLASS_H(slice), PAD_TOP, STRIDE_H, DILATION_H, TAP_STEP_H)
#define FIRST_S(slice) first_tap(CLASS_W(slice), PAD_LEFT, STRIDE_W, DILATION_W, TAP_STEP_W)

// Taps first, first + step, ... below count; none where first_tap found none.
static inline int tap_count(int first, int count, int step) {
  return first < step ? (count - first + step - 1) / step : 0;
}

static inline int slice_rows(int slice) { return N * CLASS_ROWS(slice) * CLASS_COLUMNS(slice); }

static inline int slice_depth(int slice) {
  return tap_count(FIRST_R(slice), R, TAP_STEP_H) * tap_count(FIRST_S(slice), S, TAP_STEP_W) * KG;
}

static inline INDEX operand_a(int slice, int m, int k) {
  const int rows = CLASS_ROWS(slice), columns = CLASS_COLUMNS(slice), first_s = FIRST_S(slice);
  if (m >= N * rows * columns) return OUTSIDE;
  const int taps_s = tap_count(first_s, S, TAP_STEP_W), tap = k / KG;
  const int r = FIRST_R(slice) + tap / taps_s * TAP_STEP_H, s = first_s + tap % taps_s * TAP_STEP_W;
  const int reach_h = m / columns % rows * STRIDE_H + CLASS_H(slice) + PAD_TOP - r * DILATION_H;
  const int reach_w = m % columns * STRIDE_W + CLASS_W(slice) + PAD_LEFT - s * DILATION_W;
  if (reach_h < 0 || reach_h >= P * STRIDE_H || reach_w < 0 || reach_w >= Q * STRIDE_W) return OUTSIDE;
  const INDEX image = m / (rows * columns);
  return ((image * P + reach_h / STRIDE_H) * Q + reach_w / STRIDE_W) * K + GROUP_OF(slice) * KG + k % KG;
}

static inline INDEX operand_b(int slice, int k, int n) {
  if (n >= CG) return OUTSIDE;
  const int first_s = FIRST_S(slice), taps_s = tap_count(first_s, S, TAP_STEP_W), tap = k / KG;
  const int r = FIRST_R(slice) + tap / taps_s * TAP_STEP_H, s = first_s + tap % taps_s * TAP_STEP_W;
  return (INDEX)((r * S + s) * CG + n) * K + GROUP_OF(slice) * KG + k % KG;
}

static inline INDEX result_offset(int slice, int m) {
  const int rows = CLASS_ROWS(slice), columns = CLASS_COLUMNS(slice);
  const INDEX image = m / (rows * columns);
  const int h = m / columns % rows * STRIDE_H + CLASS_H(slice), w = m % columns * STRIDE_W + CLASS_W(slice);
  return ((image * H + h) * W + w) * C + GROUP_OF(slice) * CG;
}

#else

#define ENTRY conv2d_filter_gradient
#define ROWS (R * S * CG)
#define COLUMNS KG
#define RESULT_COUNT ((INDEX)R * S * CG * K)
#define RESULT_CHANNELS K
#define RESULT_VECTOR K_VECTOR
#define FIRST_CHANNEL(slice) ((slice) * KG)
#define A_ALONG_K 0
#define A_VECTOR C_VECTOR
#define B_ALONG_K 0
#define B_VECTOR K_VECTOR

static inline int slice_rows(int group) { return ROWS; }
static inline int slice_depth(int group) { return N * P * Q; }

static inline INDEX operand_a(int group, int m, int k) {
  return m < ROWS ? conv2d_source(group, k, m / CG, m % CG) : OUTSIDE;
}

static inline INDEX operand_b(int group, int k, int n) { return n < KG ? (INDEX)k * K + group * KG + n : OUTSIDE; }

static inline INDEX result_offset(int group, int m) { return (INDEX)m * K + group * KG; }

#endif
