"""A browser's part of streamlit's protocol without a browser: it opens pages and uses controls.

Messages are protobufs over a WebSocket. As the browser does, a session sends the state of the control
that was changed, the URL's parameters, the page's hash, and the hashes of the large messages that it
still has, which the server then need not send again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120.0
"""Seconds after which a run of the script counts as hung."""
KEPT_FOR = 2
"""Runs of the script for which a browser keeps a large message (global.maxCachedMessageAge)."""
ENDED = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
)


class ScriptError(Exception):
    """A page showed an exception, or its script could not be compiled."""


@dataclass(frozen=True)
class Control:
    """A control of the page.

    Attributes:
        id: streamlit's id of it, which ends in its key.
        kind: "selectbox", "button_group", "slider" (of named options), "checkbox" or "button".
        options: what can be chosen, as it is shown; "true" and "false" for a checkbox.
        parameter: of the URL, if it is bound to one.
        fragment: the fragment that it belongs to, or "".
    """

    id: str
    kind: str
    options: tuple[str, ...]
    parameter: str
    fragment: str

    @property
    def key(self) -> str:
        return self.id.split("-", maxsplit=2)[2]


@dataclass
class Answer:
    """What one run of the script sent.

    Attributes:
        seconds: from the request to the message that the script has finished.
        size: bytes received.
        elements: what was drawn.
        kinds: types of the messages that are not about elements, such as "page_not_found".
    """

    seconds: float = 0.0
    size: int = 0
    elements: list[Delta] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def of(self, kind: str) -> list[Any]:
        """The elements of one type, such as "plotly_chart"."""
        drawn = [
            one.new_element for one in self.elements if one.WhichOneof("type") == "new_element"
        ]
        return [getattr(one, kind) for one in drawn if one.WhichOneof("type") == kind]


class Session:
    """One visitor's tab; use it as ``async with Session(port) as session``.

    Attributes:
        pages: hash of each page, by its path; "" is the first.
        controls: of the page that was drawn last, by their keys; not its buttons.
        buttons: of the pages that were drawn, by their keys.
        query: parameters of the URL.
        page: hash of the page.
    """

    def __init__(self, port: int) -> None:
        self.address = f"ws://127.0.0.1:{port}/_stcore/stream"
        self.pages: dict[str, str] = {}
        self.controls: dict[str, Control] = {}
        self.buttons: dict[str, Control] = {}
        self.query: list[tuple[str, str]] = []
        self.page = ""
        self._kept: dict[str, tuple[int, Delta]] = {}
        self._runs = 0
        self._stream: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._stream = await connect(
            self.address, subprotocols=["streamlit"], max_size=None, compression=None,  # type: ignore[list-item]
            open_timeout=PATIENCE,
        )  # fmt: skip
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._stream is not None
        await self._stream.close()

    async def open(self, path: str = "", query: Mapping[str, str] | None = None) -> Answer:
        """Open a page as a link or the address bar does it: by its name."""
        self.query = list((query or {}).items())
        return await self._run(page_name=path)

    async def go(self, path: str) -> Answer:
        """Follow the navigation to a page."""
        self.page = self.pages[path]
        self.controls = {}
        return await self._run(page_script_hash=self.page)

    async def use(self, control: Control, chosen: Iterable[str]) -> Answer:
        """Choose one or several options of a control."""
        request = BackMsg()
        values = list(chosen)
        state = request.rerun_script.widget_states.widgets.add(id=control.id)
        if control.kind == "checkbox":
            state.bool_value = values == ["true"]
        elif control.kind == "selectbox":
            state.string_value = values[0]
        else:
            state.string_array_value.data.extend(values)
        if control.parameter:
            others = [one for one in self.query if one[0] != control.parameter]
            self.query = [*others, *((control.parameter, value) for value in values)]
        request.rerun_script.fragment_id = control.fragment
        return await self._run(request, page_script_hash=self.page)

    async def press(self, button: Control) -> Answer:
        """Press a button."""
        request = BackMsg()
        request.rerun_script.widget_states.widgets.add(id=button.id, trigger_value=True)
        request.rerun_script.fragment_id = button.fragment
        return await self._run(request, page_script_hash=self.page)

    async def _run(self, request: BackMsg | None = None, **state: str) -> Answer:
        request = BackMsg() if request is None else request
        for name, value in state.items():
            setattr(request.rerun_script, name, value)
        request.rerun_script.query_string = urlencode(self.query)
        request.rerun_script.cached_message_hashes.extend(self._kept)
        if not request.rerun_script.fragment_id:
            self.controls = {}
        assert self._stream is not None
        answer = Answer()
        started = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await self._stream.send(request.SerializeToString())
            while not self._take(await self._stream.recv(), answer):
                pass
        answer.seconds = time.perf_counter() - started
        self._runs += 1
        self._kept = {
            name: kept for name, kept in self._kept.items() if kept[0] > self._runs - KEPT_FOR
        }
        return answer

    def _take(self, raw: str | bytes, answer: Answer) -> bool:
        """Note a message; whether it says that the script has finished."""
        assert isinstance(raw, bytes)
        answer.size += len(raw)
        message = ForwardMsg.FromString(raw)
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            self._draw(message.ref_hash, self._kept[message.ref_hash][1], answer, large=True)
        elif kind == "delta":
            self._draw(message.hash, message.delta, answer, large=message.metadata.cacheable)
        elif kind == "navigation":
            self.pages = {
                "" if one.is_default else one.url_pathname: one.page_script_hash
                for one in message.navigation.app_pages
            }
            self.page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = parse_qsl(message.page_info_changed.query_string)
        answer.kinds.add(str(kind))
        if kind != "script_finished":
            return False
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            raise ScriptError("the script cannot be compiled")
        return message.script_finished in ENDED  # else it was stopped, and runs again

    def _draw(self, name: str, delta: Delta, answer: Answer, large: bool) -> None:
        if large:
            self._kept[name] = (self._runs, delta)
        answer.elements.append(delta)
        self._note(delta)

    def _note(self, delta: Delta) -> None:
        """Keep a control of the page."""
        if delta.WhichOneof("type") != "new_element":
            return
        kind = str(delta.new_element.WhichOneof("type"))
        element = getattr(delta.new_element, kind)
        if kind == "exception":
            raise ScriptError(element.message)
        options: tuple[str, ...] = ()
        if kind == "button_group":
            options = tuple(one.content for one in element.options)
        elif kind in ("selectbox", "slider"):
            options = tuple(element.options)
        elif kind == "checkbox":
            options = ("true", "false")
        if kind == "button":
            button = Control(element.id, kind, (), "", delta.fragment_id)
            self.buttons[button.key] = button
        if options:
            control = Control(element.id, kind, options, element.query_param_key, delta.fragment_id)
            self.controls[control.key] = control
