// Whether ldmatrix hands a matrix of 8x8 16-bit numbers in local memory to the lanes as its manual says.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  __local ushort matrix[64] __attribute__((aligned(16)));
  const uint lane = get_local_id(0);
  matrix[lane] = (ushort)lane;
  matrix[lane + 32] = (ushort)(lane + 32);
  barrier(CLK_LOCAL_MEM_FENCE);
  uint pair;
  const uint address = (uint)(size_t)&matrix[8 * (lane % 8)];
  __asm__ volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(pair) : "r"(address) : "memory");
  const uint first = 8 * (lane / 4) + 2 * (lane % 4);
  out[lane] = pair == (first | (first + 1) << 16);
}
