"""A proxy that passes everything on, and cuts answers off. Standard library only."""
import http.client, http.server, sys, threading, urllib.parse


class Proxy(http.server.ThreadingHTTPServer):
    """Passes everything on; a write whose number is in `cut` is done, and its answer is lost. `before` is called ahead of each write."""

    daemon_threads = True

    def __init__(self, url):
        super().__init__(("127.0.0.1", 0), Passing)
        self.upstream = urllib.parse.urlsplit(url).netloc
        self.cut, self.lost, self.writes, self.statuses = (lambda method, path: False), 0, [], []
        self.before = lambda method, path: None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        # Who asked may have been killed.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
        if self.command != "GET":
            self.server.before(self.command, self.path)
        try:
            upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            data = answer.read()
        except OSError:
            self.close_connection = True
            return
        if self.command != "GET":
            self.server.writes.append((self.command, self.path))
            self.server.statuses.append(answer.status)
            if self.server.cut(self.command, self.path):
                self.server.lost += 1
                self.close_connection = True
                return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        try:
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            # Who asked did not wait: Ghost takes its time for a large text.
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = pass_on
