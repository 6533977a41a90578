"""What was made once is kept for all visitors, in this process.

``st.cache_resource`` hashes its arguments anew at each call: 70 us for one key, 200 us for the key of
a chart, 10 ms for a page that asks 80 times. A key here is hashed as Python hashes a tuple, in 1 us.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_ALL: list[Cache] = []


class Cache(Generic[T]):
    """The values that were asked for last, by key; they are shared and must not be modified.

    Sessions that ask for the same value at the same time wait for the first one to make it.

    Args:
        most: how many values are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._in_work: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()
        _ALL.append(self)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made if it is not there; None is not kept, nor is an error."""
        with self._lock:
            if key in self._values:
                return self._used(key)
            in_work = self._in_work.setdefault(key, threading.Lock())
        with in_work:
            with self._lock:
                if key in self._values:  # another session was first
                    return self._used(key)
            try:
                value = make()
            except BaseException:
                with self._lock:
                    self._in_work.pop(key, None)
                raise
            with self._lock:
                self._in_work.pop(key, None)
                if value is not None:
                    self._values[key] = value
                while len(self._values) > self.most:
                    self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def _used(self, key: Hashable) -> T:
        self._values.move_to_end(key)
        return self._values[key]


def clear_all() -> None:
    """Forget all values of all caches, for tests."""
    for cache in _ALL:
        cache.clear()
