"""The part of the form that chooses the data set, and imports a file of the user."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from prunepriv.datasets.own import FORMATS
from prunepriv.environment import data_folder, store_folder
from prunepriv.errors import PruneprivError
from prunepriv.options import DATASETS, DatasetOption
from prunepriv.store.own_data import import_data, imported, in_words
from prunepriv.ui.run.form_fields import key, suit_the_data
from prunepriv.ui.run.form_values import PREFIX, datasets, start

HANDLED = "upload_handled"
TOLD = "upload_told"


def draw() -> None:
    """Draw the data sets, facts about the chosen one, and the upload of another one."""
    place = st.container(gap="small")
    with st.expander("Use your own data", icon=":material/upload_file:"):
        _draw_upload()  # drawn first, because a new upload becomes the chosen data set
    with place:
        _draw_choice()


def _draw_choice() -> None:
    options = datasets()
    chosen = st.segmented_control(
        "Data set", list(options), required=True, default=start()["dataset"],
        format_func=lambda name: _label(name, options), on_change=suit_the_data, **key("dataset"),
        help="The first three come with the program, the next ones are downloaded once, and your own "
        "data sets are at the end.",
    )  # fmt: skip
    name = str(chosen)
    if name not in options:
        return
    option = options[name]
    summary = option.summary if name in DATASETS else "Your own records."
    st.caption(f"{summary}  \n{_facts(option)}")
    if option.download:
        st.caption(
            f"Downloaded once ({option.download}), unless its archive is already in `{data_folder()}`."
        )
    if name not in DATASETS and not any(one.own.handle == name for one in imported(store_folder())):
        st.caption(
            "Its records are missing from this store: upload its file below before you run it."
        )


def _label(name: str, options: Mapping[str, DatasetOption]) -> str:
    """The name of a data set; the user's own get digits that distinguish equal names."""
    label = options[name].label
    return label if name in DATASETS else f"{label} ({name.partition(':')[2][:6]})"


def _facts(option: DatasetOption) -> str:
    if option.kind == "tabular":
        what = f"Table of {option.records:,} records, {option.shape[0]:,} features"
    else:
        channels, height, width = option.shape
        color = "grey" if channels == 1 else "colour"
        what = f"{option.records:,} pictures of {width}x{height} pixels, {color}"
    return f"{what}, {option.classes:,} classes."


def _draw_upload() -> None:
    st.caption(
        "A table as Parquet or CSV with a column of labels, Parquet with encoded pictures, a zip file "
        "with a folder of pictures for each class, or an npz file with arrays x and y. At most 200 MB "
        "here; for larger files, use `python -m prunepriv data PATH`. The file stays on this computer."
    )
    column = st.text_input(
        "Label column", key="upload_label", placeholder="label, class, target or y",
        help="Only for a table whose label column has another name.",
    )  # fmt: skip
    file = st.file_uploader("File", type=list(FORMATS), key="upload_file")
    if file is None:
        st.session_state.pop(HANDLED, None)
        st.session_state.pop(TOLD, None)
        return
    if st.session_state.get(HANDLED) != (file.file_id, column):
        st.session_state[HANDLED] = (file.file_id, column)
        st.session_state[TOLD] = _take(file, column)
    outcome, sentence = st.session_state[TOLD]
    if outcome == "success":
        st.success(sentence, icon=":material/check:")
    else:
        st.error(sentence, icon=":material/error:")


def _take(file: Any, column: str) -> tuple[str, str]:
    """Import an uploaded file and choose it; return "success" or "error", and a sentence."""
    ending = Path(file.name).suffix.lower().removeprefix(".")
    bar = st.progress(0.0, text="reading")

    def report(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        bar.progress(min(fraction, 1.0), text=message or "reading")

    try:
        with tempfile.TemporaryDirectory() as folder:
            # the name that the browser sent is never used in a path
            path = Path(folder, f"upload.{ending if ending in FORMATS else 'unknown'}")
            path.write_bytes(file.getbuffer())
            own = import_data(
                path, store_folder(), report, label_column=column or None, source=file.name
            )
    except PruneprivError as error:
        return "error", str(error)
    finally:
        bar.empty()
    st.session_state[f"{PREFIX}dataset"] = own.handle
    suit_the_data()
    return "success", f"{in_words(own)}."
