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
  float sum = parts[i];
  for (INDEX part = 1; part < PARTS; ++part) sum += parts[part * COUNT + i];
  y[i] = sum;
}

#else

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sum_parts(__global const float *restrict parts, __global float *restrict y, const INDEX COUNT,
               const INDEX PARTS) {
  const INDEX begin = (INDEX)get_global_id(0) * 256, end = min(begin + 256, COUNT);
  INDEX i = begin;
  SHORT_LOOP
  for (; i + 64 <= end; i += 64) {
    float16 a = LOAD16(parts, i), b = LOAD16(parts, i + 16), c = LOAD16(parts, i + 32), d = LOAD16(parts, i + 48);
    SHORT_LOOP
    for (INDEX part = 1; part < PARTS; ++part) {
      const __global float *from = parts + part * COUNT + i;
      a += LOAD16(from, 0);
      b += LOAD16(from, 16);
      c += LOAD16(from, 32);
      d += LOAD16(from, 48);
    }
    vstore16(a, 0, y + i);
    vstore16(b, 0, y + i + 16);
    vstore16(c, 0, y + i + 32);
    vstore16(d, 0, y + i + 48);
  }
  SHORT_LOOP
  for (; i < end; ++i) {
    float sum = parts[i];
    SHORT_LOOP
    for (INDEX part = 1; part < PARTS; ++part) sum += parts[part * COUNT + i];
    y[i] = sum;
  }
}

#endif
