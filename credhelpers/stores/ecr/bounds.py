"""A bound on the size of every HTTP answer that the AWS SDK reads, headers included."""

import io
from http.client import HTTPResponse, IncompleteRead
from typing import Any

from botocore import awsrequest

LARGEST = 1 << 20
"""Bytes; tokens and credentials have a few thousand, and what is parsed takes many times its size."""


class AnswerTooLarge(BaseException):
    """Not an Exception, so that no library takes it for a broken connection and asks again."""


def bound_answers() -> None:
    """Bound the answers on every connection that the SDK opens from now on in this process.

    All its HTTP sessions take their connections from these two classes: those of its clients, and those for
    the metadata service and the container's agent.
    """
    for connection in (awsrequest.AWSHTTPConnection, awsrequest.AWSHTTPSConnection):
        connection.response_class = _Response


class _Response(HTTPResponse):
    """An answer that ends with an exception when it is too long, and when it is too short."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Counted(self.fp.detach()))

    def read(self, amt: int | None = None) -> bytes:
        data = super().read(amt)
        # http.client takes half an answer for a whole one, and the SDK would not ask again.
        if amt and not data and self.length:
            raise IncompleteRead(data, self.length)
        return data


class _Counted(io.RawIOBase):
    """The bytes of one answer as they come from the socket."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._left = LARGEST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise AnswerTooLarge
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
