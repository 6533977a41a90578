"""A finished run as a picture: a bar per worker and step, its idle time and its critical path."""

from __future__ import annotations

from pathlib import Path

from benchmarks.trace.page import page
from benchmarks.trace.records import read
from benchmarks.trace.totals import summary
from benchmarks.yardstick import gigaflops_per_core
from prunepriv.store.catalog import Catalog


def report(run_id: str, store: Path, out: Path, gigaflops: float | None) -> None:
    """Write the page of a run, and print its figures.

    Args:
        run_id: of a finished run.
        store: the store's folder.
        out: the HTML file.
        gigaflops: speed of one core; None: it is measured now, which takes a few seconds.

    Raises:
        StoreError: the run is not done, or not in the store.
    """
    catalog = Catalog(store)
    try:
        trace = read(catalog, run_id)
    finally:
        catalog.close()
    speed = gigaflops or gigaflops_per_core()
    out.write_text(page(trace, speed), encoding="utf-8")
    print(summary(trace, speed))
    print(f"\ndrawn in {out}")
