// Depthwise 2-D convolution for GPU-class devices, computed directly: the products are too thin for matrix tiles.
//
// y[n,p,q,k] = sum over r,s of f[r,s,k]
//                    * x[n, p*STRIDE_H - PAD_TOP + r*DILATION_H, q*STRIDE_W - PAD_LEFT + s*DILATION_W, k / (K / C)]
// x: [N,H,W,C], f: [R,S,1,K], y: [N,P,Q,K]. The padding at the bottom and right is what P and Q imply.
//
// Defines
//   CONV2D_FORWARD, CONV2D_INPUT_GRADIENT or CONV2D_FILTER_GRADIENT   1: the pass
//   N, H, W, C, P, Q, K, R, S, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, PAD_TOP, PAD_LEFT
//   GROUP, COLUMNS   filter gradient: local size, and the channels a group covers; powers of two, COLUMNS <= GROUP
//   SPLITS           filter gradient: parts into which the N*P*Q pixels are cut; default 1
// Entry points
//   depthwise_forward(x, f, y EPILOGUE_PARAMS)              work-items: N*P*Q*K / VECTOR
//   depthwise_input_gradient(dy, f, dx EPILOGUE_PARAMS)     work-items: N*H*W*C / VECTOR
//     VECTOR = K == C && C % 4 == 0 ? 4 : 1; the global size rounded up to the local size [any]
//   depthwise_filter_gradient(x, dy, df EPILOGUE_PARAMS)          SPLITS == 1
//   depthwise_filter_gradient_partial(x, dy, workspace)           SPLITS > 1, first pass; SPLITS * R*S*K floats
//     global size: { ceil(K / COLUMNS) * GROUP, R * S * SPLITS }, local size { GROUP, 1 }
//   depthwise_filter_gradient_finish(workspace, df EPILOGUE_PARAMS)   SPLITS > 1, second pass: adds the parts in order
//     global size: R*S*K rounded up to the local size [any]

#ifndef SPLITS
#define SPLITS 1
#endif
#define MULTIPLIER (K / C)

#if K == C && C % 4 == 0
#define VECTOR 4
typedef float4 vec;
#define LOAD(pointer, offset) (*(__global const float4 *)((pointer) + (offset)))
#define STORE(value, pointer) (*(__global float4 *)(pointer) = (value))
#else
#define VECTOR 1
typedef float vec;
#define LOAD LOAD1
#define STORE(value, pointer) (*(pointer) = (value))
#endif

#if CONV2D_FORWARD

__kernel void depthwise_forward(__global const float *restrict x, __global const float *restrict f,
                                __global float *restrict y EPILOGUE_PARAMS) {
  const INDEX at = (INDEX)get_global_id(0) * VECTOR;
  if (at >= (INDEX)N * P * Q * K) return;
  const int k = at % K, q = at / K % Q, p = at / ((INDEX)K * Q) % P;
  const INDEX image = at / ((INDEX)K * Q * P) * H * W * C + k / MULTIPLIER;
  vec v = (vec)(0.0f);
  for (int r = 0; r < R; r++) {
    const int h = p * STRIDE_H - PAD_TOP + r * DILATION_H;
    if (h < 0 || h >= H) continue;
    for (int s = 0; s < S; s++) {
      const int w = q * STRIDE_W - PAD_LEFT + s * DILATION_W;
      if (w >= 0 && w < W) v = fma(LOAD(x, image + (INDEX)(h * W + w) * C), LOAD(f, (r * S + s) * K + k), v);
    }
  }
  STORE(EPILOGUE(vec, LOAD, v, at, k), y + at);
}

#elif CONV2D_INPUT_GRADIENT

__kernel void depthwise_input_gradient(__global const float *restrict dy, __global const float *restrict f,
                                       __global float *restrict dx EPILOGUE_PARAMS) {
  const INDEX at = (INDEX)get_global_id(0) * VECTOR;
  if (at >= (INDEX)N * H * W * C) return;
  const int c = at % C, w = at / C % W, h = at / ((INDEX)C * W) % H;
  const INDEX image = at / ((INDEX)C * W * H) * P * Q * K + c * MULTIPLIER;
  vec v = (vec)(0.0f);
  for (int r = 0; r < R; r++) {
    const int reach_h = h + PAD_TOP - r * DILATION_H;
    if (reach_h < 0 || reach_h >= P * STRIDE_H || reach_h % STRIDE_H != 0) continue;
    for (int s = 0; s < S; s++) {
      const int reach_w = w + PAD_LEFT - s * DILATION_W;
      if (reach_w < 0 || reach_w >= Q * STRIDE_W || reach_w % STRIDE_W != 0) continue;
      const INDEX source = image + (INDEX)(reach_h / STRIDE_H * Q + reach_w / STRIDE_W) * K;
      const int tap = (r * S + s) * K + c * MULTIPLIER;
      for (int j = 0; j < MULTIPLIER; j++) v = fma(LOAD(dy, source + j), LOAD(f, tap + j), v);
    }
  }
  STORE(EPILOGUE(vec, LOAD, v, at, c), dx + at);
}

#else

#if SPLITS == 1
#define FINAL(v, index, channel) EPILOGUE(float, LOAD1, v, index, channel)
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void depthwise_filter_gradient(__global const float *restrict x, __global const float *restrict dy,
                               __global float *restrict df EPILOGUE_PARAMS) {
#else
#define FINAL(v, index, channel) (v)
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void depthwise_filter_gradient_partial(__global const float *restrict x, __global const float *restrict dy,
                                       __global float *restrict df) {
#endif
  __local float sums[GROUP];
  const int item = get_local_id(0), lane = item / COLUMNS, lanes = GROUP / COLUMNS;
  const int k = (int)get_group_id(0) * COLUMNS + item % COLUMNS;
  const int tap = get_group_id(1) / SPLITS, split = get_group_id(1) % SPLITS;
  const int part = (N * P * Q + SPLITS - 1) / SPLITS, end = min((split + 1) * part, N * P * Q);
  float sum = 0.0f;
  if (k < K)
    for (int pixel = split * part + lane; pixel < end; pixel += lanes) {
      const int h = pixel / Q % P * STRIDE_H - PAD_TOP + tap / S * DILATION_H;
      const int w = pixel % Q * STRIDE_W - PAD_LEFT + tap % S * DILATION_W;
      if (h < 0 || h >= H || w < 0 || w >= W) continue;
      const INDEX source = (((INDEX)(pixel / (P * Q)) * H + h) * W + w) * C + k / MULTIPLIER;
      sum = fma(x[source], dy[(INDEX)pixel * K + k], sum);
    }
  sums[item] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int width = lanes / 2; width > 0; width /= 2) {
    if (lane < width) sums[item] += sums[item + width * COLUMNS];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (lane == 0 && k < K) {
    const int at = (split * R * S + tap) * K + k;
    const float v = sums[item];
    df[at] = FINAL(v, at, k);
  }
}

#if SPLITS > 1
__kernel void depthwise_filter_gradient_finish(__global const float *restrict workspace,
                                               __global float *restrict df EPILOGUE_PARAMS) {
  const int i = get_global_id(0);
  if (i >= R * S * K) return;
  float v = workspace[i];
  for (int split = 1; split < SPLITS; split++) v += workspace[split * R * S * K + i];
  df[i] = EPILOGUE(float, LOAD1, v, i, i % K);
}
#endif
#endif
