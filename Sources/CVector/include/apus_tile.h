#ifndef APUS_VECTOR_TILE_H
#define APUS_VECTOR_TILE_H

#include <stdint.h>

/// What an instruction computes; the names are those of the expressions.
typedef enum {
  APUS_COPY,
  APUS_NEGATE,
  APUS_RECIPROCAL,
  APUS_ABSOLUTE,
  APUS_EXP,
  APUS_EXPM1,
  APUS_LOG,
  APUS_LOG1P,
  APUS_SQUARE_ROOT,
  APUS_TANH,
  APUS_SIGMOID,
  APUS_SOFTPLUS,
  APUS_ERF,
  APUS_ADD,
  APUS_SUBTRACT,
  APUS_MULTIPLY,
  APUS_DIVIDE,
  APUS_MAXIMUM,
  APUS_MINIMUM,
  APUS_POWER,
  APUS_SELECT_GREATER,
  APUS_SELECT_EQUAL,
  APUS_RANDOM,
} apus_operation;

/// One step over a tile: registers `a` to `d` in, `target` out; each register is an array of floats.
typedef struct {
  apus_operation operation;
  int32_t target, a, b, c, d;
  /// For `APUS_RANDOM`: the second half of the key; `a` is an int32 [2] with seed and step.
  uint32_t stream;
} apus_instruction;

/// Runs `instructions` one after the other over `count` elements, of which the first is element `first` of the array.
void apus_run_tile(const apus_instruction *instructions, int instruction_count, float *const *registers, int count,
                   uint64_t first);

/// Conversions to float.
void apus_convert_bytes(const uint8_t *source, float *target, int64_t count);
void apus_convert_ints(const int32_t *source, float *target, int64_t count);

#endif
