"A real Spark master and workers on the loopback address, started from the pip package."

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

SPARK_CLASS = "org.apache.spark.deploy"


def free_port():
    "A port that nobody listens at."
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Cluster:
    "A master and its workers, each in a process group of its own."

    def __init__(self, room):
        self.room, self.port, self.running = Path(room), free_port(), {}
        self.master = f"spark://127.0.0.1:{self.port}"

    def start(self, name, kind, *words):
        "Start a daemon in the foreground."
        import pyspark

        command = [str(Path(pyspark.__file__).parent / "bin/spark-class"), f"{SPARK_CLASS}.{kind}"]
        command += ["--host", "127.0.0.1", "--webui-port", str(free_port()), *words]
        quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # it lives for seconds
        environ = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "JAVA_TOOL_OPTIONS": quick}
        with (self.room / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ, start_new_session=True
            )

    def add_worker(self, name):
        "One more worker, with one core."
        words = ["--cores", "1", "--memory", "1g", "--work-dir", str(self.room / f"{name}-work"), self.master]
        self.start(name, "worker.Worker", *words)

    def kill(self, name):
        "Kill a daemon and the processes that it started, as when its machine burns down."
        with suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running.pop(name).wait()


@contextmanager
def cluster(room):
    "A master without workers; nothing is left of them afterwards."
    spark = Cluster(room)
    try:
        spark.start("master", "master.Master", "--port", str(spark.port))
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", spark.port), timeout=1).close()
                break
            time.sleep(0.2)
        yield spark
    finally:
        for name in list(spark.running):
            spark.kill(name)
