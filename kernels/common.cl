// Shared by every kernel family; the generated #defines come before this file, the family's file after it.
//
// INDEX   integer type of linear element indices: int, or long when a tensor of the launch passes 2^31 elements.
// SHORT_LOOP   before a loop of few rounds: vectorized or unrolled it would take the compiler's time for nothing.
// INLINED      of functions that take local memory: pocl gives each of its threads a copy of a kernel's, but not of what
//              its optimiser moved into a function, and work-groups would write into each other's.
// SUM_BLOCK    terms that a sum adds one after the other; ADD_BLOCK adds such blocks up.
// LOADn   loads n consecutive floats from global memory; the LOAD argument of EPILOGUE. No alignment is assumed.

#ifndef INDEX
#define INDEX int
#endif

#ifdef __clang__
#define SHORT_LOOP _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define SHORT_LOOP
#endif

#define INLINED static inline __attribute__((always_inline))

#define SUM_BLOCK 32

// total += part, and rest takes in what that loses (Knuth, "The art of computer programming", vol. 2, 4.2.2): however
// many blocks there are, the sum is as exact as one of them.
#define ADD_BLOCK(T, total, rest, part)                \
  do {                                                 \
    const T sum = total + part, added = sum - total;   \
    rest += (total - (sum - added)) + (part - added);  \
    total = sum;                                       \
  } while (0)
// The sum of all blocks: an infinite one has lost nothing.
#define BLOCK_SUM(total, rest) select(total + rest, total, rest != rest)

#define LOAD1(pointer, offset) ((pointer)[offset])
#define LOAD4(pointer, offset) vload4(0, (pointer) + (offset))
#define LOAD8(pointer, offset) vload8(0, (pointer) + (offset))
#define LOAD16(pointer, offset) vload16(0, (pointer) + (offset))

#ifndef EPILOGUE
#define EPILOGUE_PARAMS
#define EPILOGUE_CHANNELS(F)
#define EPILOGUE(T, LOAD, v, index, channel) (v)
#endif
