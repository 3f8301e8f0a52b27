// Sums of parts, in order: makes the result of what a kernel that cuts its sums into parts leaves in the workspace.
//
// Defines
//   GPU_CLASS   0 or 1
// Entry point
//   sum_parts(parts, y, COUNT, PARTS)    parts: [PARTS, COUNT], y: [COUNT]
//     GPU_CLASS 0: ceil(COUNT / 256) [1];  GPU_CLASS 1: COUNT, rounded up to the local size [any]

#if GPU_CLASS

__kernel void sum_parts(__global const float *restrict parts, __global float *restrict y, const INDEX COUNT,
                        const INDEX PARTS) {
  const INDEX i = get_global_id(0);
  if (i >= COUNT) return;
  float total = 0.0f, rest = 0.0f;
  for (INDEX first = 0; first < PARTS; first += SUM_BLOCK) {
    const INDEX end = min(first + SUM_BLOCK, PARTS);
    float block = 0.0f;
    for (INDEX part = first; part < end; ++part) block += parts[part * COUNT + i];
    ADD_BLOCK(float, total, rest, block);
  }
  y[i] = BLOCK_SUM(total, rest);
}

#else

#define UNROLL __attribute__((opencl_unroll_hint))

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sum_parts(__global const float *restrict parts, __global float *restrict y, const INDEX COUNT,
               const INDEX PARTS) {
  const INDEX begin = (INDEX)get_global_id(0) * 256, end = min(begin + 256, COUNT);
  INDEX i = begin;
  SHORT_LOOP
  for (; i + 64 <= end; i += 64) {
    float16 total[4], rest[4];
    UNROLL for (int v = 0; v < 4; ++v) total[v] = rest[v] = (float16)(0.0f);
    SHORT_LOOP
    for (INDEX first = 0; first < PARTS; first += SUM_BLOCK) {
      const INDEX last = min(first + SUM_BLOCK, PARTS);
      float16 block[4];
      UNROLL for (int v = 0; v < 4; ++v) block[v] = (float16)(0.0f);
      SHORT_LOOP
      for (INDEX part = first; part < last; ++part)
        UNROLL for (int v = 0; v < 4; ++v) block[v] += LOAD16(parts, part * COUNT + i + v * 16);
      UNROLL for (int v = 0; v < 4; ++v) ADD_BLOCK(float16, total[v], rest[v], block[v]);
    }
    UNROLL for (int v = 0; v < 4; ++v) vstore16(BLOCK_SUM(total[v], rest[v]), 0, y + i + v * 16);
  }
  SHORT_LOOP
  for (; i < end; ++i) {
    float total = 0.0f, rest = 0.0f;
    SHORT_LOOP
    for (INDEX first = 0; first < PARTS; first += SUM_BLOCK) {
      const INDEX last = min(first + SUM_BLOCK, PARTS);
      float block = 0.0f;
      SHORT_LOOP
      for (INDEX part = first; part < last; ++part) block += parts[part * COUNT + i];
      ADD_BLOCK(float, total, rest, block);
    }
    y[i] = BLOCK_SUM(total, rest);
  }
}

#endif
