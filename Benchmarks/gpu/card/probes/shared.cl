// Whether assembly with a 32-bit address reads what OpenCL wrote to local memory.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  __local uint values[32];
  const uint lane = get_local_id(0);
  values[lane] = 100 + lane;
  barrier(CLK_LOCAL_MEM_FENCE);
  uint read;
  const uint address = (uint)(size_t)&values[31 - lane];
  __asm__ volatile("ld.shared.u32 %0, [%1];" : "=r"(read) : "r"(address) : "memory");
  out[lane] = read == 100 + 31 - lane;
}
