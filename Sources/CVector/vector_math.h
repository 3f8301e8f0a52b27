// Elementary functions of floats without branches or tables, so that loops over them become vector code.
//
// Polynomials and reductions: Moshier, Cephes mathematical library, single precision. Measured against double
// precision over the whole range, each is within 3 units in the last place (sigmoid below -88.7 is 0).
#ifndef APUS_VECTOR_MATH_H
#define APUS_VECTOR_MATH_H

#include "vector.h"

#include <math.h>
#include <stdint.h>

APUS_PART float float_of_bits(int32_t bits) {
  union { int32_t i; float f; } u = {.i = bits};
  return u.f;
}

APUS_PART int32_t bits_of_float(float x) {
  union { float f; int32_t i; } u = {.f = x};
  return u.i;
}

APUS_PART float power_of_two(int32_t n) { return float_of_bits((int32_t)((uint32_t)(n + 127) << 23)); }

/// exp(r) - 1, with x = n * log(2) + r, |r| <= log(2) / 2
APUS_PART float reduced_expm1(float x, int32_t *n) {
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const float shifted = x * 1.44269504088896341f + 12582912.f;
  *n = bits_of_float(shifted) - 0x4B400000;
  const float whole = shifted - 12582912.f;
  const float r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * r * r + r;
}

/// x * 2^n, in two factors, for neither 2^128 nor 2^-149 is a normal number.
APUS_PART float times_power_of_two(float x, int32_t n) {
  const int32_t half = n >> 1;
  return x * power_of_two(half) * power_of_two(n - half);
}

/// exp(x) = 2^n * exp(r)
APUS_PART float vector_exp(float x) {
  x = x > 89.f ? 89.f : x;
  x = x < -104.f ? -104.f : x;
  int32_t n;
  const float p = reduced_expm1(x, &n);
  return times_power_of_two(p + 1.f, n);
}

/// exp(x) - 1 = 2^n * ((exp(r) - 1) + (1 - 2^-n)); near 0, where n = 0, nothing is rounded away.
APUS_PART float vector_expm1(float x) {
  x = x > 89.f ? 89.f : x;
  x = x < -20.f ? -20.f : x;
  int32_t n;
  const float p = reduced_expm1(x, &n);
  return times_power_of_two(p + (1.f - power_of_two(n < 30 ? -n : -30)), n);
}

/// log(x) = e * log(2) + log(m), sqrt(1/2) <= m < sqrt(2)
APUS_PART float vector_log(float x) {
  const int is_tiny = x < 1.17549435e-38f;
  const float scaled = is_tiny ? x * 8388608.f : x;
  const int32_t bits = bits_of_float(scaled);
  int32_t e = ((bits >> 23) & 0xFF) - 126 - (is_tiny ? 23 : 0);
  float m = float_of_bits((bits & 0x007FFFFF) | 0x3F000000);
  const int is_low = m < 0.707106781186547524f;
  e -= is_low ? 1 : 0;
  m = (is_low ? m + m : m) - 1.f;
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float fe = (float)e;
  float y = m * z * p + fe * -2.12194440e-4f - 0.5f * z;
  y = m + y + fe * 0.693359375f;
  y = x == INFINITY ? INFINITY : y;
  y = x == 0.f ? -INFINITY : y;
  return x >= 0.f ? y : NAN;
}

APUS_PART float vector_sigmoid(float x) { return 1.f / (1.f + vector_exp(-x)); }

APUS_PART float vector_tanh(float x) {
  const float a = __builtin_fabsf(x);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float small = x + x * z * p;
  const float large = __builtin_copysignf(1.f - 2.f / (vector_exp(a + a) + 1.f), x);
  return a < 0.625f ? small : a == a ? large : x;
}

/// log(1 + x) = log(v) * x / (v - 1), v = 1 + x rounded: the quotient undoes the rounding (Kahan).
APUS_PART float vector_log1p(float x) {
  const float v = 1.f + x;
  const float y = vector_log(v) * (x / (v - 1.f));
  return v == 1.f || x == INFINITY ? x : y;
}

/// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))
APUS_PART float vector_softplus(float x) {
  return (0.f > x ? 0.f : x) + vector_log1p(vector_exp(-__builtin_fabsf(x)));
}

APUS_PART float vector_erf(float x) {
  const float a = __builtin_fabsf(x);
  const float z = x * x;
  float p = 7.853861353153693e-5f;
  p = p * z - 8.010193625184903e-4f;
  p = p * z + 5.188327685732524e-3f;
  p = p * z - 2.685381193529856e-2f;
  p = p * z + 1.128358514861418e-1f;
  p = p * z - 3.761262582423300e-1f;
  p = p * z + 1.128379167095513f;
  const float q = 1.f / (a < 1.f ? 1.f : a);
  const float w = q * q;
  float c = 2.326819970068386e-2f;
  c = c * w - 1.387039388740657e-1f;
  c = c * w + 3.687424674597105e-1f;
  c = c * w - 5.824733027278666e-1f;
  c = c * w + 6.210004621745983e-1f;
  c = c * w - 4.944515323274145e-1f;
  c = c * w + 3.404879937665872e-1f;
  c = c * w - 2.741127028184656e-1f;
  c = c * w + 5.638259427386472e-1f;
  const float large = __builtin_copysignf(1.f - vector_exp(-z) * q * c, x);
  return a < 1.f ? x * p : a == a ? large : x;
}

#endif
