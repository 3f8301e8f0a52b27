// Vectors of channels for the CPU-class families (conv2d_cpu.cl, conv2d_filter_gradient_cpu.cl, gemm_cpu.cl), which
// follow this file.
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

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// One unaligned store; some compilers split vstore16 in four.
typedef struct __attribute__((packed)) {
  vec value;
} unaligned_vec;
#define STORE(vector, pointer) (((__global unaligned_vec *)(pointer))->value = (vector))

// Stores the lanes from `skip` on. A block that would pass the end of its dimension moves back instead; the lanes before
// `skip` are then its neighbour's.
ALWAYS_INLINE void store_lanes(const vec value, const int skip, __global float *restrict pointer) {
  if (skip <= 0) {
    STORE(value, pointer);
  } else {
    const float *lanes = (const float *)&value;
    for (int lane = skip; lane < VECTOR; ++lane) pointer[lane] = lanes[lane];
  }
}
