"""Events over a bare socket, one request after the other: as fast as the server answers."""

import os
import socket
import sys
from urllib.parse import urlsplit

url = urlsplit(os.environ["SINK_URL"])
with socket.create_connection((url.hostname, url.port)) as connection:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(1, int(sys.argv[1]) + 1):
        event = b'{"event":"Signed Up","messageId":"%d"}' % n
        head = b"POST /v1/track HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(event)
        connection.sendall(head + event)
        assert b" 200 " in connection.recv(4096)
