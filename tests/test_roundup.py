"The workbook's own stories, filed in a really running Roundup tracker and read back."

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from mlworkbook.project.backlog import github_issues, load_backlog

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
SERVER = """
import sys
from wsgiref.simple_server import make_server
from roundup.cgi.wsgi_handler import RequestDispatcher
server = make_server("127.0.0.1", 0, None)
address = f"http://127.0.0.1:{server.server_port}"
config = open(sys.argv[1] + "/config.ini", encoding="utf-8").read().replace("http://127.0.0.1:1", address)
open(sys.argv[1] + "/config.ini", "w", encoding="utf-8").write(config)
server.set_app(RequestDispatcher(sys.argv[1]))
print(address, flush=True)
server.serve_forever()
"""


@pytest.fixture
def tracker(tmp_path):
    "Address of a fresh tracker's data, and a session that may write there."
    admin, home = Path(sys.executable).parent / "roundup-admin", tmp_path / "tracker"
    options = "tracker_web=http://127.0.0.1:1/,mail_domain=localhost,mail_host=localhost,mail_debug=mail.txt"
    for command in (["install", "classic", "sqlite", options], ["initialise", "secret"]):
        subprocess.run([admin, "-i", home, *command], check=True, capture_output=True, timeout=60)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, home], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    )
    try:
        address = server.stdout.readline().strip()
        session = requests.Session()
        session.trust_env = False
        session.auth = ("admin", "secret")
        session.headers.update({"X-Requested-With": "rest", "Origin": address, "Referer": f"{address}/"})
        yield f"{address}/rest/data", session
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(home)


def ask(session, method, url, **options):
    "The `data` of an answer."
    answer = session.request(method, url, timeout=30, **options)
    assert answer.ok, answer.text
    return answer.json()["data"]


def test_a_tracker_takes_the_stories_and_gives_them_back(tracker):
    data, session = tracker
    issues = github_issues(load_backlog(ROOT / "backlog.yaml"))
    assert len(issues) >= 10
    for label in sorted({label for issue in issues for label in issue["labels"]}):
        ask(session, "POST", f"{data}/keyword", json={"name": label})
    for issue in issues:
        note = ask(session, "POST", f"{data}/msg", json={"content": issue["body"], "author": "1"})
        story = {"title": issue["title"], "keyword": issue["labels"], "messages": [note["id"]], "priority": "feature"}
        ask(session, "POST", f"{data}/issue", json=story)

    names = {
        item["id"]: item["name"]
        for item in ask(session, "GET", f"{data}/keyword?@fields=name&@verbose=2")["collection"]
    }
    filed = ask(session, "GET", f"{data}/issue?@fields=title,messages,keyword&@verbose=2")["collection"]
    back = [
        {
            "title": item["title"],
            "body": ask(session, "GET", f"{data}/msg/{item['messages'][0]['id']}/content")["data"],
            "labels": {names[keyword["id"]] for keyword in item["keyword"]},
        }
        for item in sorted(filed, key=lambda item: int(item["id"]))
    ]
    assert [story["title"] for story in back] == [issue["title"] for issue in issues]
    assert [story["body"].strip() for story in back] == [issue["body"].strip() for issue in issues]
    assert [story["labels"] for story in back] == [set(issue["labels"]) for issue in issues]
