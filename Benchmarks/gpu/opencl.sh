# Sourced by `run`: lets the OpenCL loader find NVIDIA's driver where the machine has not registered it, which needs no
# root. Wants `work`, a folder of the run's own; sets `opencl`, what was found, for the report.

mkdir -p "$work/vendors"
cp /etc/OpenCL/vendors/*.icd "$work/vendors/" 2>/dev/null
export OCL_ICD_VENDORS=$work/vendors

if grep -qs nvidia "$work"/vendors/*.icd; then
  opencl="NVIDIA's driver is registered"
elif ldconfig -p 2>/dev/null | grep -q 'libnvidia-opencl\.so\.1 '; then
  echo libnvidia-opencl.so.1 >"$work/vendors/nvidia.icd"
  opencl="registered libnvidia-opencl.so.1, which the loader knows"
else
  # The link with the version 1 before the file that it points to.
  file=$(find -L /usr/local/nvidia /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/local/cuda* -name \
    'libnvidia-opencl.so*' 2>/dev/null | sort | head -n 1)
  link=$(dirname "$file")/libnvidia-opencl.so.1
  if [[ -e $link ]]; then file=$link; fi
  if [[ -n $file ]]; then
    echo "$file" >"$work/vendors/nvidia.icd"
    # It loads its compiler and the CUDA driver from beside itself.
    export LD_LIBRARY_PATH=$(dirname "$file")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    opencl="registered $file"
  else
    opencl="no libnvidia-opencl.so"
  fi
fi
opencl+="; vendors: $(cat "$work"/vendors/*.icd 2>/dev/null | tr '\n' ' ')"
