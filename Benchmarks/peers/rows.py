"""What is measured: a row is one model in one mode at one batch size."""

import fnmatch
from dataclasses import dataclass

from models import MODELS

MODES = ("train", "infer")


@dataclass(frozen=True)
class Row:
    mode: str
    model: str
    batch_size: int

    def __str__(self):
        return f"{self.mode} {self.model} {self.batch_size}"

    def matches(self, pattern):
        """Whether each word of the pattern, with `*` and `?`, is this row's mode, model or batch size."""
        fields = str(self).split()
        return all(any(fnmatch.fnmatchcase(field, word) for field in fields) for word in pattern.split())


TUTORIALS = ("tutorial-mnist", "tutorial-mnist-deep", "tutorial-cifar")
SUITE = (
    *(Row("train", model, batch_size) for model in TUTORIALS for batch_size in (64, 256)),
    Row("train", "resnet18-cifar", 64),
    Row("train", "resnet18", 8),
    Row("infer", "tutorial-mnist", 1),
    *(Row("infer", model, batch_size) for model in TUTORIALS for batch_size in (64, 256)),
    Row("infer", "resnet50", 8),
)


def usual_batch_size(model):
    return 8 if MODELS[model].shape[0] > 100 else 64


def place(row):
    """Sorts rows as the suite has them, others by name behind."""
    order = SUITE.index(row) if row in SUITE else len(SUITE)
    return MODES.index(row.mode), order, row.model, row.batch_size
