"""Reports the jobs that Slurm does not start, with its reason. The executor only looks for the end of a job, so it waits for
ever for one that is held.

A thread queries Slurm once a minute for the jobs of this run, reports each reason once, and ends with the run.
"""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

INTERVAL, ANSWER = 60, 50  # seconds between two queries; seconds that an answer may take
WAITS = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "SUSPENDED", "STOPPED"}
# Its turn comes without anybody doing anything.
ORDINARY = {"None", "Resources", "Priority", "BeginTime", "Dependency", "Licenses", "Reservation", "JobArrayTaskLimit"}
ORDINARY |= {"Cleaning", "Prolog", "SchedDefer"}
# The first that is found in a reason; {job} is its number, {rule} its rule.
REMEDIES = {
    "[Hh]eld|[Hh]old|HOLD": "`scontrol release {job}` lets it start, `scancel {job}` has it submitted again",
    "Account": "name one that you may use: --default-resources slurm_account=NAME",
    "InvalidQOS|QOSNotAllowed": "name one that you may use: --default-resources qos=NAME",
    "PartitionDown|PartitionInactive": "wait for it, or name another: --default-resources slurm_partition=NAME",
    "PartitionTimeLimit|Wall": "ask for less time: --set-resources {rule}:runtime=MINUTES",
    "PartitionNodeLimit|PartitionConfig": "ask for what a node of the partition has, or for another: "
    "--set-resources {rule}:mem_mb=MB, {rule}:slurm_partition=NAME",
    "^QOS|^Assoc": "a limit of the cluster: it starts when other jobs end, or never if it alone asks for more",
}


@dataclass(frozen=True)
class Job:
    number: str
    state: str  # as `squeue` names it
    reason: str  # "None" where there is none
    name: str  # the rule and its item

    @property
    def why(self) -> str:
        return self.reason if self.reason != "None" or self.state == "PENDING" else self.state


def watch(workflow: Any) -> None:
    """To be called by `onstart`, when the executor exists. Does nothing for other executors than Slurm's."""
    executor = getattr(workflow.scheduler, "_executor", None)
    run = getattr(executor, "run_uuid", None)
    if workflow.is_main_process and run and "slurm" in type(executor).__module__:
        watcher = Watcher(run)
        watcher.hear_sigterm()
        threading.Thread(target=watcher.watch, daemon=True).start()


class NoAnswerError(Exception):
    """What Slurm's command said, one line."""


@dataclass
class Watcher:
    run: str  # the name of all jobs of this run
    said: set[str] = field(default_factory=set)
    terminated: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.terminated.wait(INTERVAL):
            self.report()
        self.end()

    def report(self) -> None:
        """A line for each reason that is new."""
        waiting: dict[str, list[Job]] = {}
        try:
            for job in self.jobs():
                if job.state in WAITS:
                    waiting.setdefault(job.why, []).append(job)
        except NoAnswerError as error:
            self.say("no answer", f"Slurm does not report why jobs wait: {error}")
        for reason, jobs in waiting.items():
            self.say(reason, line(reason, jobs))

    def say(self, reason: str, words: str) -> None:
        if reason not in self.said:
            self.said.add(reason)
            os.write(2, f"cellar: {words}\n".encode())  # print would hold a lock that the end of the run may want

    def jobs(self) -> list[Job]:
        """Those that have not ended."""
        rows = [row.split("|", 3) for row in ask("squeue", "--noheader", "--format=%i|%T|%r|%k", "--name", self.run)]
        return [Job(*row[:3], readable(row[3])) for row in rows if len(row) == 4]

    def hear_sigterm(self) -> None:
        """Snakemake starts no further job then and waits for the others, those that Slurm holds included."""
        inner = signal.getsignal(signal.SIGTERM)

        def terminate(number: int, frame: FrameType | None) -> None:
            if self.terminated.is_set():
                raise KeyboardInterrupt
            if callable(inner):
                inner(number, frame)
            self.terminated.set()

        signal.signal(signal.SIGTERM, terminate)

    def end(self) -> None:
        """Cancel the jobs that have not started; if none runs, end the run. (The executor first finishes the pause between two
        of its own queries, at most three minutes.)"""
        while True:
            try:
                ask("scancel", "--name", self.run, "--state=PENDING")
                if not self.jobs() and "end" not in self.said:
                    self.say("end", "no job runs; those in Slurm's queue are cancelled")
                    return os.kill(os.getpid(), signal.SIGTERM)
                self.say("end", "running jobs are waited for; a second SIGTERM, or Ctrl-C, cancels them too")
            except NoAnswerError as error:
                self.say("end", f"Slurm does not answer ({error}); a second SIGTERM, or Ctrl-C, ends the run now")
            time.sleep(INTERVAL)  # a job may have been submitted meanwhile


def ask(*command: str) -> list[str]:
    """The lines of the answer."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=ANSWER).stdout.splitlines()
    except (OSError, subprocess.SubprocessError) as error:
        words = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise NoAnswerError(words[-1] if words else str(error)) from None


def readable(comment: str) -> str:
    """The executor's comment: rule_RULE_wildcards_ITEM."""
    return comment.removeprefix("rule_").replace("_wildcards_", " ", 1)


def line(reason: str, jobs: list[Job]) -> str:
    first, more = jobs[0], f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    which = f"job {first.number} ({first.name}){more}"
    if reason in ORDINARY:
        return f"{which} in Slurm's queue: {reason}"
    remedy = next(
        (text for found, text in REMEDIES.items() if re.search(found, reason)), "`scontrol show job {job}` says more"
    )
    return f"Slurm does not start {which}: {reason}; {remedy.format(job=first.number, rule=first.name.split()[0])}"
