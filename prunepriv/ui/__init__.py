"""The dashboard: the only package beside ``pages/`` and ``app.py`` that imports streamlit.

A room per page, and beside the rooms what the pages share: no page imports another. A page is a
thin script::

    frame = page("Leakage", "Can the model's answers tell members from non-members?")
    signals = records_of(frame)
    chart(
        "histograms",
        frame.provenance(*map(signals_name, signals)),
        lambda look: leakage_histograms(signals, "confidence", SCALES["linear"], look),
        finding=findings.leakage(signals, "confidence"),
        alt="Histograms of confidence, members against non-members, for each model",
    )
"""
