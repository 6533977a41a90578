"""What the pages share: the only package beside ``pages/`` and ``app.py`` that imports streamlit.

A page is a thin script::

    frame = page("Leakage", "Can the model's answers tell members from non-members?")
    kind = model_kind(frame)
    figure, table = histograms(frame.result.records(kind), theme())
    chart(figure, finding=..., data=table, key="histograms", alt=...,
          provenance=frame.provenance(signals_name(kind)))
"""
