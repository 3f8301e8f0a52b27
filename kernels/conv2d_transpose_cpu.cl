// The filter of a convolution as its direct input gradient (conv2d_cpu.cl) reads it: taps in reverse, channels
// transposed. CPU-class; follows vector_cpu.cl.
//
// Entry point
//   conv2d_transpose_filter(f, transposed f, TAPS, GROUPS, GROUP_C, GROUP_K)   TAPS: R*S
//     f: [TAPS, GROUP_C, GROUPS * GROUP_K], transposed f: [TAPS reversed, GROUP_K, GROUPS * GROUP_C]
//     global size: { TAPS, GROUPS, ceil(GROUP_K / 16) }, local size { 1, 1, 1 }

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_transpose_filter(const __global float *restrict filter, __global float *restrict result, const INDEX TAPS,
                             const INDEX GROUPS, const INDEX GROUP_C, const INDEX GROUP_K) {
  const int tap = get_global_id(0), group = get_global_id(1), first_k = (int)get_global_id(2) * 16;
  const int last_k = min(first_k + 16, (int)GROUP_K), c_count = GROUPS * GROUP_C, k_count = GROUPS * GROUP_K;
  const __global float *from = filter + tap * GROUP_C * k_count + group * GROUP_K;
  __global float *to = result + (TAPS - 1 - tap) * GROUP_K * c_count + group * GROUP_C;
  int c = 0;
  if (last_k - first_k == 16) {
    for (; c + 16 <= GROUP_C; c += 16) {
      float16 rows[16];
#pragma unroll 1
      for (int i = 0; i < 16; ++i) rows[i] = LOAD16(from, (c + i) * k_count + first_k);
      transpose16(rows);
#pragma unroll 1
      for (int i = 0; i < 16; ++i) vstore16(rows[i], 0, to + (first_k + i) * c_count + c);
    }
  }
  SHORT_LOOP
  for (; c < GROUP_C; ++c) {
    SHORT_LOOP
    for (int k = first_k; k < last_k; ++k) to[k * c_count + c] = from[c * k_count + k];
  }
}
