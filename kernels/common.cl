// Shared by every kernel family; the generated #defines come before this file, the family's file after it.
//
// INDEX   integer type of linear element indices: int, or long when a tensor of the launch passes 2^31 elements.
// LOADn   loads n consecutive floats from global memory; the LOAD argument of EPILOGUE. No alignment is assumed.

#ifndef INDEX
#define INDEX int
#endif

#define LOAD1(pointer, offset) ((pointer)[offset])
#define LOAD4(pointer, offset) vload4(0, (pointer) + (offset))
#define LOAD8(pointer, offset) vload8(0, (pointer) + (offset))
#define LOAD16(pointer, offset) vload16(0, (pointer) + (offset))

#ifndef EPILOGUE
#define EPILOGUE_PARAMS
#define EPILOGUE(T, LOAD, v, index, channel) (v)
#endif
