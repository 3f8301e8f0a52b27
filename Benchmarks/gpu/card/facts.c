// What the driver says of the device.
#include "card.h"

// NVIDIA's attributes, from cl_ext.h, which not every machine has.
#define COMPUTE_CAPABILITY_MAJOR 0x4000
#define COMPUTE_CAPABILITY_MINOR 0x4001

static void print_text(const char *name, const char *text) {
  printf("\"%s\": \"", name);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar((unsigned char)*text < ' ' ? ' ' : *text);
  }
  printf("\"");
}

static void print_string(const card *c, const char *name, cl_device_info what) {
  static char text[1 << 16];
  CHECK(clGetDeviceInfo(c->device, what, sizeof text, text, NULL));
  print_text(name, text);
  printf(", ");
}

/// A number of whatever size the driver gives; `null` for what it does not know.
static void print_number(const card *c, const char *name, cl_device_info what) {
  cl_ulong value = 0;  // little-endian, as every device here
  if (clGetDeviceInfo(c->device, what, sizeof value, &value, NULL) == CL_SUCCESS)
    printf("\"%s\": %llu, ", name, (unsigned long long)value);
  else
    printf("\"%s\": null, ", name);
}

void print_facts(const card *c) {
  char platform[256];
  CHECK(clGetPlatformInfo(c->platform, CL_PLATFORM_NAME, sizeof platform, platform, NULL));
  printf("{");
  print_string(c, "name", CL_DEVICE_NAME);
  print_string(c, "vendor", CL_DEVICE_VENDOR);
  print_string(c, "driver", CL_DRIVER_VERSION);
  print_string(c, "version", CL_DEVICE_VERSION);
  print_string(c, "language", CL_DEVICE_OPENCL_C_VERSION);
  print_string(c, "extensions", CL_DEVICE_EXTENSIONS);
  print_number(c, "compute_units", CL_DEVICE_MAX_COMPUTE_UNITS);
  print_number(c, "clock_mhz", CL_DEVICE_MAX_CLOCK_FREQUENCY);
  print_number(c, "global_bytes", CL_DEVICE_GLOBAL_MEM_SIZE);
  print_number(c, "maximum_allocation_bytes", CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  print_number(c, "cache_bytes", CL_DEVICE_GLOBAL_MEM_CACHE_SIZE);
  print_number(c, "local_bytes", CL_DEVICE_LOCAL_MEM_SIZE);
  print_number(c, "local_type", CL_DEVICE_LOCAL_MEM_TYPE);
  print_number(c, "constant_bytes", CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE);
  print_number(c, "work_group_items", CL_DEVICE_MAX_WORK_GROUP_SIZE);
  print_number(c, "address_alignment_bits", CL_DEVICE_MEM_BASE_ADDR_ALIGN);
  print_number(c, "single_fp_config", CL_DEVICE_SINGLE_FP_CONFIG);
  print_number(c, "native_float_vector", CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
  print_number(c, "timer_ns", CL_DEVICE_PROFILING_TIMER_RESOLUTION);
  print_number(c, "compute_capability_major", COMPUTE_CAPABILITY_MAJOR);
  print_number(c, "compute_capability_minor", COMPUTE_CAPABILITY_MINOR);
  print_text("platform", platform);
  printf("}\n");
}
