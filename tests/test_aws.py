"Promises of the cloud on this computer: nothing leaves it, what is asked for is made, and nothing stays behind."

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from botocore.awsrequest import AWSRequest
from botocore.exceptions import WaiterError

from mlworkbook.contract import future
from mlworkbook.forecaster import Forecaster, Params
from mlworkbook.graphs import to_onnx
from mlworkbook.project import aws
from mlworkbook.project.aws import (
    Cloud,
    CloudError,
    allows,
    bill,
    cloud,
    deploy,
    function,
    handler,
    leftovers,
    lint,
    pack,
    package,
    standin,
    teardown,
    template_path,
)
from mlworkbook.sales import make_sales

ROOT = Path(__file__).parent.parent
BODY = template_path().read_text(encoding="utf-8")
SETTINGS = {"Email": "petra@example.invalid", "Python": f"python3.{sys.version_info.minor}"}


@pytest.fixture
def offline(monkeypatch):
    "Any step towards another computer fails the test."
    real = socket.getaddrinfo

    def watched(host, *args, **kwargs):
        assert host in ("127.0.0.1", b"127.0.0.1"), f"asked for {host}"
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", watched)


@pytest.fixture(scope="module")
def here():
    with standin() as found:
        yield found


@pytest.mark.parametrize("address", ["http://127.0.0.1:5000", "http://127.8.8.8", "https://[::1]:4"])
def test_this_computer_is_known_by_its_number(address):
    assert cloud({"AWS_ENDPOINT_URL": address}) == Cloud(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "https://s3.amazonaws.com",
        "http://localhost:5000",
        "http://127.0.0.1.example",
        "http://127.0.0.1@aws.example",
        "http://aws.example/127.0.0.1",
        "http://10.0.0.1",
        "http://0.0.0.0:80",
        "ftp://127.0.0.1",
        "127.0.0.1:5000",
        "http://[::1",
    ],
)
def test_nothing_else_is_reached_without_the_switch(address, offline):
    with pytest.raises(CloudError, match="expected an address of this computer .*real=True"):
        cloud({"AWS_ENDPOINT_URL": address})
    with pytest.raises(CloudError):
        Cloud(address)
    assert cloud({"AWS_ENDPOINT_URL": address}, real=True).real


@pytest.mark.parametrize("real", [1, "yes", "false", None, 0])
def test_the_switch_is_true_and_nothing_like_it(real):
    with pytest.raises(CloudError):
        cloud({}, real=real)


def test_without_a_setting_the_real_cloud_is_refused(monkeypatch, offline):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(CloudError, match="AWS_ENDPOINT_URL is not set, which means the real cloud"):
        cloud()


def test_keys_profiles_and_proxies_of_the_learner_are_never_read(monkeypatch, tmp_path, here):
    trap = "[default]\naws_access_key_id = SECRET\naws_secret_access_key = SECRET\nendpoint_url = https://aws.example\n"
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        (tmp_path / name).write_text(trap + "[profile work]\nregion = mars\n", encoding="utf-8")
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("HTTP_PROXY", "http_proxy", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://proxy.example:1")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SECRET")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "SECRET")
    client, seen = here.client("s3"), []
    client.meta.events.register("before-send.*", lambda request, **_: seen.append(str(request.headers)) or None)
    assert isinstance(client.list_buckets()["Buckets"], list)
    assert client.meta.endpoint_url == here.endpoint
    assert len(seen) == 1 and "stand-in" in seen[0] and "SECRET" not in seen[0]


def test_a_guard_stops_a_request_that_was_turned_away(here, offline):
    client = here.client("s3")
    client.meta.events.register("before-sign.s3", lambda request, **_: setattr(request, "url", "https://aws.example/"))
    with pytest.raises(CloudError, match="a request to https://aws.example/ was stopped"):
        client.list_buckets()
    with pytest.raises(CloudError):
        aws._refuse_elsewhere(AWSRequest("GET", url="http://10.0.0.1/").prepare())


def test_a_process_of_ours_sees_nothing_of_the_learner(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PYTHONPATH", "HTTP_PROXY"):
        monkeypatch.setenv(name, "SECRET")
    found = aws._bare(str(tmp_path), MORE="1")
    assert "SECRET" not in found.values() and found["HOME"] == str(tmp_path) and found["MORE"] == "1"
    assert found["AWS_EC2_METADATA_DISABLED"] == "true"


def test_no_cell_of_the_lesson_throws_the_switch():
    notebook = json.loads((ROOT / "nbs/deploy/59_aws.ipynb").read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    given = {
        key.arg: ast.unparse(key.value)
        for source in code
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for key in node.keywords
        if key.arg == "real"
    }
    assert given == {"real": "'AWS_LAMBDA_FUNCTION_NAME' in os.environ"}, "only a function that is there already"


def test_the_stand_in_ends_with_its_block():
    with pytest.raises(ZeroDivisionError), standin() as found:
        port = int(found.endpoint.rpartition(":")[2])
        assert aws._listening(port)
        raise ZeroDivisionError
    assert not aws._listening(port)


def test_a_stand_in_that_does_not_start_is_said(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CloudError, match=r"did not answer on port .*mlworkbook\[aws\]"), standin():
        pass


def test_the_template_is_clean():
    assert lint(template_path()) == []


def test_a_fault_is_found_with_its_line(tmp_path):
    spoilt = tmp_path / "a b.yaml"
    spoilt.write_text(BODY.replace("RetentionInDays: 14", "RetentionInDays: 15"), encoding="utf-8")
    (found,) = lint(spoilt)
    line = BODY[: BODY.index("RetentionInDays")].count("\n") + 1
    assert found.startswith(f"{line}: E") and "15" in found


def test_the_template_asks_for_what_was_agreed():
    entries = aws._entries(BODY)
    bucket, log = entries["Bucket"]["Properties"], entries["FunctionLog"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"} and bucket["BucketEncryption"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert log["RetentionInDays"] == 14 and entries["Budget"]["Properties"]["NotificationsWithSubscribers"]
    machine = entries["MachineForTheNight"]["Properties"]
    assert machine["MetadataOptions"] == {"HttpTokens": "required"} and "KeyName" not in machine
    assert "SecurityGroupIngress" not in entries["MachineDoor"]["Properties"]
    for name in ("FunctionRole", "MachineRole"):
        for policy in entries[name]["Properties"]["Policies"]:
            for one in policy["PolicyDocument"]["Statement"]:
                assert "*" not in str(one["Action"]) and one["Resource"] not in ("*", ["*"])


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([("Allow", "s3:GetObject", "arn:a/*")], True),
        ([("Allow", "S3:getobject", "arn:a/*")], True),
        ([("Allow", ["s3:PutObject", "s3:Get*"], ["arn:b/*", "arn:a/?"])], True),
        ([("Allow", "s3:GetObject", "arn:A/*")], False),
        ([("Allow", "s3:Put*", "*")], False),
        ([("Allow", "*", "*"), ("Deny", "s3:*", "arn:a/x")], False),
        ([("Deny", "s3:*", "arn:b/*"), ("Allow", "s3:*", "arn:a/*")], True),
        ([("Deny", "s3:GetObject", "*")], False),
    ],
)
def test_a_denial_is_stronger_than_a_permission(statements, expected):
    policy = {"Statement": [dict(zip(("Effect", "Action", "Resource"), one, strict=True)) for one in statements]}
    assert allows(policy, "s3:GetObject", "arn:a/x") is expected


@pytest.mark.slow
def test_a_stack_is_made_used_and_torn_down(here, tmp_path):
    name = "horno"
    made = deploy(here, name, SETTINGS).set_index("resource")
    states = made["state"].to_dict()
    assert {key for key, state in states.items() if state == "made"} == {"Bucket", "FunctionRole", "FunctionLog"}
    assert {key for key, state in states.items() if state == "unknown here"} == {"BucketPolicy", "Budget"}
    bucket, store = made.loc["Bucket", "id"], here.client("s3")
    assert store.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    (log,) = here.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-")["logGroups"]
    assert log["retentionInDays"] == 14

    small = tmp_path / "package"
    assert 0 < package(small, names=()) < 200_000
    store.put_object(Bucket=bucket, Key="code/a.zip", Body=pack(small))
    network = here.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    more = SETTINGS | {"CodeKey": "code/a.zip", "Machine": "yes", "Network": network}
    full = deploy(here, name, more)
    assert deploy(here, name, more).equals(full)
    assert full.set_index("resource")["state"].value_counts().to_dict() == {"made": 8, "unknown here": 2}

    asked = {"RoleName": f"{name}-function", "PolicyName": "read-models-write-log"}
    ours = yaml.safe_load(here.client("iam").get_role_policy(**asked)["PolicyDocument"])
    can = {
        (action, key): allows(ours, action, f"arn:aws:s3:::{bucket}/{key}")
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
        for key in ("models/a.onnx", "forecasts/a.csv")
    }
    assert [key for key, yes in can.items() if yes] == [("s3:GetObject", "models/a.onnx")]

    kinds = leftovers(here, name)["kind"].tolist()
    assert sorted(set(kinds)) == ["bucket", "function", "log", "machine", "profile", "role", "security group"]
    orphan = here.client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=1)["VolumeId"]
    here.client("ec2").create_tags(Resources=[orphan], Tags=[{"Key": "project", "Value": name}])
    with pytest.raises(CloudError, match=f"1 things of {name} are left: disk {orphan}"):
        teardown(here, name)
    here.client("ec2").delete_volume(VolumeId=orphan)
    assert teardown(here, name) == 0 and leftovers(here, name).empty


@pytest.mark.parametrize("kind", ["create", "delete"])
def test_a_stack_that_is_not_finished_says_what_failed_first(kind, monkeypatch):
    first = {"LogicalResourceId": "Role", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "no right"}

    class Stuck:
        "A cloud whose stacks never get there."

        def can_paginate(self, operation):
            return False

        def describe_stacks(self):
            return {"Stacks": [{"StackName": "horno"}] if kind == "delete" else []}

        def list_stack_resources(self, StackName):
            return {}

        def get_waiter(self, name):
            assert name == f"stack_{kind}_complete"
            return self

        def wait(self, **asked):
            raise WaiterError(name="stack", reason="terminal failure", last_response={})

        def describe_stack_events(self, StackName):
            return {"StackEvents": [{"LogicalResourceId": "later", "ResourceStatus": "DELETE_FAILED"}, first]}

        create_stack = delete_stack = lambda self, **asked: None

    monkeypatch.setattr(Cloud, "client", lambda self, service: Stuck())
    act = {"create": lambda here: deploy(here, "horno", {}), "delete": lambda here: teardown(here, "horno")}[kind]
    with pytest.raises(CloudError, match=f"horno: {kind} was not finished: Role: no right; "):
        act(Cloud("http://127.0.0.1:9"))


def test_emptying_takes_every_version_and_mark(here):
    store = here.client("s3")
    store.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    store.put_bucket_versioning(Bucket="many", VersioningConfiguration={"Status": "Enabled"})
    for key in "abc":
        store.put_object(Bucket="many", Key=key, Body=b"1")
        store.put_object(Bucket="many", Key=key, Body=b"2")
    store.delete_object(Bucket="many", Key="a")
    assert aws._empty(here, "many") == 7 and aws._empty(here, "many") == 0
    store.delete_bucket(Bucket="many")


def test_somebody_elses_things_are_not_ours(here):
    logs = here.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/panes-forecast")
    try:
        assert leftovers(here, "pan").empty
        assert leftovers(here, "panes")["id"].tolist() == ["/aws/lambda/panes-forecast"]
    finally:
        logs.delete_log_group(logGroupName="/aws/lambda/panes-forecast")


@pytest.mark.parametrize(
    ("body", "message"),
    [("Resources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nobody}}}", "refused|not finished")],
)
def test_a_refusal_is_said_with_its_stack(here, tmp_path, body, message):
    (tmp_path / "t.yaml").write_text(body, encoding="utf-8")
    with pytest.raises(CloudError, match=message):
        deploy(here, "roto", {}, tmp_path / "t.yaml")


def test_a_package_that_is_too_big_is_refused_before_it_is_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(aws, "_LIMIT", 1000)
    with pytest.raises(CloudError, match="bytes unpacked, expected 1000 at most"):
        package(tmp_path / "p", names=())
    assert not (tmp_path / "p").exists()


def test_a_package_goes_to_an_empty_folder(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(FileExistsError, match="expected an empty folder"):
        package(tmp_path, names=())


def test_the_same_files_make_the_same_zip(tmp_path):
    package(tmp_path / "one", names=())
    package(tmp_path / "two", names=())
    os.utime(tmp_path / "two/mlworkbook/project/aws.py", (1e9, 1e9))
    assert pack(tmp_path / "one") == pack(tmp_path / "two")


def test_what_travels_imports_nothing_else_of_ours():
    for name in aws._OURS:
        tree = ast.parse((ROOT / "mlworkbook" / f"{name}.py").read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level]
        names = {(node.module or alias.name).replace(".", "/") for node in top for alias in node.names}
        assert names <= set(aws._OURS), name


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], "no 'series'"),
        (None, "no 'series'"),
        ({"series": "S02"}, "no 'days'"),
        ({"series": "S02", "days": []}, "no 'days'"),
        ({"series": "../S02", "days": ["2019-05-01"]}, "letters, digits"),
        ({"series": {"a": 1}, "days": ["2019-05-01"]}, "letters, digits"),
        ({"series": "S02", "days": ["2019-05-01"] * 401}, "401 days were asked for"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(event, message):
    with pytest.raises(ValueError, match=message):
        handler(event)


def test_the_handler_does_not_reach_the_cloud_from_a_desk(monkeypatch, offline):
    monkeypatch.setenv("MODELS_BUCKET", "b")
    for name in ("AWS_ENDPOINT_URL", "AWS_LAMBDA_FUNCTION_NAME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CloudError, match="expected an address of this computer"):
        handler({"series": "S02", "days": ["2019-05-01"]})


@pytest.mark.slow
def test_a_clean_python_runs_the_package_and_nothing_more(here, tmp_path):
    history = make_sales(seed=5, series=1, days=200, horizon=14)
    forecaster = Forecaster(Params()).fit(history)
    store = here.client("s3")
    store.create_bucket(Bucket="tienda", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    store.put_object(Bucket="tienda", Key="models/S01.onnx", Body=to_onnx(forecaster, "S01"))
    rows = future(history, 14)
    known = {name: rows[name].tolist() for name in rows if name not in ("unique_id", "ds")}
    question = {"series": "S01", "days": rows["ds"].dt.strftime("%Y-%m-%d").tolist(), "known": known}
    size = package(tmp_path / "package")
    assert 50e6 < size <= aws._LIMIT
    ours = tmp_path / "package/mlworkbook"
    assert {path.relative_to(ours).as_posix() for path in ours.rglob("*.py")} == {f"{name}.py" for name in aws._OURS}
    with function(tmp_path / "package", MODELS_BUCKET="tienda", AWS_ENDPOINT_URL=here.endpoint) as ask:
        first, again = ask(question), ask(question)
        assert first.error == "" and first.value == again.value and again.seconds < first.seconds
        assert first.value["yhat"] == pytest.approx(forecaster.predict(14)["yhat"].tolist(), abs=6e-4)
        assert "DataError: tienda has no model of 'S99'" in ask(question | {"series": "S99"}).error
        assert "needs" in ask(question | {"known": {}}).error
        assert ask(question).value == first.value, "an error does not end the function"


@pytest.mark.slow
def test_a_function_that_cannot_start_says_why(tmp_path):
    package(tmp_path / "package", names=())
    said = "(?s)the function ended and said: .*numpy"
    with function(tmp_path / "package") as ask, pytest.raises(CloudError, match=said):
        ask({})


@pytest.mark.parametrize(
    ("use", "message"),
    [({"gpu": 1}, "'gpu' has no price, known are"), ({"vm": -1}, "vm is -1"), ({"vm": float("nan")}, "vm is nan")],
)
def test_a_bill_takes_only_what_has_a_price(use, message):
    with pytest.raises(ValueError, match=message):
        bill(use)


def test_a_bill_adds_up_in_euros():
    table = bill({"vm": 10, "calls": 2_000_000, "storage": 0})
    costs = table.set_index("item")["cost_eur"]
    assert costs.to_dict() == pytest.approx({"vm": 10 * 0.115 * 0.962, "calls": 0.4 * 0.962, "storage": 0})
    assert table["cost_eur"].is_monotonic_decreasing and table["unit"].str.startswith("EUR/").all()


def test_importing_the_module_is_light():
    heavy = {"boto3", "botocore", "pandas", "onnxruntime", "yaml"}
    code = f"import sys, mlworkbook.project.aws; print(*sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
