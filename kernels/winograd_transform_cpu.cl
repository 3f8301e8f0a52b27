// The transforms of Winograd's convolution F(4x4, 3x3) for CPU-class devices. Follows vector_cpu.cl; winograd_cpu.cl and
// winograd_filter_gradient_cpu.cl follow it.
//
// For a 4x4 tile y of the result of a 3x3 filter g over a 6x6 tile d of the source,
//   y = A' [(G g G') * (B' d B)] A     with * element by element, ' the transpose:
// 36 multiplications for 144. The matrices interpolate at 0, +-1/sqrt(2), +-sqrt(2) and infinity (Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2016, use 0, +-1, +-2); with these points the error is about half:
// in float32 5 to 8 times that of the direct sum. Infinity or NaN in a source element reaches the result's whole tile,
// as NaN.
//
// Vectors of 16 lanes run over channels. Each function transforms along one dimension; a tile takes two passes.

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
