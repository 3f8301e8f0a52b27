#include "apus_gemm.h"

#include "vector.h"

// The product is cut so that a block of `a` stays in the second cache, a panel of `b` in the first, and a tile of `c`
// in registers (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", TOMS 2008).
enum { TILE_ROWS = 8, TILE_COLUMNS = 16, BLOCK_ROWS = 128, BLOCK_COLUMNS = 512, BLOCK_DEPTH = 256 };

typedef float panel_row __attribute__((vector_size(TILE_COLUMNS * sizeof(float)), aligned(4)));

int64_t apus_gemm_scratch(void) { return BLOCK_DEPTH * (BLOCK_ROWS + BLOCK_COLUMNS); }

// Rows of a block in panels of `width`, the panel's elements of one depth side by side, the last panel filled up with
// zeros. `along` is the stride within a panel, `deep` the stride of the depth.
APUS_PART void pack(const float *source, int64_t along, int64_t deep, int64_t count, int64_t depth, int64_t width,
                    float *restrict packed) {
  for (int64_t first = 0; first < count; first += width) {
    const int64_t live = count - first < width ? count - first : width;
    for (int64_t d = 0; d < depth; d++) {
      const float *line = source + first * along + d * deep;
      for (int64_t i = 0; i < live; i++) packed[i] = line[i * along];
      for (int64_t i = live; i < width; i++) packed[i] = 0.f;
      packed += width;
    }
  }
}

// c[8, 16] += sum over the depth of a panel's column times b panel's row.
APUS_PART void multiply_tile(const float *restrict a, const float *restrict b, int64_t depth, float *restrict c,
                             int64_t c_row, int64_t rows, int64_t columns, int adds) {
  panel_row sums[TILE_ROWS] = {0};
  for (int64_t d = 0; d < depth; d++) {
    const panel_row line = *(const panel_row *)(b + d * TILE_COLUMNS);
    for (int i = 0; i < TILE_ROWS; i++) sums[i] += a[d * TILE_ROWS + i] * line;
  }
  for (int64_t i = 0; i < rows; i++) {
    float *target = c + i * c_row;
    if (columns == TILE_COLUMNS) {
      panel_row *whole = (panel_row *)target;
      *whole = adds ? *whole + sums[i] : sums[i];
    } else {
      for (int64_t j = 0; j < columns; j++) target[j] = adds ? target[j] + sums[i][j] : sums[i][j];
    }
  }
}

APUS_PART int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

APUS_WIDE
void apus_gemm(int64_t m, int64_t n, int64_t k, apus_matrix a, apus_matrix b, apus_matrix c, int adds, float *scratch) {
  float *packed_a = scratch, *packed_b = scratch + BLOCK_DEPTH * BLOCK_ROWS;
  if (k == 0 && !adds)
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) c.data[i * c.row + j] = 0.f;
  for (int64_t n0 = 0; n0 < n; n0 += BLOCK_COLUMNS)
    for (int64_t k0 = 0; k0 < k; k0 += BLOCK_DEPTH) {
      const int64_t width = smaller(BLOCK_COLUMNS, n - n0), depth = smaller(BLOCK_DEPTH, k - k0);
      const int joins = adds || k0 > 0;
      pack(b.data + k0 * b.row + n0 * b.column, b.column, b.row, width, depth, TILE_COLUMNS, packed_b);
      for (int64_t m0 = 0; m0 < m; m0 += BLOCK_ROWS) {
        const int64_t height = smaller(BLOCK_ROWS, m - m0);
        pack(a.data + m0 * a.row + k0 * a.column, a.row, a.column, height, depth, TILE_ROWS, packed_a);
        for (int64_t j = 0; j < width; j += TILE_COLUMNS)
          for (int64_t i = 0; i < height; i += TILE_ROWS)
            multiply_tile(packed_a + i * depth, packed_b + j * depth, depth, c.data + (m0 + i) * c.row + n0 + j, c.row,
                          smaller(TILE_ROWS, height - i), smaller(TILE_COLUMNS, width - j), joins);
      }
    }
}
