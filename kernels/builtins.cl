// The built-in functions that kernels use: the first file of programs for pocl, and for pocl alone.
//
// With every program pocl reads the declarations of all built-in functions, 18 thousand lines that take most of the
// time of its front end. The option -D_OPENCL_H_, the guard of that file, leaves them out.

#define BUILTIN __attribute__((overloadable))
#define BUILTIN_CONST __attribute__((overloadable, const))

size_t BUILTIN_CONST get_global_id(uint dimension);
size_t BUILTIN_CONST get_group_id(uint dimension);
size_t BUILTIN_CONST get_local_id(uint dimension);
void BUILTIN __attribute__((convergent)) barrier(cl_mem_fence_flags flags);
int BUILTIN atomic_inc(volatile __local int *pointer);

#define DECLARE_INTEGERS(T)       \
  T BUILTIN_CONST min(T x, T y);  \
  T BUILTIN_CONST max(T x, T y);
DECLARE_INTEGERS(int)
DECLARE_INTEGERS(long)

// FLOATS, INTS and UINTS have the same number of lanes, and so have the masks that comparisons give.
#define DECLARE_LANES(FLOATS, INTS, UINTS, UCHARS)          \
  FLOATS BUILTIN_CONST fma(FLOATS a, FLOATS b, FLOATS c);   \
  FLOATS BUILTIN_CONST fmax(FLOATS x, FLOATS y);            \
  FLOATS BUILTIN_CONST fmin(FLOATS x, FLOATS y);            \
  FLOATS BUILTIN_CONST fabs(FLOATS x);                      \
  FLOATS BUILTIN_CONST sqrt(FLOATS x);                      \
  FLOATS BUILTIN_CONST exp(FLOATS x);                       \
  FLOATS BUILTIN_CONST expm1(FLOATS x);                     \
  FLOATS BUILTIN_CONST log(FLOATS x);                       \
  FLOATS BUILTIN_CONST log1p(FLOATS x);                     \
  FLOATS BUILTIN_CONST copysign(FLOATS x, FLOATS y);        \
  FLOATS BUILTIN_CONST erf(FLOATS x);                       \
  FLOATS BUILTIN_CONST pow(FLOATS x, FLOATS y);             \
  FLOATS BUILTIN_CONST select(FLOATS x, FLOATS y, INTS c);  \
  INTS BUILTIN_CONST select(INTS x, INTS y, INTS c);        \
  UINTS BUILTIN_CONST select(UINTS x, UINTS y, INTS c);     \
  UINTS BUILTIN_CONST mul_hi(UINTS x, UINTS y);             \
  DECLARE_CONVERSIONS(FLOATS, INTS, UINTS, UCHARS)          \
  DECLARE_CONVERSIONS(INTS, FLOATS, UINTS, UCHARS)          \
  DECLARE_CONVERSIONS(UCHARS, FLOATS, INTS, UINTS)
#define DECLARE_CONVERSIONS(T, A, B, C)      \
  T BUILTIN_CONST convert_##T(T x);          \
  T BUILTIN_CONST convert_##T(A x);          \
  T BUILTIN_CONST convert_##T(B x);          \
  T BUILTIN_CONST convert_##T(C x);
DECLARE_LANES(float, int, uint, uchar)
DECLARE_LANES(float4, int4, uint4, uchar4)
DECLARE_LANES(float8, int8, uint8, uchar8)
DECLARE_LANES(float16, int16, uint16, uchar16)

// Defined, not declared: the library's loads and stores of vectors are long code that compilers have to shorten again.
#define DEFINED static __attribute__((overloadable, always_inline))
#define DEFINE_MEMORY(T, N)                    \
  typedef struct __attribute__((packed)) {     \
    T##N lanes;                                \
  } unaligned_##T##N;                          \
  DEFINE_ACCESS(T, N, __global)                \
  DEFINE_ACCESS(T, N, __local)                 \
  DEFINE_ACCESS(T, N, __private)
#define DEFINE_ACCESS(T, N, SPACE)                                            \
  DEFINED T##N vload##N(size_t offset, const SPACE T *pointer) {              \
    return ((const SPACE unaligned_##T##N *)(pointer + offset * N))->lanes;   \
  }                                                                           \
  DEFINED void vstore##N(T##N value, size_t offset, SPACE T *pointer) {       \
    ((SPACE unaligned_##T##N *)(pointer + offset * N))->lanes = value;        \
  }
#define DEFINE_VECTORS(T) \
  DEFINE_MEMORY(T, 2)     \
  DEFINE_MEMORY(T, 4)     \
  DEFINE_MEMORY(T, 8)     \
  DEFINE_MEMORY(T, 16)
DEFINE_VECTORS(float)
DEFINE_VECTORS(int)
DEFINE_VECTORS(uchar)
