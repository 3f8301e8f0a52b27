"""The comparison's modules, which lie in the folder beside this one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

import apus  # noqa: E402, F401
import comparison  # noqa: E402, F401
import machine  # noqa: E402, F401
import models  # noqa: E402, F401
import peers  # noqa: E402, F401
import results  # noqa: E402, F401
import rows  # noqa: E402, F401
