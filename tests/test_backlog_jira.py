"Sending stories with the real client to a server that fails: nothing twice, nothing lost, no secret in the open."

import base64
import logging
import traceback

import pytest

from jira_server import POINTS, serve
from mlworkbook.project.backlog import BULK, PATIENCE, SETTLE, Backlog, JiraSite, jira_site, label, send_to_jira

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


def send(jira, backlog, really=True, **options):
    "Send without waiting for real; the waits are kept in `jira.waits`."
    jira.waits = []

    def wait(seconds):
        jira.waits.append(seconds)
        jira.clock += seconds

    site = jira_site(jira.url, ENVIRON)
    return send_to_jira(backlog, site, project="PAN", really=really, wait=wait, **options)


def all_once(jira, backlog):
    "Everything is there, and once."
    wanted = [label(backlog, one.id) for one in (*backlog.epics, *backlog.stories)]
    assert sorted(jira.labels()) == sorted(wanted)


def test_a_dry_run_creates_nothing(jira):
    table = send(jira, made(4), really=False)
    assert set(table["state"]) == {"planned"} and list(table["id"]) == ["E1", "S-0", "S-1", "S-2", "S-3"]
    assert not jira.issues and not [path for method, path in jira.requests if method == "POST"]
    site = jira_site(jira.url, ENVIRON)
    assert set(send_to_jira(made(1), site, project="PAN")["state"]) == {"planned"} and not jira.issues


def test_everything_arrives_in_bulks_and_only_once(jira):
    backlog = made(2 * BULK + 7)
    assert set(send(jira, backlog)["state"]) == {"created"}
    assert jira.requests.count(("POST", "/rest/api/3/issue/bulk")) == 4  # the epic, 50, 50, 7
    all_once(jira, backlog)
    again = send(jira, backlog)
    assert set(again["state"]) == {"exists"} and again["key"].str.startswith("PAN-").all()
    all_once(jira, backlog)
    fields = jira.issues[1]["fields"]
    assert fields[POINTS["id"]] == 3 and fields["parent"] == {"key": "PAN-1"} and fields["project"] == {"key": "PAN"}


def test_only_what_is_new_is_created(jira):
    send(jira, made(3))
    states = send(jira, made(5)).set_index("id")["state"]
    assert list(states.loc[["E1", "S-2", "S-3", "S-4"]]) == ["exists", "exists", "created", "created"]
    all_once(jira, made(5))


@pytest.mark.parametrize("fault", [400, 401, 403, 404, 500, 503, "drop", "garbage", "html", "shape"])
@pytest.mark.parametrize(
    "where, after", [("serverInfo", 0), ("field", 0), ("search/jql", 0), ("issue/bulk", 0), ("issue/bulk", 1)]
)
def test_after_any_fault_a_second_send_completes(jira, where, after, fault):
    backlog = made(6)
    jira.fail(where, fault, after)
    with pytest.raises((PermissionError, ConnectionError, ValueError)) as told:
        send(jira, backlog)
    if (where, fault) == ("serverInfo", "shape"):
        assert "is not Jira in the cloud" in str(told.value)
    else:
        assert type(told.value) is (PermissionError if fault in (401, 403) else ConnectionError)
    if isinstance(fault, int) and fault < 500 and (where, fault) != ("issue/bulk", 400):
        assert f"({fault})" in str(told.value)
    assert set(send(jira, backlog)["state"]) <= {"created", "exists"}
    all_once(jira, backlog)


def test_half_a_bulk_is_found_again(jira):
    backlog = made(10)
    jira.fail("issue/bulk", 500, after=1)
    with pytest.raises(ConnectionError, match=r"creating: no usable answer \(500\).*wait a minute and send again"):
        send(jira, backlog)
    assert len(jira.issues) == 1 + 5
    states = send(jira, backlog)["state"]
    assert (states == "exists").sum() == 6 and (states == "created").sum() == 5
    all_once(jira, backlog)


def test_the_client_repeats_no_creation_by_itself(jira):
    jira.fail("issue/bulk", "drop")
    with pytest.raises(ConnectionError):
        send(jira, made(2))
    assert jira.requests.count(("POST", "/rest/api/3/issue/bulk")) == 1 and jira.waits == [SETTLE]


@pytest.mark.parametrize("fault", [None, 500, "drop", "garbage"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_search_that_lags_makes_no_duplicates(jira, fault, after):
    backlog, jira.lag = made(10), SETTLE
    if fault:
        jira.fail("issue/bulk", fault, after)
        with pytest.raises(ConnectionError):
            send(jira, backlog)
    else:
        send(jira, backlog)
    send(jira, backlog)
    all_once(jira, backlog)


def test_nobody_waits_when_everything_is_there_or_nothing_is_created(jira):
    send(jira, made(2), really=False)
    assert jira.waits == []
    send(jira, made(2))
    assert jira.waits == [SETTLE]
    send(jira, made(2))
    assert jira.waits == []


@pytest.mark.parametrize("where", ["serverInfo", "field", "search/jql", "issue/bulk"])
def test_we_wait_as_long_as_jira_asks(jira, where):
    jira.fail(where, 429)
    jira.fail(where, 429)
    assert set(send(jira, made(3))["state"]) == {"created"}
    assert sorted(jira.waits) == [SETTLE, 7.0, 7.0]
    all_once(jira, made(3))
    for _ in range(3):
        jira.fail("search/jql", 429)
    with pytest.raises(ConnectionError, match=r"too many requests \(429\), 3 times in a row"):
        send(jira, made(3))


@pytest.mark.parametrize(("asks", "waits"), [("0", [0.0]), ("a while", [10.0]), (str(PATIENCE + 1), [])])
def test_we_do_not_knock_before_the_time(jira, asks, waits):
    jira.retry = asks
    jira.fail("serverInfo", 429)
    if waits:
        send(jira, made(1), really=False)
    else:
        with pytest.raises(ConnectionError, match=rf"or for more than {PATIENCE} seconds; send again later"):
            send(jira, made(1), really=False)
    assert jira.waits == waits


def test_what_jira_refuses_is_told_story_by_story(jira):
    jira.refuse = {"story 1"}
    table = send(jira, made(3)).set_index("id")
    assert list(table["state"]) == ["created", "created", "refused", "created"]
    assert "does not like it" in table.loc["S-1", "why"]
    jira.refuse = set()
    send(jira, made(3))
    all_once(jira, made(3))


def test_a_refused_epic_takes_its_stories_along(jira):
    jira.refuse = {"all"}
    table = send(jira, made(2)).set_index("id")
    assert set(table["state"]) == {"refused"} and table.loc["S-0", "why"] == "its epic was refused"
    assert not jira.issues


def test_the_points_field_is_looked_up_by_name(jira):
    jira.fields = []
    with pytest.raises(ValueError, match="fields for story points: none, expected one; name it with points="):
        send(jira, made(1))
    assert set(send(jira, made(1), points="")["state"]) == {"created"}
    assert POINTS["id"] not in jira.issues[1]["fields"]
    other = {"id": "customfield_1", "name": "Story Points", "clauseNames": []}
    jira.fields = [POINTS, other]
    with pytest.raises(ValueError, match=r"Story point estimate \(customfield_10016\), Story Points \(customfield_1\)"):
        send(jira, made(2))
    send(jira, made(2), points="story points")
    assert jira.issues[2]["fields"]["customfield_1"] == 3
    send(jira, made(3), points="customfield_10016")
    assert jira.issues[3]["fields"]["customfield_10016"] == 3


def test_jira_on_a_server_of_ones_own_is_refused(jira):
    jira.about = {"deploymentType": "Server"}
    with pytest.raises(ValueError, match="is not Jira in the cloud; import the file of jira_csv"):
        send(jira, made(1))


def test_the_token_does_not_follow_to_another_host(jira):
    with serve() as other:
        jira.elsewhere = other.url
        jira.fail("serverInfo", "redirect")
        with pytest.raises(ConnectionError):
            send(jira, made(1))
        assert other.requests == []


def test_the_account_of_the_home_folder_is_not_used(jira, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    send(jira, made(1))
    assert set(jira.seen) == {f"Basic {SECRETS[1]}"}


@pytest.mark.parametrize("fault", [401, 403, 429, 500, "drop", "garbage", "html"])
def test_the_token_is_nowhere(jira, fault, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for name in ("jira", "jira.client", "jira.resilientsession", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    jira.refuse = {"story 0"}
    print(send(jira, made(1)).to_string())
    for where in ("serverInfo", "search/jql", "issue/bulk"):
        for _ in range(3):
            jira.fail(where, fault)
        try:
            print(send(jira, made(2)).to_string())
        except (OSError, ValueError) as error:
            print(traceback.format_exc(), repr(error), error.args)
            chain, cause = [], error
            while cause is not None:
                chain.append(repr(cause) + str(vars(cause)))
                cause = cause.__cause__ or cause.__context__
            print(chain)
        jira.faults = []
    print(repr(jira_site(jira.url, ENVIRON)))
    out, err = capfd.readouterr()
    assert not [secret for secret in SECRETS if secret in out + err + caplog.text]
    assert f"Basic {SECRETS[1]}" in jira.seen  # it was really used


@pytest.mark.parametrize(
    "url, environ, said",
    [
        ("http://example.atlassian.net", ENVIRON, "expected https"),
        ("example.atlassian.net", ENVIRON, "expected https"),
        ("https://me:pass@example.atlassian.net", ENVIRON, "holds a user or a password"),
        ("https://example.atlassian.net", {}, "JIRA_EMAIL and JIRA_TOKEN not set"),
        ("https://example.atlassian.net", {"JIRA_EMAIL": "me", "JIRA_TOKEN": " "}, "JIRA_TOKEN not set"),
    ],
)
def test_a_bad_site_is_refused(url, environ, said):
    with pytest.raises(ValueError, match=said) as told:
        jira_site(url, environ)
    assert "pass@" not in str(told.value)
    if environ is ENVIRON:
        with pytest.raises(ValueError, match=said):
            JiraSite(url, "me@example.com", TOKEN)


@pytest.mark.parametrize("project", ["", "pan", "P", 'PAN" OR project = "X'])
def test_a_project_is_a_key(jira, project):
    with pytest.raises(ValueError, match="expected the key of a Jira project"):
        send_to_jira(made(1), jira_site(jira.url, ENVIRON), project=project)
    assert jira.requests == []
