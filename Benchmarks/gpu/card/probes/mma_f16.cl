// operations a warp and repeat: 32768
// Matrix units on float16 numbers, sums in float32.
#define MMA(d, a, b) \
  __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 " \
                   "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
                   : "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3]) \
                   : "r"((a).x), "r"((a).y), "r"((a).z), "r"((a).w), "r"((b).x), "r"((b).y))

uint packed(float x) {
  ushort bits;
  __asm__("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits | (uint)bits << 16;
}

// Each row of the first matrix holds the row's number, the second matrix ones: the product holds row times 16.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  const uint lane = get_local_id(0);
  const float row = (float)(lane / 4);
  const uint4 a = (uint4)(packed(row), packed(row + 8), packed(row), packed(row + 8));
  const uint2 b = (uint2)(packed(1.0f));
  float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  MMA(d, a, b);
  out[lane] = d[0] == 16 * row && d[1] == 16 * row && d[2] == 16 * (row + 8) && d[3] == 16 * (row + 8);
}

// On registers only, eight products that do not wait for each other.
__kernel void rate(__global float *out, int repeats) {
  const uint4 a = (uint4)(packed((float)(get_local_id(0) % 3)));
  const uint2 b = (uint2)(packed(0.5f));
  float d[8][4];
  #pragma unroll
  for (int i = 0; i < 32; i++) d[i / 4][i % 4] = (float)i;
  for (int n = 0; n < repeats; n++) {
    #pragma unroll
    for (int i = 0; i < 8; i++) MMA(d[i], a, b);
  }
  float sum = 0;
  #pragma unroll
  for (int i = 0; i < 32; i++) sum += d[i / 4][i % 4];
  out[get_global_id(0)] = sum;
}
