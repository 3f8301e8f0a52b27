// The OpenCL C sources of the folder `kernels`, embedded at build time.
#pragma once

#include <stddef.h>

// The text of `kernels/<name>.cl` (terminated by a zero), or a null pointer when there is no such file.
const char *apus_kernel_source(const char *name);

// The name of the file of that number, from 0 on, or a null pointer after the last.
const char *apus_kernel_name(size_t number);
