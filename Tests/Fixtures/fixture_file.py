"""One fixture file: named cases with attributes and tensors, written as safetensors.

A case `conv2d.same` owns the tensors `conv2d.same.x`, `conv2d.same.kernel`, ... and one entry of the file's
`__metadata__`: key `conv2d.same`, value a JSON object with its attributes (`op`, `source`, strides, ...).
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np

DTYPES = {"float32": "F32", "int32": "I32"}


class FixtureFile:
    def __init__(self, topic):
        self.topic = topic
        self.metadata = {}
        self.tensors = {}

    def add(self, case, attributes, **tensors):
        """Adds a case. Floating-point tensors are stored as float32, integers as int32."""
        if case in self.metadata:
            raise ValueError(f"{self.topic}: the case {case} exists twice; give it another name")
        self.metadata[case] = json.dumps(attributes, sort_keys=True)
        for name, value in tensors.items():
            array = np.asarray(value)
            dtype = np.int32 if np.issubdtype(array.dtype, np.integer) else np.float32
            # ascontiguousarray would turn a scalar into a vector.
            array = array.astype(dtype, order="C")
            if not np.isfinite(array).all():
                raise ValueError(f"{self.topic}: {case}.{name} is not finite; choose other inputs")
            self.tensors[f"{case}.{name}"] = array

    def write(self, folder):
        """Writes `<topic>.safetensors`; the same cases always give the same bytes."""
        header = {"__metadata__": dict(sorted(self.metadata.items()))}
        offset = 0
        for name, array in sorted(self.tensors.items()):
            header[name] = {
                "dtype": DTYPES[array.dtype.name],
                "shape": list(array.shape),
                "data_offsets": [offset, offset + array.nbytes],
            }
            offset += array.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        path = Path(folder) / f"{self.topic}.safetensors"
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for _, array in sorted(self.tensors.items()):
                file.write(array.tobytes())
        return path


def random(case):
    """A generator seeded by the case's name, so that adding a case leaves the others as they are."""
    return np.random.default_rng(zlib.crc32(case.encode()))


def normal(generator, *shape):
    """Normal values that float32 holds exactly, as float64: the test starts from the same numbers."""
    return generator.standard_normal(shape).astype(np.float32).astype(np.float64)


def to_float32_exact(values):
    return np.asarray(values).astype(np.float32).astype(np.float64)
