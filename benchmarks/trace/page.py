"""A trace as one HTML file that needs nothing else: the picture, and every number as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from benchmarks.trace.records import Bar, Trace
from benchmarks.trace.timeline import timeline
from benchmarks.trace.totals import kinds, number, percent, share, total

STYLE = Path(__file__).with_name("style.css")

Cell = str
"""HTML."""


def page(trace: Trace, gigaflops: float) -> str:
    """The whole file.

    Args:
        trace: what is drawn.
        gigaflops: speed of one core, in GFLOP/s: it makes floors of the steps' arithmetic.
    """
    name = escape(trace.run_id)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Trace of {name}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<h1>Trace of <span class="run">{name}</span></h1>
{_figures(trace, gigaflops)}
<h2>Steps by worker</h2>
{_legend(trace)}
{timeline(trace, gigaflops)}
<p class="note">A bar is a step; its name and times show when the pointer rests on it, and are in the
table below. Grey is idle time; before the first step began it is marked. The line under bars is the
critical path: of the chains of steps that read each other, the longest. Steps that one worker did
as a group have equal shares of its time.</p>
<h2>Workers</h2>
{_workers(trace)}
<h2>Kinds of step</h2>
{_kinds(trace, gigaflops)}
<p class="note">The floor of a step is its arithmetic, {gigaflops:.1f} GFLOP/s for one core: products
of matrices and convolutions, training as three forward passes, the epochs that were really done. "-"
where a step is not made of products.</p>
<h2>Critical path</h2>
{_steps(trace.chain, trace, gigaflops)}
<h2>All steps</h2>
{_steps(trace.bars, trace, gigaflops)}
</main>
</body>
</html>
"""


def _figures(trace: Trace, gigaflops: float) -> str:
    whole = total("all", trace.bars, gigaflops)
    figures = (
        (f"{trace.wall:.2f} s", "from the run's begin to its end"),
        (f"{trace.first:.2f} s", "until its first step began"),
        (share(trace.chain_seconds, trace.wall), f"critical path, {trace.chain_seconds:.2f} s"),
        (percent(trace.idle_share), f"of the time of {len(trace.workers)} workers idle"),
        (percent(whole.share), f"arithmetic of {whole.seconds:.2f} s of steps, one core each"),
        (str(len(trace.bars)), f"steps done, {trace.cached} in the store before"),
    )
    tiles = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in figures)
    return f'<div class="figures">{tiles}</div>'


def _legend(trace: Trace) -> str:
    shown = dict.fromkeys(bar.kind for bar in trace.bars)
    items = "".join(f"<li>{_swatch(kind)}</li>" for kind in shown)
    return f'<ul class="legend">{items}<li><i class="line"></i>critical path</li></ul>'


def _swatch(kind: str) -> Cell:
    return f'<i class="{escape(kind)}"></i>{escape(kind)}'


def _workers(trace: Trace) -> str:
    rows = [
        [
            f"worker {worker}",
            str(len(bars)),
            f"{trace.wall - trace.idle(worker):.2f}",
            f"{trace.idle(worker):.2f}",
            share(trace.idle(worker), trace.wall),
        ]
        for worker, bars in trace.workers.items()
    ]
    return _table(("worker", "steps", "at work, s", "idle, s", "idle"), rows)


def _kinds(trace: Trace, gigaflops: float) -> str:
    whole = total("all", trace.bars, gigaflops)
    rows = [
        [
            "all" if one is whole else _swatch(one.kind),
            str(one.steps),
            f"{one.seconds:.2f}",
            share(one.seconds, whole.seconds),
            number(one.floor),
            percent(one.share),
        ]
        for one in (*kinds(trace, gigaflops), whole)
    ]
    return _table(("kind", "steps", "s", "of all", "floor, s", "floor / time"), rows)


def _steps(bars: Iterable[Bar], trace: Trace, gigaflops: float) -> str:
    path = {bar.key for bar in trace.chain}
    rows = []
    for bar in bars:
        one = total(bar.kind, [bar], gigaflops)
        mark = '<i class="line" title="on the critical path"></i>' if bar.key in path else ""
        rows.append(
            [
                f'<i class="{escape(bar.kind)}"></i>{escape(bar.name)}{mark}',
                str(bar.worker),
                f"{bar.start:.2f}",
                f"{bar.seconds:.2f}",
                number(one.floor),
                percent(one.share),
            ]
        )
    return _table(("step", "process", "begins, s", "s", "floor, s", "floor / time"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide-table"><table><thead><tr>{cells}</tr></thead>\n<tbody>{body}</tbody></table></div>'
