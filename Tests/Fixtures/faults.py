"""Serves what is not there at port 8000, and what is cut off at port 8001."""

import http.server
import threading


class NotThere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    do_HEAD = do_GET


class CutOff(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"half")

    do_HEAD = do_GET


for port, handler in [(8000, NotThere), (8001, CutOff)]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever).start()
