// OpenCL 1.2 through a table of functions that is filled at run time, so that a program starts without a driver.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
// Khronos's own, in this package.
#include "CL/cl.h"

// Every function that is called, once, with its parameters. A STATUS function returns its status; a MAKER returns an
// object, and writes its status to the last parameter.
#define APUS_OPENCL_FUNCTIONS(STATUS, MAKER) \
  STATUS(clGetPlatformIDs, (cl_uint entries, cl_platform_id *platforms, cl_uint *count), (entries, platforms, count)) \
  STATUS(clGetPlatformInfo, (cl_platform_id platform, cl_platform_info what, size_t size, void *value, \
    size_t *needed), (platform, what, size, value, needed)) \
  STATUS(clGetDeviceIDs, (cl_platform_id platform, cl_device_type type, cl_uint entries, cl_device_id *devices, \
    cl_uint *count), (platform, type, entries, devices, count)) \
  STATUS(clGetDeviceInfo, (cl_device_id device, cl_device_info what, size_t size, void *value, size_t *needed), \
    (device, what, size, value, needed)) \
  MAKER(cl_context, clCreateContext, (const cl_context_properties *properties, cl_uint count, \
    const cl_device_id *devices, void (CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, \
    cl_int *status), (properties, count, devices, notify, data, status)) \
  STATUS(clReleaseContext, (cl_context context), (context)) \
  MAKER(cl_command_queue, clCreateCommandQueue, (cl_context context, cl_device_id device, \
    cl_command_queue_properties properties, cl_int *status), (context, device, properties, status)) \
  STATUS(clReleaseCommandQueue, (cl_command_queue queue), (queue)) \
  MAKER(cl_mem, clCreateBuffer, (cl_context context, cl_mem_flags flags, size_t size, void *bytes, cl_int *status), \
    (context, flags, size, bytes, status)) \
  MAKER(cl_mem, clCreateSubBuffer, (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, \
    const void *region, cl_int *status), (buffer, flags, type, region, status)) \
  STATUS(clReleaseMemObject, (cl_mem memory), (memory)) \
  MAKER(cl_program, clCreateProgramWithSource, (cl_context context, cl_uint count, const char **strings, \
    const size_t *lengths, cl_int *status), (context, count, strings, lengths, status)) \
  MAKER(cl_program, clCreateProgramWithBinary, (cl_context context, cl_uint count, const cl_device_id *devices, \
    const size_t *lengths, const unsigned char **binaries, cl_int *statuses, cl_int *status), (context, count, \
    devices, lengths, binaries, statuses, status)) \
  STATUS(clBuildProgram, (cl_program program, cl_uint count, const cl_device_id *devices, const char *options, \
    void (CL_CALLBACK *notify)(cl_program, void *), void *data), (program, count, devices, options, notify, data)) \
  STATUS(clGetProgramInfo, (cl_program program, cl_program_info what, size_t size, void *value, size_t *needed), \
    (program, what, size, value, needed)) \
  STATUS(clGetProgramBuildInfo, (cl_program program, cl_device_id device, cl_program_build_info what, size_t size, \
    void *value, size_t *needed), (program, device, what, size, value, needed)) \
  STATUS(clReleaseProgram, (cl_program program), (program)) \
  MAKER(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *status), (program, name, status)) \
  STATUS(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, \
    value)) \
  STATUS(clReleaseKernel, (cl_kernel kernel), (kernel)) \
  STATUS(clEnqueueNDRangeKernel, (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, \
    const size_t *offset, const size_t *global, const size_t *local, cl_uint waits, const cl_event *awaited, \
    cl_event *event), (queue, kernel, dimensions, offset, global, local, waits, awaited, event)) \
  STATUS(clEnqueueWriteBuffer, (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, \
    const void *bytes, cl_uint waits, const cl_event *awaited, cl_event *event), (queue, buffer, blocking, offset, \
    size, bytes, waits, awaited, event)) \
  STATUS(clEnqueueReadBuffer, (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, \
    void *bytes, cl_uint waits, const cl_event *awaited, cl_event *event), (queue, buffer, blocking, offset, size, \
    bytes, waits, awaited, event)) \
  STATUS(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events)) \
  STATUS(clGetEventProfilingInfo, (cl_event event, cl_profiling_info what, size_t size, void *value, \
    size_t *needed), (event, what, size, value, needed)) \
  STATUS(clReleaseEvent, (cl_event event), (event)) \
  STATUS(clFlush, (cl_command_queue queue), (queue)) \
  STATUS(clFinish, (cl_command_queue queue), (queue))

typedef struct {
#define APUS_OPENCL_MEMBER(name, ...) __typeof__(name) *name;
#define APUS_OPENCL_MADE_MEMBER(result, ...) APUS_OPENCL_MEMBER(__VA_ARGS__)
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_MEMBER, APUS_OPENCL_MADE_MEMBER)
#undef APUS_OPENCL_MEMBER
#undef APUS_OPENCL_MADE_MEMBER
} apus_opencl;

// Loads the OpenCL library and fills `table`, whose functions note that they are called. Returns a null pointer, or
// what failed in the loader's words. To be called once.
const char *apus_opencl_load(apus_opencl *table);

// The call into the library that has not returned yet: its name, or a null pointer, and how many calls were begun.
// With several threads in the library it is the last call that was begun.
typedef struct {
  const char *name;
  unsigned long count;
} apus_opencl_call;

apus_opencl_call apus_opencl_current_call(void);
