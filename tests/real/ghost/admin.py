"""Ghost's Admin API as the owner (by session) and as an integration (by key). Standard library only."""
import base64, hashlib, hmac, http.cookiejar, http.server, json, threading, time, urllib.parse, urllib.request

ADMIN = "/ghost/api/admin/"


def token(key):
    half = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    kid, secret = key.split(":")
    now = int(time.time())
    head = half(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    body = half(json.dumps({"iat": now, "exp": now + 300, "aud": "/admin/"}).encode())
    sign = half(hmac.new(bytes.fromhex(secret), head + b"." + body, hashlib.sha256).digest())
    return (head + b"." + body + b"." + sign).decode()


class Person:
    """The owner of the site, signed in as in a browser."""

    def __init__(self, url):
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        owner = {"name": "Owner", "email": "owner@example.test", "password": "sync-Test-pass-42", "blogTitle": "Sync"}
        self.ask("POST", "authentication/setup/", {"setup": [owner]})
        self.sign_in()
        made = self.ask("POST", "integrations/?include=api_keys", {"integrations": [{"name": "sleeksync"}]})["integrations"][0]
        self.integration = made["id"]
        self.key = next(key for key in made["api_keys"] if key["type"] == "admin")

    def sign_in(self):
        self.ask("POST", "session/", {"username": "owner@example.test", "password": "sync-Test-pass-42"})

    def ask(self, method, path, body=None):
        headers = {"Origin": self.url, "Content-Type": "application/json", "Accept-Version": "v6.0"}
        data = json.dumps(body).encode() if body is not None else None
        with self.opener.open(urllib.request.Request(self.url + ADMIN + path, data, headers, method=method), timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text[:1] in (b"{", b"[") else text

    def posts(self, **query):
        """All of them, page by page."""
        found, page = [], 1
        while page:
            query.update({"limit": 20, "page": page, "include": "tags,email", "formats": "html"})
            answer = self.ask("GET", "posts/?" + urllib.parse.urlencode(query))
            found += answer["posts"]
            page = answer["meta"]["pagination"]["next"]
        return found

    def post(self, entry):
        """The one post of an entry; fails where there are several."""
        found = [post for post in self.posts() if any(f"-changelog-{entry}-" in tag["name"] for tag in post["tags"])]
        assert len(found) <= 1, f"{len(found)} posts for entry {entry}"
        return found[0] if found else None

    def change(self, post, **fields):
        self.ask("PUT", f"posts/{post['id']}/?source=html", {"posts": [dict(fields, updated_at=post["updated_at"])]})

    def new_key(self):
        path = f"integrations/{self.integration}/api_key/{self.key['id']}/refresh"
        made = self.ask("POST", path, {"integrations": [{"id": self.integration}]})["integrations"][0]
        self.key = next(key for key in made["api_keys"] if key["type"] == "admin")


class Mailgun(http.server.ThreadingHTTPServer):
    """What Ghost mails newsletters with: keeps the subjects, or refuses with `refuses` as its reason."""

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), Mailing)
        self.subjects, self.refuses = [], None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Mailing(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def say(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.say(200, {"items": [], "paging": {}})

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else self.chunks()
        if self.server.refuses:
            return self.say(400, {"message": self.server.refuses})
        self.server.subjects.append(sent.split(b'name="subject"\r\n\r\n', 1)[1].split(b"\r\n", 1)[0].decode())
        self.say(200, {"id": f"<{len(self.server.subjects)}@example.test>", "message": "Queued. Thank you."})

    def chunks(self):
        """A body of unknown length."""
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        return whole
