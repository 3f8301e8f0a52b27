// Whether cp.async copies 16 bytes a lane from global to local memory; `out` holds what it copies first.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  __local uint copy[128] __attribute__((aligned(16)));
  const uint lane = get_local_id(0);
  for (uint i = 0; i < 4; i++) out[32 + 4 * lane + i] = 7 * (4 * lane + i);
  barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
  const uint to = (uint)(size_t)&copy[4 * lane];
  const ulong from = (ulong)(size_t)&out[32 + 4 * lane];
  __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;" : : "r"(to), "l"(from) : "memory");
  __asm__ volatile("cp.async.commit_group;" : : : "memory");
  __asm__ volatile("cp.async.wait_group 0;" : : : "memory");
  barrier(CLK_LOCAL_MEM_FENCE);
  uint right = 1;
  for (uint i = 0; i < 4; i++) right &= copy[127 - (4 * lane + i)] == 7 * (127 - (4 * lane + i));
  out[lane] = right;
}
