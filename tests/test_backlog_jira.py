"Sending stories with the real client to a server that fails: nothing twice, nothing lost, no secret in the open."

import base64
import logging
import sys
import traceback

import pytest

from jira_server import serve
from mlworkbook.ops.errors import MissingExtra
from mlworkbook.project.backlog import Backlog, send_to_jira

TOKEN = "s3cr3t-T0ken/with+signs"
ENVIRON = {"JIRA_EMAIL": "me@example.com", "JIRA_TOKEN": TOKEN}
SECRETS = (TOKEN, base64.b64encode(f"me@example.com:{TOKEN}".encode()).decode())


def made(stories):
    "A backlog with one epic."
    criterion = {"given": "a", "when": "b", "then": "c"}
    story = {"epic": "E1", "role": "r", "benefit": "b", "priority": "must", "points": 3, "criteria": [criterion]}
    return Backlog.model_validate(
        {
            "version": 1,
            "project": "demo",
            "epics": [{"id": "E1", "title": "all"}],
            "stories": [story | {"id": f"S-{n}", "want": f"story {n}"} for n in range(stories)],
        }
    )


@pytest.fixture
def jira():
    with serve() as state:
        yield state


def send(jira, stories, really=True):
    return send_to_jira(made(stories), jira.url, "PAN", ENVIRON, really=really).set_index("id")


def all_once(jira, stories):
    "Everything is there, and once."
    assert sorted(jira.labels()) == ["mlworkbook-demo-E1", *(f"mlworkbook-demo-S-{n}" for n in range(stories))]


def test_a_dry_run_creates_nothing(jira):
    table = send(jira, 4, really=False)
    assert set(table["state"]) == {"planned"} and list(table.index) == ["E1", "S-0", "S-1", "S-2", "S-3"]
    assert set(send_to_jira(made(1), jira.url, "PAN", ENVIRON)["state"]) == {"planned"}
    assert not jira.issues and not [path for method, path in jira.requests if method == "POST"]


def test_stories_arrive_as_plain_text_under_their_epic_and_only_once(jira):
    assert set(send(jira, 5)["state"]) == {"created"}
    all_once(jira, 5)
    epic, story = (issue["fields"] for issue in jira.issues[:2])
    assert epic["issuetype"] == {"name": "Epic"} and epic["summary"] == "all"
    assert story["parent"] == {"key": "PAN-1"} and story["project"] == {"key": "PAN"}
    assert story["description"] == "Como r, quiero story 0, para b.\n\n* Dado a, cuando b, entonces c.\n\n3 puntos"
    assert story["priority"] == {"name": "Highest"} and story["labels"] == ["mlworkbook-demo-S-0"]
    again = send(jira, 5)
    assert set(again["state"]) == {"exists"} and list(again["key"]) == [f"PAN-{n}" for n in range(1, 7)]
    assert list(send(jira, 7).loc[["E1", "S-4", "S-5"], "state"]) == ["exists", "exists", "created"]
    all_once(jira, 7)


@pytest.mark.parametrize("fault", [401, 403, 404, 429, 500, 503, "drop", "garbage", "html", "shape"])
@pytest.mark.parametrize("where, after", [("serverInfo", 0), ("search/jql", 0), ("search/jql", 3), ("issue", 2)])
def test_after_any_fault_a_second_send_completes(jira, where, after, fault):
    jira.faults = [(where, fault, after)]
    with pytest.raises(PermissionError if fault in (401, 403) else ConnectionError, match="send again") as told:
        send(jira, 6)
    assert not isinstance(fault, int) or f"({fault})" in str(told.value)
    assert set(send(jira, 6)["state"]) <= {"created", "exists"}
    all_once(jira, 6)


def test_the_client_repeats_no_creation_by_itself(jira):
    jira.faults = [("issue", "drop", 0)]
    with pytest.raises(ConnectionError):
        send(jira, 2)
    assert jira.requests.count(("POST", "/rest/api/2/issue")) == len(jira.issues) == 1


def test_what_jira_refuses_is_told_story_by_story(jira):
    jira.refuse = {"story 1"}
    table = send(jira, 3)
    assert list(table["state"]) == ["created", "created", "refused", "created"]
    assert "does not like it" in table.loc["S-1", "why"]
    jira.refuse = set()
    send(jira, 3)
    all_once(jira, 3)


def test_a_refused_epic_takes_its_stories_along(jira):
    jira.refuse = {"all"}
    table = send(jira, 2)
    assert set(table["state"]) == {"refused"} and table.loc["S-0", "why"] == "its epic was refused"
    assert not jira.issues


@pytest.mark.parametrize("fault", [400, 401, 429, 500, "drop", "garbage", "html"])
def test_the_token_is_nowhere(jira, fault, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("jira", "jira.client", "jira.resilientsession", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    for where in ("serverInfo", "search/jql", "issue"):
        jira.faults = [(where, fault, 0)]
        try:
            print(send(jira, 2)["state"].to_string())
        except OSError as error:
            print(traceback.format_exc(), repr(error), error.args)
    out, err = capfd.readouterr()
    assert not [secret for secret in SECRETS if secret in out + err + caplog.text]
    assert f"Basic {SECRETS[1]}" in jira.seen  # it was really used


@pytest.mark.parametrize(
    "url, environ, said",
    [
        ("http://example.atlassian.net", ENVIRON, "no https"),
        ("example.atlassian.net", ENVIRON, "no https"),
        ("https://me:pass@example.atlassian.net", ENVIRON, "holds a password"),
        ("https://example.atlassian.net", {}, "JIRA_TOKEN is not set"),
        ("https://example.atlassian.net", {"JIRA_EMAIL": "me", "JIRA_TOKEN": " "}, "JIRA_TOKEN is not set"),
    ],
)
def test_a_bad_site_is_refused(url, environ, said):
    with pytest.raises(ValueError, match=said) as told:
        send_to_jira(made(1), url, "PAN", environ)
    assert "pass@" not in str(told.value)


@pytest.mark.parametrize("project", ["", "pan", "P", 'PAN" OR project = "X'])
def test_a_project_is_a_key(jira, project):
    with pytest.raises(ValueError, match="expected the key of a Jira project"):
        send_to_jira(made(1), jira.url, project, ENVIRON)
    assert jira.requests == []


def test_without_the_client_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jira", None)
    with pytest.raises(MissingExtra, match=r"mlworkbook\[jira\]"):
        send_to_jira(made(1), "https://example.atlassian.net", "PAN", ENVIRON)
