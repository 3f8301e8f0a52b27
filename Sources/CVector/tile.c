#include "apus_tile.h"

#include "vector_math.h"

// Philox 4x32-10, first word; see Philox.swift.
APUS_PART float random_uniform(uint32_t seed, uint32_t step, uint32_t stream, uint64_t index) {
  uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32), c2 = step, c3 = 0, k0 = seed, k1 = stream;
  for (int round = 0; round < 10; round++) {
    const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)b;
    c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)a;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (float)(int32_t)(c0 >> 8) * 0x1p-24f;
}

// Both values are at hand: the compiler need not load one of them behind a branch.
APUS_PART float choose(int condition, float then, float otherwise) {
  const int32_t mask = -condition;
  return float_of_bits((bits_of_float(then) & mask) | (bits_of_float(otherwise) & ~mask));
}

// A target may be one of the operands, but never overlaps one in part: iterations are independent.
#define EACH(expression) \
  _Pragma("clang loop vectorize(assume_safety)") for (int i = 0; i < count; i++) y[i] = (expression); \
  break

APUS_WIDE
void apus_run_tile(const apus_instruction *instructions, int instruction_count, float *const *registers, int count,
                   uint64_t first) {
  for (int k = 0; k < instruction_count; k++) {
    const apus_instruction in = instructions[k];
    float *y = registers[in.target];
    const float *a = registers[in.a], *b = registers[in.b], *c = registers[in.c], *d = registers[in.d];
    switch (in.operation) {
      case APUS_COPY: EACH(a[i]);
      case APUS_NEGATE: EACH(-a[i]);
      case APUS_RECIPROCAL: EACH(1.f / a[i]);
      case APUS_ABSOLUTE: EACH(__builtin_fabsf(a[i]));
      case APUS_EXP: EACH(vector_exp(a[i]));
      case APUS_EXPM1: EACH(vector_expm1(a[i]));
      case APUS_LOG: EACH(vector_log(a[i]));
      case APUS_LOG1P: EACH(vector_log1p(a[i]));
      case APUS_SQUARE_ROOT: EACH(__builtin_elementwise_sqrt(a[i]));
      case APUS_TANH: EACH(vector_tanh(a[i]));
      case APUS_SIGMOID: EACH(vector_sigmoid(a[i]));
      case APUS_SOFTPLUS: EACH(vector_softplus(a[i]));
      case APUS_ERF: EACH(vector_erf(a[i]));
      case APUS_ADD: EACH(a[i] + b[i]);
      case APUS_SUBTRACT: EACH(a[i] - b[i]);
      case APUS_MULTIPLY: EACH(a[i] * b[i]);
      case APUS_DIVIDE: EACH(a[i] / b[i]);
      // A NaN in the first operand, the one with the data, is kept.
      case APUS_MAXIMUM: EACH(b[i] > a[i] ? b[i] : a[i]);
      case APUS_MINIMUM: EACH(b[i] < a[i] ? b[i] : a[i]);
      case APUS_POWER:
        for (int i = 0; i < count; i++) y[i] = powf(a[i], b[i]);
        break;
      case APUS_SELECT_GREATER: EACH(choose(a[i] > b[i], c[i], d[i]));
      case APUS_SELECT_EQUAL: EACH(choose(a[i] == b[i], c[i], d[i]));
      case APUS_RANDOM: {
        const uint32_t seed = (uint32_t)bits_of_float(a[0]), step = (uint32_t)bits_of_float(a[1]);
        EACH(random_uniform(seed, step, in.stream, first + (uint64_t)i));
      }
    }
  }
}

APUS_WIDE
void apus_convert_bytes(const uint8_t *source, float *target, int64_t count) {
  for (int64_t i = 0; i < count; i++) target[i] = (float)source[i];
}

APUS_WIDE
void apus_convert_ints(const int32_t *source, float *target, int64_t count) {
  for (int64_t i = 0; i < count; i++) target[i] = (float)source[i];
}
