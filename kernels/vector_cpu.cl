// Vectors of channels for the CPU-class families conv2d_cpu.cl, conv2d_filter_gradient_cpu.cl and gemm_cpu.cl, which
// follow this file. A program is: defines, common.cl, vector_cpu.cl, family.
//
// Define from the host
//   VECTOR   lanes of a vector: 1, 4, 8 or 16; a good one is the largest that the channels of a group fill

#if VECTOR == 16
typedef float16 vec;
#define LOAD LOAD16
#elif VECTOR == 8
typedef float8 vec;
#define LOAD LOAD8
#elif VECTOR == 4
typedef float4 vec;
#define LOAD LOAD4
#elif VECTOR == 1
typedef float vec;
#define LOAD LOAD1
#else
#error "VECTOR must be 1, 4, 8 or 16"
#endif

// Where vector v of a block of `lanes` begins. The last one moves back from the end of the block and overlaps the one
// before; the lanes that both hold are equal.
#define FIRST_LANE(v, lanes) ((v) * VECTOR + VECTOR <= (lanes) ? (v) * VECTOR : (lanes) - VECTOR)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// One unaligned store; some compilers split vstore16 in four.
typedef struct __attribute__((packed)) {
  vec value;
} unaligned_vec;
#define STORE(vector, pointer) (((__global unaligned_vec *)(pointer))->value = (vector))

// Stores the lanes from `skip` on, in pieces of which the last is the longest. A block that would pass the end of its
// dimension moves back instead; the lanes before `skip` are then its neighbour's.
ALWAYS_INLINE void store_lanes(const vec value, const int skip, __global float *pointer) {
  if (skip <= 0) {
    STORE(value, pointer);
    return;
  }
  const float *lanes = (const float *)&value;
  const int count = VECTOR - skip;
  int lane = skip;
  if (count <= 0) return;
  if (count & 1) {
    pointer[lane] = lanes[lane];
    lane += 1;
  }
  if (count & 2) {
    vstore2(vload2(0, lanes + lane), 0, pointer + lane);
    lane += 2;
  }
  if (count & 4) {
    vstore4(vload4(0, lanes + lane), 0, pointer + lane);
    lane += 4;
  }
  if (count & 8) vstore8(vload8(0, lanes + lane), 0, pointer + lane);
}

// Four rounds of a perfect shuffle of 16 x 16 elements transpose them. Unrolled rounds would compile slowly and run no
// faster.
ALWAYS_INLINE void transpose16(float16 rows[16]) {
#pragma unroll 1
  for (int round = 0; round < 4; ++round) {
    float16 shuffled[16];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const float16 x = rows[i], y = rows[i + 8];
      shuffled[2 * i] = (float16)(x.s0, y.s0, x.s1, y.s1, x.s2, y.s2, x.s3, y.s3, x.s4, y.s4, x.s5, y.s5, x.s6, y.s6,
                                  x.s7, y.s7);
      shuffled[2 * i + 1] = (float16)(x.s8, y.s8, x.s9, y.s9, x.sa, y.sa, x.sb, y.sb, x.sc, y.sc, x.sd, y.sd, x.se,
                                      y.se, x.sf, y.sf);
    }
#pragma unroll
    for (int i = 0; i < 16; ++i) rows[i] = shuffled[i];
  }
}
