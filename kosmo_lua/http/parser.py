"""Parser: reads the answer to a request from its bytes, as they come.

They are parsed by llhttp, which is Node.js's own, through httptools: h11, which httpx's transport uses, is
written in Python and takes twenty times as long, a fifth of a whole call.
"""

from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from kosmo_lua.http.library import httpx

_LONGEST_HEAD = 100 * 1024
"""So many bytes that are no part of a body may follow one another."""

_LOWEST, _FINAL = 100, 200
"""There is no lower status; and another answer follows one whose status is below the second."""


class NoHttp(httpx.RemoteProtocolError):
    """What came is no HTTP/1.1. The message quotes nothing of it."""


class Parser:
    """Reads the answer to a request of this method."""

    def __init__(self, method: str) -> None:
        self._parser = HttpResponseParser(self)
        # What browsers and curl take, too: RFC 9112 wants folded lines to be read, and allows bare line
        # feeds. It is safe for who neither passes answers on nor has others' answers on its connection.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._has_body = method != "HEAD"
        self._has_length = False
        self._overhead = 0
        self._parts: list[bytes] = []
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.began = False
        """Whether its head is here."""
        self.ended = False
        """Whether all of it is here."""
        self.keeps = False
        """Whether the service keeps the connection, and has sent nothing else."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; none at the end of the connection.

        Raises:
            NoHttp: they are no HTTP/1.1.
            httpx.ReadError: more should come.
        """
        if not data:
            self._end()
            return
        self._overhead += len(data)
        try:
            self._parse(data)
        except NoHttp:
            if not self.ended:
                raise
            self.keeps = False  # it is about what follows
        if not self.ended and self._overhead > _LONGEST_HEAD:
            raise NoHttp("the head of the answer is too long")

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise NoHttp("it begins another protocol") from None
        except HttpParserError as error:
            raise NoHttp(str(error.__context__ or error)) from error

    def take(self) -> list[bytes]:
        """Return the parts of the body that have come since."""
        parts, self._parts = self._parts, []
        return parts

    def close(self) -> None:
        """Parse no more. The two parsers know each other, and would wait for the garbage collector."""
        with suppress(AttributeError):  # it was closed before
            del self._parser

    def _end(self) -> None:
        if not self.began or self._has_length:
            raise httpx.ReadError("the answer ends too early")
        self.ended = True

    def on_message_begin(self) -> None:
        """For the parser: another answer begins."""
        self.keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser: a header is whole, or a trailer."""
        if not self.began:
            self.headers.append((name, value.rstrip(b" \t")))  # llhttp leaves those
            self._has_length |= name.lower() in {b"content-length", b"transfer-encoding"}

    def on_headers_complete(self) -> None:
        """For the parser: the head is whole."""
        if self.ended:
            return
        self.status = self._parser.get_status_code()
        if self.status < _LOWEST:  # it may have a body
            message = f"there is no status {self.status}"
            raise ValueError(message)
        self.began = self.status >= _FINAL
        if not self.began:
            self.headers.clear()
            self._has_length = False
        elif not self._has_body:
            self.on_message_complete()

    def on_body(self, part: bytes) -> None:
        """For the parser: a part of a body has come."""
        if self.ended:
            self.keeps = False
        else:
            self._overhead = 0
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """For the parser: an answer is whole."""
        if self.began and not self.ended:
            self.ended, self.keeps = True, self._parser.should_keep_alive()
