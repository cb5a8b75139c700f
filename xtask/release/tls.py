"""A local HTTPS server: tls.py CERTIFICATE KEY. Prints its port, then a line for each request."""

import http.server
import ssl
import sys


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.path, flush=True)
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        # A client that does not trust the certificate closes the connection.
        pass


server = Server(("127.0.0.1", 0), Refusing)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
