"""Connected components: which records belong together because a chain of shared values joins them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def connect(count: int, left: Numbers, right: Numbers) -> Numbers:
    """Label each of `count` records with the smallest record of its component.

    Every round hangs each root under its smallest neighbouring root, flattens the trees, and keeps only the links
    that still join two of them, so that memory stays at a few integers per record and link.
    """
    roots = np.arange(count, dtype=np.int64)
    while len(left):
        left, right = roots[left], roots[right]
        apart = left != right
        left, right = left[apart], right[apart]
        np.minimum.at(roots, np.maximum(left, right), np.minimum(left, right))
        roots = _flatten(roots)
    return roots


def _flatten(roots: Numbers) -> Numbers:
    while True:
        above = roots[roots]
        if np.array_equal(above, roots):
            return roots
        roots = above
