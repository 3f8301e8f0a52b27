// Whether a work-group can have more than the 48 KiB of local memory that the driver tells of.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  __local uint big[20480];
  const uint lane = get_local_id(0);
  for (uint i = lane; i < 20480; i += 32) big[i] = i;
  barrier(CLK_LOCAL_MEM_FENCE);
  uint right = 1;
  for (uint i = lane; i < 20480; i += 32) right &= big[20479 - i] == 20479 - i;
  out[lane] = right;
}
