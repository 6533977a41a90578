"""Work on threads, whose messages are heard by the one that waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from prunepriv.engine.threads import Threads
from prunepriv.errors import Cancelled

PATIENCE = 30.0


def nothing() -> None:
    pass


def test_messages_are_heard_on_the_thread_that_waits_in_their_order() -> None:
    heard: list[tuple[str, threading.Thread]] = []

    def hear(text: str) -> None:
        heard.append((text, threading.current_thread()))

    with Threads(1) as threads:

        def work() -> None:
            threads.tell(partial(hear, "first"))
            threads.tell(partial(hear, "second"))

        threads.start(work, lambda error: hear(f"ended with {error}"))
        assert threads.busy == 1
        for _ in range(3):
            threads.wait()
        assert threads.busy == 0
    here = threading.current_thread()
    assert heard == [("first", here), ("second", here), ("ended with None", here)]


def test_the_error_of_work_arrives_where_it_ends() -> None:
    def fail() -> None:
        raise ZeroDivisionError("a mistake")

    def ended(error: BaseException | None) -> None:
        assert error is not None
        raise error

    def scene() -> None:
        with Threads(1) as threads:
            threads.start(fail, ended)
            threads.wait()

    with pytest.raises(ZeroDivisionError, match="a mistake"):
        scene()


def endless(begun: threading.Event, ends: list[str]) -> Callable[[], None]:
    """Work that asks nobody whether it should go on."""

    def work() -> None:
        try:
            begun.set()
            while True:
                pass
        except Cancelled:
            ends.append("cancelled")
            raise

    return work


def end_in_the_middle(
    threads: Threads,
    work: Callable[[], None],
    ended: Callable[[BaseException | None], None],
    begun: threading.Event,
    error: BaseException,
) -> None:
    """End the context of the threads by an error, once the work has begun."""
    with threads:
        threads.start(work, ended)
        assert begun.wait(PATIENCE)
        raise error


def test_ctrl_c_interrupts_work_that_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunepriv.engine.threads.GRACE", 0.1)
    begun, ends = threading.Event(), list[str]()
    errors: list[BaseException | None] = []
    threads = Threads(2)

    with pytest.raises(KeyboardInterrupt):
        end_in_the_middle(threads, endless(begun, ends), errors.append, begun, KeyboardInterrupt())
    assert ends == ["cancelled"]
    assert [type(error) for error in errors] == [Cancelled], "what had ended is heard at the end"
    assert threads.busy == 0


def test_after_ctrl_c_work_may_stop_by_itself() -> None:
    threads, begun, ends = Threads(1), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        assert threads.stopping.wait(PATIENCE)
        ends.append("stopped")

    def ended(error: BaseException | None) -> None:
        ends.append(f"ended with {error}")

    with pytest.raises(KeyboardInterrupt):
        end_in_the_middle(threads, work, ended, begun, KeyboardInterrupt())
    assert ends == ["stopped", "ended with None"]


def test_an_end_that_could_not_be_told_is_heard_as_cancelled() -> None:
    """Ctrl-C may come between the end of work and the message about it."""
    errors: list[BaseException | None] = []
    threads = Threads(1)

    def interrupted(message: object) -> None:
        raise Cancelled

    def scene() -> None:
        with threads:
            threads.start(nothing, errors.append)
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "tell", interrupted)
        with pytest.raises(KeyboardInterrupt):
            scene()
    assert [type(error) for error in errors] == [Cancelled]


def test_another_error_asks_work_to_stop_and_waits_for_it() -> None:
    threads, begun, ends = Threads(1), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        assert threads.stopping.wait(PATIENCE)
        ends.append("stopped")
        raise ValueError("the second error")

    def ended(error: BaseException | None) -> None:
        assert error is not None
        raise error

    with pytest.raises(ValueError, match="first"):
        end_in_the_middle(threads, work, ended, begun, ValueError("the first error"))
    assert ends == ["stopped"]


def test_a_wait_goes_on_until_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, Ctrl-C does not end a long wait, so it ends and begins again."""
    monkeypatch.setattr("prunepriv.engine.threads.LISTEN", 0.001)
    heard: list[str] = []
    release = threading.Event()

    def waiting() -> None:
        assert release.wait(PATIENCE)

    with Threads(1) as threads:
        threads.start(waiting, lambda _: heard.append("ended"))
        threading.Timer(0.05, release.set).start()
        threads.wait()
    assert heard == ["ended"]


def test_whether_messages_are_there() -> None:
    with Threads(1) as threads:
        assert not threads.waiting
        threads.tell(nothing)
        assert threads.waiting
        threads.wait()
        assert not threads.waiting
