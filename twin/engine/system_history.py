"""What a TwinSystem said, step after step, as columns: numpy, pandas or CSV text.

Promise: bounded memory (the newest `most` steps stay), the same columns in every form, NaN where there was no number.
Leaves out files: the caller decides where text goes.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.estimation.model import Array


class SystemHistory:
    """Rows of numbers; every row has the columns of the first.

    >>> history = SystemHistory(most=2)
    >>> for t in (0.0, 1.0, 2.0):
    ...     history.add({"t_s": t, "health": 100.0})
    >>> history.to_numpy()["t_s"].tolist(), history.dropped
    ([1.0, 2.0], 1)
    """

    def __init__(self, most: int = 100_000) -> None:
        self.columns: tuple[str, ...] = ()
        self.dropped = 0
        self._rows: deque[tuple[float, ...]] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Mapping[str, float]) -> None:
        """One step; raises KeyError when a column of the first row is missing."""
        if not self.columns:
            self.columns = tuple(row)
        self.dropped += len(self._rows) == self._rows.maxlen
        self._rows.append(tuple(row[name] for name in self.columns))

    def clear(self) -> None:
        """Forget all rows and columns."""
        self._rows.clear()
        self.columns, self.dropped = (), 0

    def to_numpy(self) -> dict[str, Array]:
        """Column name -> [k] float64, oldest first."""
        table = np.array(self._rows, dtype=np.float64).reshape(len(self._rows), len(self.columns))
        return {name: table[:, i].copy() for i, name in enumerate(self.columns)}

    def to_pandas(self) -> Any:
        """A pandas DataFrame with t_s as its index."""
        import pandas as pd

        return pd.DataFrame(self.to_numpy()).set_index("t_s")

    def to_csv(self) -> str:
        """CSV text with a header; numbers in full precision, empty where there was none."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if value != value else repr(value) for value in row] for row in self._rows)
        return text.getvalue()
