// Whether sub-groups pass values as group_tree.cl, which comes before, takes them to do.
//
// Entry point
//   probe(right)    right: int [GROUP], 1 for each work-item that found what it expected
//     GROUP [GROUP]

static inline float sum(const float a, const float b) { return a + b; }
GROUP_TREE(tree, sum)

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void probe(__global int *restrict right) {
  __local float shared[GROUP];
  const int item = get_local_id(0), size = SUB_GROUP;
  int found = size > 1 && (size & (size - 1)) == 0;
  for (int offset = 1; offset < min(size, GROUP); offset *= 2)
    if (SHUFFLE_XOR((float)item, offset) != (float)(item ^ offset)) found = 0;
  // As trees use it: the sum of the numbers of all work-items, and of every fourth one.
  if (tree(item, shared, GROUP, 1) != GROUP * (GROUP - 1) / 2) found = 0;
  if (tree(item, shared, GROUP / 4, 4) != (GROUP / 4) * (GROUP / 4 - 1) * 2 + GROUP / 4 * (item % 4)) found = 0;
  right[item] = found;
}
