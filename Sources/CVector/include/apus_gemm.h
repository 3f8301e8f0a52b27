#ifndef APUS_VECTOR_GEMM_H
#define APUS_VECTOR_GEMM_H

#include <stdint.h>

/// A matrix in memory: element (i, j) is `data[i * row + j * column]`.
typedef struct {
  float *data;
  int64_t row, column;
} apus_matrix;

/// Floats of scratch memory that `apus_gemm` needs.
int64_t apus_gemm_scratch(void);

/// `c[m, n] = (adds ? c[m, n] : 0) + sum over k of a[m, k] * b[k, n]` on the calling thread; `c.column` is 1.
void apus_gemm(int64_t m, int64_t n, int64_t k, apus_matrix a, apus_matrix b, apus_matrix c, int adds, float *scratch);

#endif
