"""Running jobs from Python."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jobs import LONG, ROWS, SMALL, files, program, python

import eigensweep as es

TOML = """
[job]
name = "small"
replicates = 6
seed = 3
[data]
components = 4
label_count = 3
[corruption]
components = 4
scale = [10.0, 1000.0]
[augmentation]
alignment = [0.1, 1.0, 10.0]
[grid]
samples = [100, 10000]
[model]
dimension = 4
"""


def test_a_job_is_a_path_text_or_dict(tmp_path: Path) -> None:
    path = tmp_path / "a=b.toml"
    path.write_text(TOML)
    jobs: list[Any] = [SMALL, TOML, path, str(path)]
    made = [es.run(job, output=tmp_path / str(at)) for at, job in enumerate(jobs)]
    assert [len(data) for data in made] == [ROWS] * 4
    for data in made:
        assert files(data.path) == files(made[0].path)


def test_values_of_a_dict_may_be_arrays_scalars_tuples_and_paths(tmp_path: Path) -> None:
    job = {
        "job": {"name": "small", "replicates": np.int64(6), "seed": np.uint8(3)},
        "data": {"components": 4, "label_count": 3, "teacher": None},
        "corruption": {"components": 4, "scale": np.array([10, 1000], np.float32)},
        "augmentation": {"alignment": (np.float64(0.1), 1, 10)},
        "grid": {"samples": np.array([100, 10_000])},
        "model": {"dimension": 4},
    }
    first = es.run(job, output=tmp_path / "a")
    assert files(first.path) == files(es.run(SMALL, output=tmp_path / "b").path)
    alignment = {"from": 0.1, "to": 10, "count": 3, "scale": "log"}
    ranged = es.run(SMALL | {"augmentation": {"alignment": alignment}}, output=tmp_path / "c")
    assert ranged.axes["alignment"] == pytest.approx([0.1, 1, 10])


def test_what_is_set_goes_over_the_job(tmp_path: Path) -> None:
    data = es.run(
        SMALL, set={"job.replicates": 2, "output.metrics": ("distance",)}, output=tmp_path
    )
    assert len(data) == ROWS // 3
    assert data.job["output"]["metrics"] == ["distance"]
    assert data.job["job"]["replicates"] == 2


def test_the_directory_is_the_jobs_name_in_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert es.run(SMALL).path == tmp_path / "output/small"
    assert es.run(SMALL | {"job": {"replicates": 1}}).path == tmp_path / "output/job"


def test_a_data_set_stays_where_it_is_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    def leave(rows: int, total: int, failed: int) -> None:
        os.chdir(tmp_path / "elsewhere")

    data = es.run(SMALL, output="output/here", progress=leave)
    assert Path.cwd().name == "elsewhere"
    assert data.path == tmp_path / "output/here" and len(data) == ROWS
    assert os.listdir(tmp_path / "elsewhere") == []


def test_the_same_call_goes_on_and_a_larger_job_adds_to_it(tmp_path: Path) -> None:
    first = es.run(SMALL, output=tmp_path)
    before = files(first.path, "data/*")
    assert len(es.run(SMALL, set={"job.replicates": 8}, output=tmp_path)) == ROWS // 6 * 8
    assert before.items() <= files(first.path, "data/*").items()
    assert len(es.run(SMALL, output=tmp_path, fresh=True)) == ROWS


def test_the_data_set_is_the_programs_byte_for_byte(tmp_path: Path) -> None:
    job = tmp_path / "small.toml"
    job.write_text(TOML)
    ours = es.run(job, output=tmp_path / "module")
    theirs = tmp_path / "program"
    command = [program(), "run", str(job), "--output", str(theirs), "--quiet"]
    subprocess.run(command, check=True)
    assert files(ours.path) == files(theirs)
    # Either goes on where the other was.
    command = [program(), "run", str(job), "--output", str(ours.path), "--set", "job.replicates=7"]
    subprocess.run(command, check=True, capture_output=True)
    es.run(job, set={"job.replicates": 7}, output=theirs)
    assert files(ours.path) == files(theirs)
    assert es.open(theirs).status["complete"]


def test_shards_make_the_whole(tmp_path: Path) -> None:
    parts = {"output.part_rows": 100}
    whole = es.run(SMALL, set=parts, output=tmp_path / "whole")
    assert whole.status["parts"] > 1
    es.run(SMALL, set=parts, output=tmp_path / "shared", shard="1/2")
    assert not es.open(tmp_path / "shared").status["complete"]
    shared = es.run(SMALL, set=parts, output=tmp_path / "shared", shard=(2, 2))
    assert files(shared.path, "data/*") == files(whole.path, "data/*")
    for wrong in ("2", "3/2", (0, 2)):
        with pytest.raises(ValueError):
            es.run(SMALL, output=tmp_path / "shared", shard=wrong)


# Bad input


def test_a_bad_job_says_all_that_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    text = "[corruption]\nscal = 2\n[grid]\nsamples = 0\n"
    with pytest.raises(es.JobError, match="did you mean `scale`") as caught:
        es.run(text, output=tmp_path / "none")
    first, second = caught.value.problems
    assert (first["source"], first["line"], first["column"]) == ("job", 2, 1)
    assert first["help"] is not None and first["help"].startswith("did you mean `scale`?")
    assert second["line"] == 4
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, es.Error)
    assert "job:2:1: " in str(caught.value)
    assert not (tmp_path / "none").exists()
    with pytest.raises(es.JobError, match="set corruption.scal=2:1:1: ") as caught:
        es.run(SMALL, set={"corruption.scal": 2}, output=tmp_path / "none")
    with pytest.raises(es.JobError, match=r"`grid.samples\[1\]` is a complex"):
        es.run({"grid": {"samples": [1, 2j]}})
    with pytest.raises(es.JobError, match="`augmentation.alignment` is nan"):
        es.run({"augmentation": {"alignment": np.nan}})
    with pytest.raises(TypeError, match="not int"):
        es.run(3)  # type: ignore[arg-type]


def test_job_errors_pickle() -> None:
    import pickle

    with pytest.raises(es.JobError) as caught:
        es.run({"grid": {"samples": 0}})
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.problems == caught.value.problems


def test_files_that_cannot_be_read_keep_the_systems_number(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="cannot read the job file"):
        es.run(tmp_path / "none.toml")
    job = {
        "data": {"source": "npy", "inputs": tmp_path / "none.npy", "labels": "none.npy"},
        "model": {"dimension": 2},
    }
    with pytest.raises((OSError, es.Error), match=r"none\.npy"):
        es.run(job, output=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_directory_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(es.Error, match="output= names another directory"):
        es.run(SMALL, output=tmp_path)
    with pytest.raises(es.Error, match="output="):
        es.run(SMALL, output=tmp_path, data=(np.eye(4), np.arange(4)))
    assert os.listdir(tmp_path) == ["thesis.tex"]
    data = es.run(SMALL, output=tmp_path / "a")
    with pytest.raises(es.Error, match="fresh=True replaces the data set") as caught:
        es.run(SMALL, set={"job.seed": 4}, output=data.path)
    assert "--" not in str(caught.value)
    # What is not the same is named, with both values where they are short.
    assert "another job, which differs in job.seed (3, not 4)" in str(caught.value)


def test_an_array_under_a_key_that_there_is_not_is_not_printed(tmp_path: Path) -> None:
    with pytest.raises(es.JobError, match="did you mean `inputs`") as caught:
        es.run(SMALL, data={"input": np.ones((500, 20))}, output=tmp_path / "set")
    assert len(str(caught.value)) < 1000
    with pytest.raises(es.JobError, match="did you mean `scale`") as caught:
        es.run(SMALL, set={"corruption.scal": np.arange(1000)}, output=tmp_path / "set")
    assert len(str(caught.value)) < 1000


def test_a_function_is_no_value_of_a_job() -> None:
    with pytest.raises(es.JobError, match="(?s)stages` is a function.*of solve") as caught:
        es.run(SMALL | {"augmentation": {"stages": lambda X, rng: X}})
    assert len(caught.value.problems) == 1


HUGE = 10**30


@pytest.mark.parametrize(
    "call",
    [
        lambda: es.run(SMALL, threads=HUGE),
        lambda: es.run(SMALL, threads=0),
        lambda: es.run(SMALL, threads=-HUGE),
        lambda: es.plan(SMALL, threads=HUGE),
        lambda: es.plan(SMALL, shards=HUGE),
        lambda: es.plan(SMALL, shards=0),
        lambda: es.run(SMALL, shard=(HUGE, HUGE)),
        lambda: es.run(SMALL, shard=(-1, 2)),
        lambda: es.run(SMALL, shard=f"1/{HUGE}"),
        lambda: es.run(SMALL, set={"job.seed": HUGE}),
        lambda: es.run(SMALL, set={"job.replicates": 10**400}),
        lambda: es.run(SMALL, set={"corruption.scale": [1, 10**5000]}),
        lambda: es.run("[job]\nseed = 1" + "0" * 400),
        lambda: es.boundary(SMALL | {"model": {"dimension": HUGE}}),
        lambda: es.theory(SMALL, replicate=HUGE),
        lambda: es.theory(SMALL, replicate=-1),
        lambda: es.theory(
            signal=[1], theta_signal=[1], gamma=[1], theta_noise=[1], dimension=HUGE
        ),
        lambda: es.theory(signal=[1], theta_signal=[1], gamma=[1], theta_noise=[1], dimension=-1),
        lambda: es.diagnose(np.eye(3), repeats=np.eye(3), dimension=HUGE),
        lambda: es.diagnose(np.eye(3), repeats=np.eye(3), components=HUGE),
        lambda: es.diagnose(np.eye(3), repeats=np.eye(3), alignment=10**400),
        lambda: es.diagnose(np.eye(3), repeats=np.eye(3), threads=HUGE),
        lambda: es.solve(np.eye(3), dimension=HUGE),
        lambda: es.solve(np.eye(3), dimension=1, covariance=10**400),
        lambda: es.solve(np.eye(3), dimension=1, n_views=HUGE, views=lambda X, rng: X),
        lambda: es.solve(S=np.eye(3), G=np.eye(3), dimension=1, label_power=10**400),
    ],
)
def test_numbers_beyond_what_is_taken_are_value_errors(call: Any) -> None:
    with pytest.raises(ValueError):
        call()


# Progress


def test_a_callback_hears_how_it_gets_on(tmp_path: Path) -> None:
    heard: list[tuple[int, int, int]] = []
    es.run(SMALL, output=tmp_path, progress=lambda *rows: heard.append(rows))
    assert heard[-1] == (ROWS, ROWS, 0)
    assert heard == sorted(heard)


def test_what_a_callback_raises_ends_the_run_and_comes_out_unchanged(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    error = Enough()

    def stop(rows: int, total: int, failed: int) -> None:
        if rows > 2000:
            raise error

    parts = {"output.part_rows": 1000}
    with pytest.raises(Enough) as caught:
        es.run(LONG, set=parts, output=tmp_path, progress=stop)
    assert caught.value is error
    data = es.open(tmp_path)
    assert 0 < len(data) < data.status["rows"]
    assert data.status["shards"][0]["state"] == "stopped"


def test_a_bar_is_shown_if_it_is_asked_for_and_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tqdm")
    es.run(SMALL, output=tmp_path, progress=True)
    shown = capsys.readouterr().err
    assert "100%" in shown and shown.endswith("\n")
    es.run(SMALL, output=tmp_path / "other")
    es.run(SMALL, output=tmp_path / "third", progress=False)
    assert capsys.readouterr() == ("", "")


def test_repairs_and_failures_are_warnings(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = es.run(SMALL, output=tmp_path)
    part = next(data.path.glob("data/*"))
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.warns(es.EigensweepWarning, match="its part is computed again") as heard:
        es.run(SMALL, output=tmp_path)
    assert heard[0].filename == __file__
    assert data.verify() == []


# Interruption

INTERRUPTED = """
import json, os, signal, sys, threading, time
import eigensweep as es
job, output, kind = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
begun = threading.Event()
sent = []
def kill():
    begun.wait()
    time.sleep(float(sys.argv[4]))
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=kill, daemon=True).start()
try:
    if kind == "plan":
        begun.set()
        es.plan(job)
    else:
        es.run(job, output=output, progress=lambda *rows: begun.set())
except KeyboardInterrupt as error:
    took = time.monotonic() - sent[0]
    print(json.dumps([took, getattr(error, "__notes__", [])]))
"""


def test_control_c_is_heard_within_half_a_second_and_what_is_done_is_kept(tmp_path: Path) -> None:
    job = LONG | {"output": {"part_rows": 1000}}
    ended = python(INTERRUPTED, json.dumps(job), tmp_path, "run", 0.5)
    took, notes = json.loads(ended.stdout)
    assert took < 0.5
    assert notes == ["the same call goes on from the last finished part"]
    data = es.open(tmp_path)
    done = len(data)
    assert 0 < done < data.status["rows"]
    assert data.status["shards"][0]["state"] == "stopped"


def test_control_c_ends_a_task_that_takes_long(tmp_path: Path) -> None:
    job = {
        "job": {"replicates": 50},
        "data": {"components": 700, "label_count": 2},
        "corruption": {"components": 700, "spectrum": "flat"},
        "augmentation": {"spectrum": "flat"},
        "grid": {"samples": [100_000]},
        "model": {"dimension": 700},
    }
    for kind in ("run", "plan"):
        ended = python(INTERRUPTED, json.dumps(job), tmp_path / kind, kind, 0.3)
        took, _ = json.loads(ended.stdout)
        assert took < 0.5


def test_a_run_that_was_interrupted_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    job = SMALL | {"job": {"name": "long", "replicates": 4000}, "output": {"part_rows": 1000}}
    ended = python(INTERRUPTED, json.dumps(job), tmp_path / "stopped", "run", 0.2)
    assert ended.stdout, "it was done before it was stopped"
    stopped = es.run(job, output=tmp_path / "stopped")
    assert files(stopped.path) == files(es.run(job, output=tmp_path / "whole").path)


def test_other_threads_go_on_while_it_runs(tmp_path: Path) -> None:
    ticks, done = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.monotonic()
    es.run(SMALL, set={"job.replicates": 20_000}, output=tmp_path, threads=1)
    took = time.monotonic() - begun
    done.set()
    thread.join()
    assert ticks > 20 * took


# Processes and threads


def test_it_runs_in_a_thread_that_is_not_the_main_one(tmp_path: Path) -> None:
    made: list[es.Dataset] = []
    thread = threading.Thread(target=lambda: made.append(es.run(SMALL, output=tmp_path)))
    thread.start()
    thread.join()
    assert len(made[0]) == ROWS


def test_a_directory_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    refused: list[str] = []

    def again(rows: int, total: int, failed: int) -> None:
        if not refused:
            with pytest.raises(es.Error, match="is being written by another process") as caught:
                es.run(LONG, output=tmp_path)
            refused.append(str(caught.value))
        raise StopIteration

    with pytest.raises(StopIteration):
        es.run(LONG, output=tmp_path, progress=again)
    assert "output= names another directory" in refused[0]


FORKED = """
import os, signal, sys, threading, time, warnings
import eigensweep as es
warnings.simplefilter("ignore")  # Python's own of threads that a child has not
output, ends = sys.argv[1:]
begun, forked = threading.Event(), threading.Event()
def hear(rows, total, failed):
    begun.set()
    if forked.is_set():
        raise StopIteration
def run():
    try:
        es.run({"job": {"replicates": 1000000}}, output=output, progress=hear)
    except StopIteration:
        pass
thread = threading.Thread(target=run)
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    time.sleep(600)
print(child, flush=True)
if ends == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
forked.set()
thread.join()
"""


@pytest.mark.parametrize("ends", ["well", "killed"])
def test_a_forked_child_does_not_keep_the_data_set_from_others(tmp_path: Path, ends: str) -> None:
    command = [sys.executable, "-c", FORKED, str(tmp_path), ends]
    # To a file: the end of a pipe would be the child's, too.
    with open(tmp_path.with_suffix(".txt"), "w+") as said:
        ended = subprocess.run(command, stdout=said, check=False)
        said.seek(0)
        child = int(said.read())
    try:
        assert ended.returncode == (0 if ends == "well" else -signal.SIGKILL)
        os.kill(child, 0)  # It lives.

        def stop(rows: int, total: int, failed: int) -> None:
            raise StopIteration

        with pytest.raises(StopIteration):
            es.run({"job": {"replicates": 1_000_000}}, output=tmp_path, progress=stop)
        assert len(es.run({"job": {"replicates": 1}}, output=tmp_path, fresh=True)) > 0
    finally:
        os.kill(child, signal.SIGKILL)


def test_threads_that_fork_at_once_do_not_wait_for_each_other_for_ever() -> None:
    code = """
import os, threading, warnings
import eigensweep
warnings.simplefilter("ignore")
os.register_at_fork(before=lambda: sum(range(10000)), after_in_parent=lambda: sum(range(10000)))
def fork():
    for _ in range(50):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
threads = [threading.Thread(target=fork) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    python(code)


def _rows(output: str) -> int:
    return len(es.run(SMALL, output=output))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_it_runs_in_child_processes(tmp_path: Path, method: str) -> None:
    # Here first: a pool that lived on would hang the child.
    es.run(SMALL, output=tmp_path / "here", threads=2)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        outputs = [str(tmp_path / name) for name in "ab"]
        assert list(pool.map(_rows, outputs)) == [ROWS, ROWS]


def _asked(_: int) -> int:
    from eigensweep._run import _threads

    return _threads(None)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_a_worker_of_joblib_has_one_thread(backend: str) -> None:
    joblib = pytest.importorskip("joblib")
    parallel = joblib.Parallel(n_jobs=os.cpu_count(), backend=backend)
    assert parallel(joblib.delayed(_asked)(at) for at in range(4)) == [1] * 4


def test_it_runs_in_workers_of_loky(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    outputs = [str(tmp_path / name) for name in "abc"]
    made = joblib.Parallel(n_jobs=2)(joblib.delayed(_rows)(output) for output in outputs)
    assert made == [ROWS] * 3


def test_nothing_is_said_on_the_terminal(tmp_path: Path) -> None:
    code = f"import eigensweep as es; es.run({SMALL!r}, output={str(tmp_path)!r})"
    ended = python(code)
    assert (ended.stdout, ended.stderr) == ("", "")


# Arrays


def points(dtype: Any = np.float64) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)
    labels = np.arange(200) % 3
    inputs = random.normal(size=(200, 6)) * 20 + 10 * labels[:, None]
    return inputs.astype(dtype), labels


ON_ARRAYS: dict[str, Any] = {
    "job": {"name": "arrays", "replicates": 3},
    "data": {"components": 3},
    "corruption": {"components": 3, "scale": 10.0},
    "grid": {"samples": [50, 100]},
    "model": {"dimension": 3},
}


def test_arrays_are_the_data_of_a_job(tmp_path: Path) -> None:
    inputs, labels = points()
    data = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path / "a")
    kept = sorted((data.path / "inputs").iterdir())
    assert [path.name.split("-")[0] for path in kept] == ["inputs", "labels"]
    np.testing.assert_array_equal(np.load(kept[0]), inputs)
    # The same content in any order of memory is the same job, and is written once.
    times = [path.stat().st_mtime_ns for path in kept]
    for same in (np.asfortranarray(inputs), inputs.astype(">f8"), np.repeat(inputs, 2, 0)[::2]):
        again = es.run(ON_ARRAYS, data={"inputs": same, "labels": labels}, output=data.path)
        assert len(again) == len(data)
    assert [path.stat().st_mtime_ns for path in kept] == times
    # The program goes on from there, by the job that is there.
    command = [program(), "run", str(data.path / "job.toml"), "--output", str(tmp_path / "b")]
    subprocess.run([*command, "--quiet"], check=True)
    assert files(tmp_path / "b") == files(data.path)


def test_other_arrays_are_another_job_and_leave_the_first_as_it_is(tmp_path: Path) -> None:
    inputs, labels = points()
    data = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path)
    before = files(data.path, "inputs/*", "data/*", "job.toml")
    with pytest.raises(es.Error, match="fresh=True"):
        es.run(ON_ARRAYS, data=(inputs + 1, labels), output=tmp_path)
    assert before.items() <= files(data.path, "inputs/*", "data/*", "job.toml").items()
    es.run(ON_ARRAYS, data=(inputs + 1, labels), output=tmp_path, fresh=True)
    assert len(list((data.path / "inputs").iterdir())) == 2


def test_a_data_set_with_its_arrays_may_be_moved(tmp_path: Path) -> None:
    inputs, labels = points()
    data = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path / "a")
    here = data.plot("spectrum").svg
    shutil.move(data.path, tmp_path / "b")
    moved = es.open(tmp_path / "b")
    assert moved.plot("spectrum").svg == here
    command = [program(), "replay", str(moved.path), "--where", "replicate = 1", "--limit", "3"]
    subprocess.run(command, check=True, capture_output=True)
    es.run(ON_ARRAYS, data=(inputs, labels), output=moved.path)


@pytest.mark.parametrize("dtype", ["f4", "f2", "i2", "u1", "?", ">i4"])
def test_arrays_keep_their_type(tmp_path: Path, dtype: str) -> None:
    inputs, labels = points(dtype)
    data = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path)
    held = np.load(next((data.path / "inputs").glob("inputs-*")))
    assert held.dtype == np.dtype(dtype).newbyteorder("<")


def test_labels_may_be_words_and_frames_are_arrays(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    inputs, labels = points()
    words = pandas.Series(np.array(["cat", "dog", "owl"])[labels], dtype=object)
    made = es.run(ON_ARRAYS, data=(pandas.DataFrame(inputs), words), output=tmp_path / "words")
    numbers = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path / "numbers")
    # Of several types of numbers, too.
    frame = pandas.DataFrame(inputs).assign(whole=labels, flag=labels > 0)
    mixed = es.run(ON_ARRAYS, data=(frame, words), output=tmp_path / "mixed")
    columns = np.column_stack([inputs, labels, labels > 0])
    stacked = es.run(ON_ARRAYS, data=(columns, labels), output=tmp_path / "stacked")
    for pair in [(made, numbers), (mixed, stacked)]:
        metrics = [data.to_pandas()["distance"].to_numpy() for data in pair]
        np.testing.assert_array_equal(*metrics)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_words_are_named(tmp_path: Path, library: str) -> None:
    frames = pytest.importorskip(library)
    pytest.importorskip("sklearn")
    inputs, labels = points()
    columns = {"length": inputs[:, 0], "species": ["cat", "dog"] * 100, "width": inputs[:, 1]}
    frame = frames.DataFrame(columns)
    message = "has columns that are not all numbers, 'species': leave them out"
    with pytest.raises(ValueError, match=f"data 'inputs' {message}"):
        es.run(ON_ARRAYS, data=(frame, labels), output=tmp_path / "a")
    with pytest.raises(ValueError, match=f"inputs {message}"):
        es.solve(frame, dimension=1)
    with pytest.raises(ValueError, match=f"X {message}"):
        es.JointEmbedding(1).fit(frame)
    assert not (tmp_path / "a").exists()


def test_arrays_that_are_none_are_refused(tmp_path: Path) -> None:
    inputs, labels = points()
    with pytest.raises(TypeError, match="'labels' is an array of object"):
        es.run(ON_ARRAYS, data=(inputs, [{}] * 200), output=tmp_path / "a")
    with pytest.raises(es.Error, match=r"^set data\.labels=.*the inputs have 200"):
        es.run(ON_ARRAYS, data=(inputs, labels[:-1]), output=tmp_path / "a")
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="'inputs' is sparse: give inputs.toarray.*mmwrite"):
        es.run(ON_ARRAYS, data=(sparse.csr_array(inputs), labels), output=tmp_path / "a")
    for missing in (None, np.nan):
        with pytest.raises(ValueError, match=rf"'labels'\[7\] is {missing}"):
            words = ["a"] * 7 + [missing] + ["b"] * 192
            es.run(ON_ARRAYS, data=(inputs, np.array(words, object)), output=tmp_path / "a")
    with pytest.raises(es.JobError, match="`data.labels` is needed"):
        es.run(ON_ARRAYS, data=(inputs, None), output=tmp_path / "a")
    with pytest.raises(ValueError, match="3 arrays"):
        es.run(ON_ARRAYS, data=(inputs, labels, labels), output=tmp_path / "a")
    with pytest.raises(es.JobError, match=r"data\.label"):
        es.run(ON_ARRAYS, data={"inputs": inputs, "label": 1}, output=tmp_path / "a")
    assert not (tmp_path / "a").exists()


# Plans


def test_a_plan_says_what_a_job_would_take(tmp_path: Path) -> None:
    plan = es.plan(SMALL, threads=2, shards=2)
    assert (plan.rows, plan.parts, plan.threads, plan.replicates) == (ROWS, 1, 2, 6)
    assert plan.axes["alignment"] == [0.1, 1.0, 10.0]
    assert plan.axes["samples"] == [100, 10_000]
    assert plan.bytes > 0 and plan.memory > 0 and plan.seconds > 0
    assert plan.shards["empty"] == 1
    assert "alignment: 0.1, 1, 10" in repr(plan)
    assert plan.source == "synthetic, gaussian" and "data: synthetic, gaussian" in repr(plan)
    assert plan.hash == es.run(SMALL, output=tmp_path).status["job_hash"]
    inputs, labels = points()
    assert es.plan(ON_ARRAYS, data=(inputs, labels)).source == "an array, 200 × 6"
    assert es.plan(ON_ARRAYS, data=(inputs, labels)).rows == 3 * 2 * 3 * len(
        es.plan(ON_ARRAYS, data=(inputs, labels)).axes["alignment"]
    )


BOUNDARY: dict[str, Any] = {
    "job": {"name": "small"},
    "data": {"components": 3, "spectrum": [5.0, 20.0, 60.0], "label_count": 2},
    "corruption": {"components": 3, "spectrum": [10.0, 100.0, 300.0]},
    "augmentation": {"spectrum": [2.0, 1.0, 10.0, 3.0, 1.0, 20.0]},
    "grid": {"samples": [100, 10_000]},
    "boundary": {"precision": 0.1},
}


def test_critical_alignments_are_those_of_the_program(tmp_path: Path) -> None:
    found = es.boundary(BOUNDARY, output=tmp_path / "python", threads=1)
    assert len(found) == 4
    assert found.paradigms == ["joint-embedding", "reconstruction"]
    assert found.metrics[:3] == ["alpha", "low", "high"]
    frame = found.to_pandas()
    assert list(frame["verdict"]) == ["traced"] * 4
    assert (frame["low"] <= frame["alpha"]).all() and (frame["alpha"] <= frame["high"]).all()
    assert es.open(found.path) == found
    rows = found.sql("SELECT alpha FROM boundary WHERE paradigm = 'reconstruction'")
    assert len(rows) == 2
    with pytest.raises(es.Error, match="critical alignments"):
        found.summary()
    # The program goes on from there, and finds nothing to do but the same bytes.
    job = tmp_path / "job.toml"
    job.write_text((found.path / "job.toml").read_text())
    other = tmp_path / "program"
    subprocess.run(
        [program(), "boundary", str(job), "--output", str(other), "--quiet"], check=True
    )
    assert files(other) == files(found.path)


def test_a_job_without_a_boundary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(es.JobError, match="several values"):
        es.boundary(SMALL, output=tmp_path / "out")
    with pytest.raises(es.Error, match="a data set of `run`"):
        es.run(SMALL, output=tmp_path / "rows")
        es.boundary(SMALL | {"augmentation": {}}, output=tmp_path / "rows")


def test_an_interpreter_may_end_while_a_thread_runs(tmp_path: Path) -> None:
    code = f"""
import threading, time
import eigensweep as es
job = {{"job": {{"replicates": 100000}}}}
run = lambda: es.run(job, output={str(tmp_path / "set")!r}, progress=False)
threading.Thread(target=run, daemon=True).start()
time.sleep(1)
print("bye")
"""
    assert python(code).stdout == "bye\n"


def test_absurd_numbers_of_threads_are_refused(tmp_path: Path) -> None:
    for threads in (10**6, 2**62):
        with pytest.raises(es.Error, match="at most 4096"):
            es.run(SMALL, output=tmp_path / "set", threads=threads, progress=False)


def test_what_the_data_are_is_said(tmp_path: Path) -> None:
    inputs, labels = points()
    data = es.run(ON_ARRAYS, data=(inputs, labels), output=tmp_path / "a")
    assert "data: an array, 200 × 6" in repr(data)
    shutil.move(data.path, tmp_path / "b")
    assert "data: an array, 200 × 6" in repr(es.open(tmp_path / "b"))
    # The same job without them is another one, whose data are made up.
    assert "data: synthetic, gaussian" in repr(es.run(ON_ARRAYS, output=tmp_path / "c"))
    np.save(tmp_path / "x.npy", inputs)
    np.save(tmp_path / "y.npy", labels)
    files = {"source": "npy", "inputs": tmp_path / "x.npy", "labels": tmp_path / "y.npy"}
    read = es.run(ON_ARRAYS | {"data": {"components": 3} | files}, output=tmp_path / "d")
    assert f"data: npy, {tmp_path / 'x.npy'}" in repr(read)


def test_masked_entries_are_refused() -> None:
    masked = np.ma.masked_array(np.eye(4), np.eye(4) > 0)
    with pytest.raises(ValueError, match="masked"):
        es.solve(masked, covariance=0.5, dimension=1)
    with pytest.raises(ValueError, match="masked"):
        es.run(SMALL, data=masked, output="nowhere")
