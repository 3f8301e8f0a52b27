// Whether the compiler computes in half though it may not advertise cl_khr_fp16.
__attribute__((reqd_work_group_size(32, 1, 1)))
__kernel void probe(__global uint *out) {
  const uint lane = get_local_id(0);
  half x = (half)(float)lane;
  x = x * x + (half)1.0f;
  out[lane] = (float)x == (float)(lane * lane + 1);
}
