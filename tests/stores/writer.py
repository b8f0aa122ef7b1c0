"""A process that appends batches and says which are confirmed: `python -m tests.stores.writer STORE GATEWAY COUNT`."""

from __future__ import annotations

import sys

from tests.stores.given import batch, record
from twin.stores.opening import open_sqlite_stores


def main(path: str, gateway: str, count: int) -> None:
    stores = open_sqlite_stores(path)
    records = [record(value=float(number)) for number in range(50)]
    print("ready", flush=True)
    for seq in range(1, count + 1):
        stores.telemetry.append(batch(seq, gateway=gateway, records=records))
        print(seq, flush=True)
    stores.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
