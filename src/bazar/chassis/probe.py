"""Ask a server whether it is ready, with the standard library alone: a supervisor is to stay small."""

import http.client
import socket
import ssl

PROBE_SECONDS = 1.0


def is_ready(address: tuple[str, int], certificate_name: str, tls: ssl.SSLContext) -> bool:
    """Whether ``GET /readyz`` gives 200 within about a second."""
    try:
        with (
            socket.create_connection(address, PROBE_SECONDS) as connection,
            tls.wrap_socket(connection, server_hostname=certificate_name) as secured,
        ):
            request = f"GET /readyz HTTP/1.1\r\nHost: {certificate_name}\r\nConnection: close\r\n\r\n"
            secured.sendall(request.encode("ascii"))
            response = http.client.HTTPResponse(secured, method="GET")
            response.begin()
            return response.status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
