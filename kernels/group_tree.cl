// Sums and maxima over the work-items of a group, as trees; GPU-class kernels build on it.
//
// Defines
//   SUB_GROUPS   how work-items of a sub-group pass values to each other without memory; 0 where they cannot. The host
//                found out with probe_sub_groups.cl
//     1: cl_khr_subgroup_shuffle, 2: NVIDIA's instruction
// Gives
//   SUB_GROUP              work-items of a sub-group, neighbours in a group; a power of two
//   SHUFFLE_XOR(v, offset) the v of the work-item whose number differs in the bit `offset`, which is below SUB_GROUP
//   GROUP_TREE(name, combine)   defines float name(v, shared, width, distance): v combined over the `width` work-items
//     that are `distance` apart, both powers of two; all of them get the same result. shared: a float for each
//     work-item of the group. All of the group must come by. The order is the same with and without sub-groups.

#if SUB_GROUPS == 1
#define SUB_GROUP ((int)get_max_sub_group_size())
#define SHUFFLE_XOR(v, offset) sub_group_shuffle_xor(v, (uint)(offset))
#elif SUB_GROUPS == 2
#define SUB_GROUP 32
#define SHUFFLE_XOR(v, offset) shuffle_xor(v, offset)
static inline float shuffle_xor(const float v, const int offset) {
  float result;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=f"(result) : "f"(v), "r"(offset));
  return result;
}
#else
#define SUB_GROUP 1
#define SHUFFLE_XOR(v, offset) (v)
#endif

// Halves in local memory what is wider than a sub-group; each sub-group then ends for itself.
#define GROUP_TREE(name, combine)                                                                      \
  INLINED float name(float v, __local float *shared, const int width, const int distance) {            \
    const int item = get_local_id(0), position = item % (width * distance);                            \
    const int least = max(distance, SUB_GROUP);                                                        \
    int span = width * distance;                                                                       \
    if (span > least) {                                                                                \
      shared[item] = v;                                                                                \
      barrier(CLK_LOCAL_MEM_FENCE);                                                                    \
      for (; span > least; span /= 2) {                                                                \
        if (position < span / 2) shared[item] = combine(shared[item], shared[item + span / 2]);        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                  \
      }                                                                                                \
      v = shared[item - position + position % span];                                                   \
      barrier(CLK_LOCAL_MEM_FENCE);                                                                    \
    }                                                                                                  \
    for (; span > distance; span /= 2) {                                                               \
      const float other = SHUFFLE_XOR(v, span / 2);                                                    \
      v = combine(v, other);                                                                           \
    }                                                                                                  \
    return v;                                                                                          \
  }
