"""The dashboard: the only package beside ``pages/`` and ``app.py`` that imports streamlit.

Each page has a folder here, and the modules beside these folders are shared; no page imports another
one. A page is a short script::

    frame = page("Leakage", "Do the model's outputs show which records are members?")
    signals = records_of(frame)
    chart(
        "histograms",
        frame.provenance(*map(signals_name, signals)),
        lambda look: leakage_histograms(signals, "confidence", SCALES["linear"], look),
        finding=findings.leakage(signals, "confidence"),
        alt="Histograms of confidence, members against non-members, for each model",
    )
"""
