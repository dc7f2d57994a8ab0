"Promises of the comments: clean data, fair splits, settings that are checked, and a pipeline that comes back the same."

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from mlworkbook.course.feedback import (
    TOPICS,
    Settings,
    classify,
    configured,
    examine,
    fit,
    hard_coded,
    keywords,
    load_comments,
    load_model,
    pipeline,
    plain,
    plot_confusion,
    read_settings,
    save_model,
    split,
)
from mlworkbook.ops.spark import spark_session

ROOT = Path(__file__).parent.parent
needs_java = pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 17, such as openjdk-17-jre-headless")


@pytest.fixture(scope="module")
def comments():
    return load_comments()


@pytest.fixture(scope="module")
def spark():
    session = spark_session("local[1]")
    session.conf.set("spark.sql.shuffle.partitions", "1")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def model(spark, comments):
    return fit(spark, split(comments, seed=39)[0])


def test_there_are_enough_comments_of_every_topic(comments):
    assert len(comments) >= 400 and set(comments["topic"]) == set(TOPICS)
    assert comments["topic"].value_counts().min() >= 60
    assert comments["comment"].str.len().between(2, 200).all()


def test_comments_are_no_product_of_a_template(comments):
    starts = Counter(" ".join(plain(text).split()[:3]) for text in comments["comment"])
    assert starts.most_common(1)[0][1] <= 5, starts.most_common(3)
    texts = comments["comment"].map(plain)
    assert 0 < texts.duplicated().sum() <= 10, "a few repeated ones, so that a careless split leaks"


def test_no_comment_has_two_topics(comments):
    assert comments.assign(text=comments["comment"].map(plain)).groupby("text")["topic"].nunique().max() == 1


def test_the_licence_of_the_comments_is_told():
    assert re.search(r"comments\.csv.*CC0", (ROOT / "mlworkbook/data/SOURCE.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "starts with nothing, expected comment,topic"),
        ("text,label\nHola,otra\n", "starts with text, label"),
        ("comment,topic\n", "holds no comment"),
        ("comment,topic\nHola,otra\nCaro,money\n", ":3: topic 'money', expected one of producto"),
        ("comment,topic\n ,otra\n", ":2: .*expected a comment and its topic"),
        ("comment,topic\nCaro, muy caro,precio\n", ":2: .*quote commas"),
        ("comment,topic\n\nHola,otra\n", ":2: .*drop empty lines"),
    ],
    ids=["empty", "heading", "none", "topic", "blank", "commas", "line"],
)
def test_bad_files_of_comments_are_refused(text, message, tmp_path):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_comments(tmp_path / "c.csv")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "c.csv").write_bytes("comment,topic\natención,otra\n".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        load_comments(tmp_path / "c.csv")


@pytest.mark.parametrize("seed", range(5))
def test_no_text_is_on_both_sides(seed, comments):
    more = pd.concat([comments, comments.head(50).assign(comment="¡¡" + comments["comment"].head(50).str.upper())])
    learn, exam = split(more, seed=seed)
    assert len(learn) + len(exam) == len(more) and 0.2 < len(exam) / len(more) < 0.4
    assert not set(learn["comment"].map(plain)) & set(exam["comment"].map(plain))


def test_more_comments_do_not_move_the_old_ones(comments):
    _, few = split(comments.head(100))
    _, many = split(comments)
    assert set(few["comment"]) <= set(many["comment"])


@pytest.mark.parametrize("share", [0, 1])
def test_a_split_with_an_empty_side_is_refused(share, comments):
    with pytest.raises(ValueError, match="leaves one side empty"):
        split(comments, share=share)


@pytest.mark.parametrize(
    "comment, topic",
    [
        ("Una COLA eterna", "espera"),
        ("¡Carísimo!", "otra"),
        ("muy caro", "precio"),
        ("El pan, seco", "producto"),
        ("empanada", "otra"),
        ("Me trataron mal", "atención"),
        ("Ni buenos días", "otra"),
        ("buen trato", "atención"),
    ],
)
def test_the_rule_looks_at_the_start_of_words(comment, topic):
    assert keywords(comment) == topic


def test_settings_go_to_a_file_and_back(tmp_path):
    for settings in (Settings(), Settings(maxIter=30), Settings(regParam=0.01, numFeatures=2000), Settings(regParam=0)):
        (tmp_path / "s.yaml").write_text(configured(settings))
        assert read_settings(tmp_path / "s.yaml") == settings


GOOD = "maxIter: 10\nregParam: 0.1\nnumFeatures: 1000\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "line 1: expected lines `name: number`"),
        ("- 1\n", "line 1: expected lines"),
        ("maxIter 10", "line 1: expected lines"),
        ("maxIter: [10\n", "line [12]: not YAML"),
        ("maxIter: 10\n\tregParam: 1\n", "line 2: not YAML"),
        (GOOD.replace("10\n", "'10'\n", 1), "line 1: maxIter is '10', expected a whole number"),
        (GOOD.replace("10\n", "0\n", 1), "line 1: maxIter is 0"),
        (GOOD.replace("10\n", "true\n", 1), "line 1: maxIter is True"),
        (GOOD.replace("0.1", "0,1"), "line 2: regParam is '0,1', expected a number >= 0"),
        (GOOD.replace("0.1", "-1"), "line 2: regParam is -1"),
        (GOOD.replace("0.1", ".nan"), "line 2: regParam is nan"),
        (GOOD.replace("0.1", ".inf"), "line 2: regParam is inf"),
        (GOOD.replace("1000", "1000.0"), "line 3: numFeatures is 1000.0"),
        (GOOD.replace("1000", "10000000"), "line 3: numFeatures is 10000000, expected a whole number from 1 to"),
        (GOOD.replace("regParam", "regparam"), "line 2: 'regparam' is no setting"),
        (GOOD + "maxIter: 20\n", "line 4: key 'maxIter' was given before"),
        ("maxIter: 10\nregParam: 0.1\n", "numFeatures is missing"),
        ("maxIter: !!python/object/apply:os.system ['x']\n", "line 1: the tag python/object.* is not read"),
    ],
)
def test_bad_settings_come_with_their_line(text, message, tmp_path):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_settings(tmp_path / "s.yaml")


def test_missing_settings_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="s.yaml is not there, expected a YAML file"):
        read_settings(tmp_path / "s.yaml")


def test_the_interval_is_the_one_of_the_books():
    exam = examine(["otra"] * 10, ["otra"] * 8 + ["precio"] * 2)
    assert (exam.right, exam.accuracy) == (8, 0.8)
    assert (round(exam.low, 3), round(exam.high, 3)) == (0.490, 0.943)  # Wilson's for 8 of 10


def test_recall_counts_each_topic_by_itself():
    exam = examine(["precio", "precio", "espera", "otra"], ["precio", "otra", "precio", "otra"])
    assert exam.recall == {"precio": 0.5, "espera": 0.0, "otra": 1.0}


@pytest.mark.parametrize("true, predicted", [([], []), (["otra"], []), (["otra"], ["otra", "otra"])])
def test_an_exam_needs_an_answer_for_each_comment(true, predicted):
    with pytest.raises(ValueError, match="expected one each"):
        examine(true, predicted)


def test_the_picture_counts_every_comment():
    ax = plot_confusion(["precio", "precio", "otra"], ["precio", "otra", "otra"])
    assert sum(int(text.get_text()) for text in ax.texts) == 3 and len(ax.texts) == 25


def lesson_33():
    "The function of lesson 33 that writes the file everybody edits."
    cells = json.loads((ROOT / "nbs/develop/33_gitflow.ipynb").read_text(encoding="utf-8"))["cells"]
    (source,) = ("".join(cell["source"]) for cell in cells if cell["id"] == "gf-pipeline")
    exec(source, names := {})
    return names["pipeline"]


@pytest.mark.parametrize("numbers", [(), (30,), (10, 0.01), (10, 0.1, 2000)])
def test_the_file_of_lesson_33_is_ours(numbers):
    assert lesson_33()(*numbers) == hard_coded(*numbers)


@pytest.mark.slow
@needs_java
def test_the_file_of_lesson_33_runs_and_is_our_pipeline(spark):
    for numbers in ((10, 0.1, 1000), (30, 0.01, 2000)):
        exec(lesson_33()(*numbers), theirs := {})
        ours = pipeline(Settings(*numbers))
        for one, two in zip(theirs["pipeline"].getStages(), ours.getStages(), strict=True):
            settings = ({name.name: value for name, value in stage.extractParamMap().items()} for stage in (one, two))
            first, second = ({k: v for k, v in found.items() if not k.endswith("Col")} for found in settings)
            assert type(one) is type(two) and first == second
    rows = spark.createDataFrame([("pan rico", 0.0), ("muy caro", 1.0), ("pan seco", 0.0)], ["comment", "label"])
    found = theirs["pipeline"].fit(rows).transform(rows).toPandas()
    assert found["prediction"].tolist() == [0.0, 1.0, 0.0]


@pytest.mark.slow
@needs_java
def test_the_pipeline_knows_more_than_nothing(spark, model, comments):
    learn, exam = split(comments, seed=39)
    answers = classify(spark, model, exam)
    assert answers["comment"].tolist() == exam["comment"].tolist() and set(answers["predicted"]) <= set(TOPICS)
    often = examine(exam["topic"], [learn["topic"].mode()[0]] * len(exam))
    assert examine(exam["topic"], answers["predicted"]).accuracy > often.high
    loud = exam.assign(comment="¡" + exam["comment"].str.upper() + "!!")
    assert classify(spark, model, loud)["predicted"].tolist() == answers["predicted"].tolist()


@pytest.mark.slow
@needs_java
def test_settings_reach_the_model(spark, comments):
    few = fit(spark, comments.head(60), Settings(maxIter=1, regParam=0.5, numFeatures=50))
    assert few.stages[-1].numFeatures == 50 and few.stages[-1].getOrDefault("regParam") == 0.5
    assert few.stages[-1].getOrDefault("maxIter") == 1


@pytest.mark.slow
@needs_java
def test_a_saved_model_comes_back_the_same(spark, model, comments, tmp_path):
    folder = save_model(model, tmp_path / "año nuevo")
    assert classify(spark, load_model(spark, folder), comments).equals(classify(spark, model, comments))
    with pytest.raises(FileExistsError, match="exists already; name another folder"):
        save_model(model, folder)


@pytest.mark.slow
@needs_java
@pytest.mark.parametrize("spoil", ["metadata", "stage", "numbers", "gone"])
def test_a_damaged_model_is_refused(spoil, spark, model, tmp_path):
    folder = save_model(model, tmp_path / "model")
    if spoil == "gone":
        shutil.rmtree(folder / "metadata")
    else:
        where = {
            "metadata": "metadata/part-*",
            "stage": "stages/0*/metadata/part-*",
            "numbers": "stages/2*/data/*.parquet",
        }
        path = next(folder.glob(where[spoil]))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises((ValueError, FileNotFoundError), match="is damaged|holds no model of Spark"):
        load_model(spark, folder)
