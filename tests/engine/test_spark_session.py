"""What keeps Spark from starting is one sentence, within a stated time; no test here starts it."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from engine import spark_session
from engine.cli import main
from engine.errors import ConfigError
from engine.spark_session import is_near, session_of

pytest.importorskip("pyspark")


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    """Let every test believe that Java is there and that the process has no session."""
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    monkeypatch.setattr(spark_session, "_start", lambda master: pytest.fail(f"{master} was started"))
    monkeypatch.setattr(spark_session.shutil, "which", lambda name, path=None: "/bin/java")


@pytest.fixture
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.parametrize(
    ("master", "near"),
    [
        ("local[2]", True),
        ("spark://127.0.0.1:7077", True),
        ("spark://localhost:7077", True),
        ("spark://127.0.0.1:7077,node-2:7077", False),
        ("spark://127.example.org:7077", False),
        ("yarn", False),
    ],
)
def test_only_on_this_machine_the_driver_hides_from_others(master, near):
    assert is_near(master) == near


@pytest.mark.parametrize("master", ["sparc://a:1", "", "duck", "hive"])
def test_an_unknown_backend_is_refused(master):
    with pytest.raises(ConfigError, match="is unknown; allowed are duckdb, or a Spark master"):
        session_of(master)


@pytest.mark.parametrize("master", ["spark://", "spark://node", "spark://node:", "spark://node:x", "spark://a:99999"])
def test_a_master_without_host_or_port_is_refused(master):
    with pytest.raises(ConfigError, match="allowed is spark://HOST:PORT"):
        session_of(master)


def test_a_master_where_nothing_listens_is_refused_at_once(free_port, capsys, tmp_path):
    (tmp_path / "d.csv").write_text("exposure_time,conversion_time\n1,2\n")
    started = time.monotonic()
    words = ["--data", str(tmp_path / "d.csv"), "--backend", f"spark://127.0.0.1:{free_port}"]
    assert main(["describe", "delay", *words]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1
    assert f"'--backend spark://127.0.0.1:{free_port}' cannot be reached (connection refused)" in output.err
    assert time.monotonic() - started < 30


def test_a_master_that_does_not_take_connections_is_given_up(monkeypatch):
    def wait(address, timeout):
        assert timeout == spark_session.REACH_SECONDS
        raise TimeoutError

    monkeypatch.setattr(spark_session.socket, "create_connection", wait)
    with pytest.raises(ConfigError, match="no answer within 5 seconds"):
        session_of("spark://10.255.255.1:7077")


def test_one_master_of_several_is_enough(free_port):
    with socket.create_server(("127.0.0.1", 0)) as server:
        spark_session._reach(f"spark://127.0.0.1:{free_port},127.0.0.1:{server.getsockname()[1]}")
    with pytest.raises(ConfigError, match="cannot be reached"):
        spark_session._reach(f"spark://127.0.0.1:{free_port},127.0.0.1:{free_port}")


@pytest.mark.parametrize(("home", "where"), [(None, "on the path"), ("/opt/none", "in JAVA_HOME ('/opt/none')")])
def test_a_missing_java_says_what_to_install(home, where, monkeypatch):
    monkeypatch.setattr(spark_session.shutil, "which", lambda name, path=None: None)
    monkeypatch.setenv("JAVA_HOME", home) if home else monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError) as refusal:
        session_of("local[2]")
    assert where in str(refusal.value) and "apt-get install default-jre-headless" in str(refusal.value)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(ConfigError, match=r"install it with: .venv/bin/pip install 'ibis-framework\[pyspark\]'"):
        session_of("local[2]")


def test_a_session_with_another_master_is_not_taken_silently(monkeypatch):
    from types import SimpleNamespace

    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_active_spark_context", SimpleNamespace(master="local[4]"))
    with pytest.raises(ConfigError, match=r"differs from the Spark session of this process, 'local\[4\]'"):
        session_of("local[2]")


def test_a_cluster_without_a_free_worker_is_given_up_without_a_traceback(monkeypatch, capsys):
    import threading

    stopped = threading.Event()

    class Waiting:
        """A context whose job ends when it is cancelled, and then by an exception."""

        _jsc = property(lambda self: self)

        def sc(self):
            return self

        def range(self, *bounds):
            return self

        def count(self):
            stopped.wait(30)
            raise RuntimeError("cancelled")

        def cancelAllJobs(self):
            stopped.set()

        def stop(self):
            stopped.set()

    monkeypatch.setattr(spark_session, "READY_SECONDS", 0.05)
    with pytest.raises(ConfigError, match=r"gave no worker within 0\.05 seconds"):
        spark_session._await_worker(Waiting(), "spark://node:7077")
    assert stopped.is_set() and capsys.readouterr().err == ""
