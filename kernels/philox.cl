// Philox 4x32 with 10 rounds: a uniform number in [0, 1) for each counter, the same on every device.
//
//   philox_uniform<n>(seed, step, stream, index)   n = 1, 4 or 16: the numbers of elements index ..< index + n
//
// Counter (index low, index high, step, 0), key (seed, stream); the first word's upper 24 bits make the number.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#define PHILOX(n, uints, floats, lanes) \
  static inline floats philox_uniform##n(uint seed, uint step, uint stream, ulong index) { \
    uints c0 = (uints)((uint)index) + (uints)lanes; \
    uints c1 = select((uints)((uint)(index >> 32)), (uints)((uint)(index >> 32) + 1), c0 < (uint)index); \
    uints c2 = (uints)(step), c3 = (uints)(0); \
    uint k0 = seed, k1 = stream; \
    for (int round = 0; round < 10; ++round) { \
      const uints high0 = mul_hi((uints)(0xD2511F53u), c0), low0 = c0 * 0xD2511F53u; \
      const uints high2 = mul_hi((uints)(0xCD9E8D57u), c2), low2 = c2 * 0xCD9E8D57u; \
      c0 = high2 ^ c1 ^ k0; \
      c1 = low2; \
      c2 = high0 ^ c3 ^ k1; \
      c3 = low0; \
      k0 += 0x9E3779B9u; \
      k1 += 0xBB67AE85u; \
    } \
    return convert_##floats(c0 >> 8) * 0x1p-24f; \
  }

PHILOX(1, uint, float, (0))
PHILOX(4, uint4, float4, (0, 1, 2, 3))
PHILOX(16, uint16, float16, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
