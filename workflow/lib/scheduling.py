"""When Snakemake looks at the jobs that wait."""

from typing import Any

DEFAULT = (100, 1)  # jobs, seconds


def look_when_a_job_ends(workflow: Any) -> None:
    """Take away Snakemake's default limit of jobs a second, which stages never reach. To be called by `onstart`.

    With a limit, each look at waiting jobs causes another a second later, and so does each job that ends: after n jobs Snakemake
    looks n times a second, and each time asks for the sizes of all inputs. A limit of the command line stays."""
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == DEFAULT:
        workflow.scheduler.job_rate_limiter = None
