"A local server that speaks the part of Jira's REST v2 that the course uses, and can fail."

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Jira:
    "What exists, what was asked, and which faults come: `(end of an address, fault, how many pass before it)`."

    def __init__(self):
        self.issues, self.requests, self.seen, self.faults = [], [], [], []
        self.refuse = set()  # summaries that Jira does not like
        self.url = ""

    def labels(self):
        return [issue["fields"]["labels"][0] for issue in self.issues]

    def fault(self, path):
        for number, (where, what, after) in enumerate(self.faults):
            if path.endswith(where):
                self.faults[number] = (where, what, after - 1)
                if after == 0:
                    return self.faults.pop(number)[1]
        return None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({})

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body):
        jira, parts = self.server.jira, urlsplit(self.path)
        jira.requests.append((self.command, parts.path))
        jira.seen.append(self.headers["Authorization"])
        fault = jira.fault(parts.path)
        if isinstance(fault, int):
            return self.reply({"errorMessages": [f"fault {self.headers['Authorization']}"]}, fault)
        done = self.do(jira, parts.path.removeprefix("/rest/api/2/"), body, parse_qs(parts.query))
        if fault == "drop":  # it was done, and nobody hears of it
            self.close_connection = True
            return self.connection.close()
        if fault:
            return self.raw({"garbage": b'{"issues": [', "html": b"<html>Log in</html>", "shape": b"[1]"}[fault], 200)
        return self.reply(*done)

    def do(self, jira, end, body, query):
        if end == "serverInfo":
            return {"deploymentType": "Cloud", "versionNumbers": [1001, 0, 0]}, 200
        if end == "field":
            return [], 200
        if end == "search/jql":
            (wanted,) = re.findall(r'"(mlworkbook-[^"]+)"', query["jql"][0])
            return {"issues": [one for one in jira.issues if wanted in one["fields"]["labels"]], "isLast": True}, 200
        if end == "issue" and body["fields"]["summary"] in jira.refuse:
            return {"errorMessages": [], "errors": {"summary": "Jira does not like it"}}, 400
        if end == "issue":
            jira.issues.append({"id": str(len(jira.issues)), "key": f"PAN-{len(jira.issues) + 1}"} | body)
            return jira.issues[-1], 201
        return {"errorMessages": ["no such address"]}, 404

    def reply(self, data, status):
        self.raw(json.dumps(data).encode(), status)

    def raw(self, body, status):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
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
