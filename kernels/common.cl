// Shared by every kernel family; the generated #defines come before this file, the family's file after it.
//
// INDEX   integer type of linear element indices: int, or long when a tensor of the launch passes 2^31 elements.
// SHORT_LOOP   before a loop of few rounds: vectorized or unrolled it would take the compiler's time for nothing.
// LOADn   loads n consecutive floats from global memory; the LOAD argument of EPILOGUE. No alignment is assumed.

#ifndef INDEX
#define INDEX int
#endif

#ifdef __clang__
#define SHORT_LOOP _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define SHORT_LOOP
#endif

#define LOAD1(pointer, offset) ((pointer)[offset])
#define LOAD4(pointer, offset) vload4(0, (pointer) + (offset))
#define LOAD8(pointer, offset) vload8(0, (pointer) + (offset))
#define LOAD16(pointer, offset) vload16(0, (pointer) + (offset))

#ifndef EPILOGUE
#define EPILOGUE_PARAMS
#define EPILOGUE_CHANNELS(F)
#define EPILOGUE(T, LOAD, v, index, channel) (v)
#endif
