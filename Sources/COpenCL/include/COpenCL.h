// OpenCL 1.2 through a table of functions that is filled at run time, so that a program starts without a driver.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#if !__has_include(<CL/cl.h>)
#error "CL/cl.h is missing: install the OpenCL headers (Debian: opencl-headers), or build a product without the trait \
OpenCL: swift build --disable-default-traits --product apus"
#endif
#include <CL/cl.h>

// Every function that is called, once: members of the table, and names to look up.
#define APUS_OPENCL_FUNCTIONS(FUNCTION) \
  FUNCTION(clGetPlatformIDs) \
  FUNCTION(clGetPlatformInfo) \
  FUNCTION(clGetDeviceIDs) \
  FUNCTION(clGetDeviceInfo) \
  FUNCTION(clCreateContext) \
  FUNCTION(clReleaseContext) \
  FUNCTION(clCreateCommandQueue) \
  FUNCTION(clReleaseCommandQueue) \
  FUNCTION(clCreateBuffer) \
  FUNCTION(clCreateSubBuffer) \
  FUNCTION(clReleaseMemObject) \
  FUNCTION(clCreateProgramWithSource) \
  FUNCTION(clCreateProgramWithBinary) \
  FUNCTION(clBuildProgram) \
  FUNCTION(clGetProgramInfo) \
  FUNCTION(clGetProgramBuildInfo) \
  FUNCTION(clReleaseProgram) \
  FUNCTION(clCreateKernel) \
  FUNCTION(clSetKernelArg) \
  FUNCTION(clGetKernelWorkGroupInfo) \
  FUNCTION(clReleaseKernel) \
  FUNCTION(clEnqueueNDRangeKernel) \
  FUNCTION(clEnqueueWriteBuffer) \
  FUNCTION(clEnqueueReadBuffer) \
  FUNCTION(clWaitForEvents) \
  FUNCTION(clGetEventProfilingInfo) \
  FUNCTION(clReleaseEvent) \
  FUNCTION(clFlush) \
  FUNCTION(clFinish)

typedef struct {
#define APUS_OPENCL_MEMBER(name) __typeof__(name) *name;
  APUS_OPENCL_FUNCTIONS(APUS_OPENCL_MEMBER)
#undef APUS_OPENCL_MEMBER
} apus_opencl;

// Loads the OpenCL library and fills `table`. Returns a null pointer, or what failed in the loader's words.
const char *apus_opencl_load(apus_opencl *table);
