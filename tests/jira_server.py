"A local server that speaks the part of Jira's REST v3 that the course uses, and can fail in every way that hurts."

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

POINTS = {"id": "customfield_10016", "name": "Story point estimate", "clauseNames": ["Story point estimate"]}


class Jira:
    "State of the server: what exists, what was asked, and which fault comes next."

    def __init__(self):
        self.issues, self.requests, self.faults, self.seen = [], [], [], []
        self.born = []  # when each issue was created
        self.fields = [{"id": "summary", "name": "Summary", "clauseNames": ["summary"]}, POINTS]
        self.about = {"deploymentType": "Cloud", "versionNumbers": [1001, 0, 0]}
        self.page, self.refuse = 3, set()  # issues per page of a search; summaries that Jira does not like
        self.clock = self.lag = 0.0  # seconds that passed; seconds until a search finds what is new
        self.retry, self.echo = "7", ""  # what a 429 asks for; what came in the header, said again in reasons
        self.url = ""

    def fail(self, where, what, after=0):
        "The next request to `where` fails in the way `what`; after so many that pass."
        self.faults.append([where, what, after])

    def labels(self):
        return [issue["fields"]["labels"][0] for issue in self.issues]

    def fault(self, path):
        for fault in self.faults:
            if path.endswith(fault[0]):
                if fault[2] == 0:
                    self.faults.remove(fault)
                    return fault[1]
                fault[2] -= 1
        return None

    def create(self, updates, limit=None):
        "Create issues as Jira does: those it does not like are listed apart."
        issues, errors = [], []
        for number, update in enumerate(updates[:limit]):
            if update["fields"]["summary"] in self.refuse:
                reason = {"errorMessages": [], "errors": {"summary": f"Jira does not like it {self.echo}"}}
                errors.append({"status": 400, "elementErrors": reason, "failedElementNumber": number})
            else:
                issue = {"id": str(1000 + len(self.issues)), "key": f"PAN-{len(self.issues) + 1}"}
                self.born.append(self.clock)
                self.issues.append(issue | update)
                issues.append(issue)
        return {"issues": issues, "errors": errors}


class Handler(BaseHTTPRequestHandler):
    wbufsize = -1  # one packet for each answer

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        jira, parts = self.server.jira, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        jira.requests.append((self.command, parts.path))
        jira.seen.append(self.headers.get("Authorization"))
        jira.echo = self.headers.get("Authorization")
        end = parts.path.removeprefix("/rest/api/3/")
        updates = json.loads(body)["issueUpdates"] if end == "issue/bulk" else []
        fault = jira.fault(parts.path)
        if isinstance(fault, int):
            if fault == 500:
                jira.create(updates, limit=len(updates) // 2)  # in the middle of a bulk
            headers = {"Retry-After": jira.retry} if fault == 429 else {}
            return self.reply({"errorMessages": [f"fault {self.headers.get('Authorization')}"]}, fault, headers)
        if fault == "drop":
            jira.create(updates)
            self.close_connection = True
            return self.connection.close()
        if fault == "garbage":
            jira.create(updates)
            return self.raw(b'{"issues": [', "application/json")
        if fault == "html":
            return self.raw(f"<html>Log in, {self.headers.get('Authorization')}</html>".encode(), "text/html")
        if fault == "shape":
            return self.reply({"issues": [{"no": "key"}], "errors": [{"no": "number"}]})
        if fault == "redirect":
            return self.reply({}, 302, {"Location": jira.elsewhere + self.path})
        if end == "serverInfo":
            return self.reply(jira.about)
        if end == "field":
            return self.reply(jira.fields)
        if end == "search/jql":
            return self.reply(self.search(jira, parse_qs(parts.query)))
        if end == "issue/bulk":
            if len(updates) > 50:
                return self.reply({"errorMessages": ["more than 50"]}, 400)
            done = jira.create(updates)
            return self.reply(done, 201 if done["issues"] else 400)
        return self.reply({"errorMessages": ["no such address"]}, 404)

    def search(self, jira, query):
        wanted = set(re.findall(r'"(mlworkbook-[^"]+)"', query["jql"][0]))
        old = [issue for issue, born in zip(jira.issues, jira.born, strict=True) if jira.clock - born >= jira.lag]
        found = [issue for issue in old if wanted & set(issue["fields"]["labels"])]
        start = int(query.get("nextPageToken", ["0"])[0])
        size = min(jira.page, int(query["maxResults"][0]))
        rest = {"nextPageToken": str(start + size)} if start + size < len(found) else {"isLast": True}
        return {"issues": found[start : start + size]} | rest

    def reply(self, data, status=200, headers=None):
        self.raw(json.dumps(data).encode(), "application/json", status, headers)

    def raw(self, body, kind, status=200, headers=None):
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serve():
    "Run a server on this machine; gives its state, with the address in `url`."
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.jira = jira = Jira()
        jira.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield jira
        server.shutdown()
