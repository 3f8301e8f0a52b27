// The OpenCL C sources of the folder `kernels`, embedded at build time.
#pragma once

// The text of `kernels/<name>.cl` (terminated by a zero), or a null pointer when there is no such file.
const char *apus_kernel_source(const char *name);
