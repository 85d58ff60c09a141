"""Names for the arrays that ratings pass around."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]
Sparse: TypeAlias = Any  # a scipy csr_array; the published stubs lose the type in every product
